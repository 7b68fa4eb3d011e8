//! The dialog that expires many sessions: one question with counts, then requests for parts of the
//! batch, so that the person can follow and stop it, then the outcomes. A batch is not atomic.

use leptos::{ev::SubmitEvent, html, prelude::*, task::spawn_local};
use session::batch::{self, Chosen, ExpireMany, MAX_PART, Outcome, Selector, TYPED_ABOVE, Target};

use super::{
    batch_outcomes::{Outcomes, Tally},
    model::{Model, TABLE_ID},
    selection::Selection,
    session_summary::{ReasonField, written},
};
use crate::{
    api::{
        AppError,
        sessions::{expire_many, selection as ask},
    },
    ui::{
        banner::{Banner, Tone},
        clock::later,
        dialog::Dialog,
        dynamic::{DynShow, dyn_attr, dyn_text, dyn_view},
        focus,
        number::Numbers,
    },
};

/// Element id of the button that changes nothing; it gets the initial focus.
const WAY_OUT: &str = "expire-many-way-out";

/// Progress of a batch.
#[derive(Clone, PartialEq)]
enum Stage {
    /// Loading the selected sessions.
    Asking,
    /// Loading failed.
    Failed(AppError),
    /// Selection loaded, decision pending.
    Question(batch::Selection),
    /// Running: outcomes so far, all sessions.
    Running(Vec<Outcome>, Vec<Chosen>),
    /// Finished: outcomes, all sessions.
    Done(Vec<Outcome>, Vec<Chosen>),
}

/// A batch, from the question to the outcomes. It keeps running when the dialog is closed, and the
/// dialog shows it again when reopened.
#[derive(Clone, Copy)]
pub struct Batch {
    open: RwSignal<bool>,
    stage: RwSignal<Stage>,
    stopped: RwSignal<bool>,
    selection: Selection,
    model: Model,
    on_done: Callback<String>,
}

impl Batch {
    /// No batch yet. `on_done` gets a summary if a batch finishes while the dialog is closed.
    pub fn new(selection: Selection, model: Model, on_done: Callback<String>) -> Self {
        Self {
            open: RwSignal::new(false),
            stage: RwSignal::new(Stage::Asking),
            stopped: RwSignal::new(false),
            selection,
            model,
            on_done,
        }
    }

    /// Opens the question for the selection, or shows the running batch.
    pub fn ask(&self) {
        if !matches!(&*self.stage.read_untracked(), Stage::Running(..)) {
            self.ask_about(self.selection.selector());
        }
        self.open.set(true);
    }

    fn ask_about(self, selector: Selector) {
        self.stage.set(Stage::Asking);
        spawn_local(async move {
            let stage = match ask(selector).await {
                Ok(chosen) => Stage::Question(chosen),
                Err(error) => Stage::Failed(error),
            };
            self.stage.try_set(stage);
        });
    }

    fn start(self, chosen: batch::Selection, (reason, block_relaunch): (Option<String>, bool)) {
        let batch::Selection { batch, sessions, .. } = chosen;
        self.stopped.set(false);
        self.stage.set(Stage::Running(Vec::new(), sessions.clone()));
        let size = u32::try_from(sessions.len()).unwrap_or(u32::MAX);
        spawn_local(async move {
            let mut outcomes = Vec::with_capacity(sessions.len());
            for part in sessions.chunks(MAX_PART) {
                if self.stopped.try_get_untracked() != Some(false) {
                    break;
                }
                let request = ExpireMany {
                    batch,
                    size,
                    reason: reason.clone(),
                    block_relaunch,
                    sessions: part.iter().map(target).collect(),
                };
                outcomes.extend(expire_many(request).await.unwrap_or_else(|error| failed(part, &error)));
                for session in outcomes
                    .iter()
                    .rev()
                    .take(part.len())
                    .filter_map(|o: &Outcome| o.session.clone())
                {
                    self.model.patch_shown(session);
                }
                self.stage.try_set(Stage::Running(outcomes.clone(), sessions.clone()));
            }
            self.finish(outcomes, sessions);
        });
    }

    fn finish(self, outcomes: Vec<Outcome>, sessions: Vec<Chosen>) {
        // Outcomes are in the order of the sessions; sessions that were not processed have none.
        let expired = |at: usize| {
            outcomes
                .get(at)
                .is_some_and(|outcome: &Outcome| outcome.session.is_some())
        };
        let left = (0..sessions.len()).filter(|at| !expired(*at)).map(|at| sessions[at].id);
        self.selection.keep(&left.collect::<Vec<_>>());
        if self.open.try_get_untracked() == Some(false) {
            self.on_done.run(Tally::of(&outcomes, sessions.len()).sentence());
        }
        self.stage.try_set(Stage::Done(outcomes, sessions));
    }
}

fn target(chosen: &Chosen) -> Target {
    Target {
        id: chosen.id,
        seen: Some(chosen.seen),
    }
}

/// Outcomes of a part that failed as a whole: refused, or server unreachable.
fn failed(part: &[Chosen], error: &AppError) -> Vec<Outcome> {
    let outcome = |chosen: &Chosen| Outcome {
        id: chosen.id,
        session: None,
        problem: Some(error.0.clone()),
    };
    part.iter().map(outcome).collect()
}

/// The page's dialog.
#[component]
pub fn ExpireManyDialog(
    /// Batch to show.
    batch: Batch,
) -> impl IntoView {
    let close = move || {
        batch.open.set(false);
        // The button that opened the dialog disappears with the selection.
        focus::rescue(TABLE_ID);
    };
    // Progress within a stage must not rebuild the dialog.
    let kind = Memo::new(move |_| std::mem::discriminant(&*batch.stage.read()));
    Effect::new(move || {
        // `get` instead of `track`, because a memo is only evaluated when read.
        kind.get();
        if batch.open.get() {
            // The focused element disappeared with the previous stage.
            later(20, || focus::focus_id(WAY_OUT));
        }
    });
    let stage = move || match batch.stage.get() {
        Stage::Asking => {
            view! { <p role="status">"Checking the selected sessions…"</p> <Close label="Cancel" close /> }.into_any()
        }
        Stage::Failed(error) => view! {
            <Banner tone=Tone::Danger>{format!("{}. {}", error.0.title.trim_end_matches('.'), error.0.detail)}</Banner>
            <Close label="Close" close />
        }
        .into_any(),
        Stage::Question(chosen) => view! { <Question chosen batch close /> }.into_any(),
        Stage::Running(..) => view! { <Progress batch /> }.into_any(),
        Stage::Done(outcomes, sessions) => {
            let again = move |ids| batch.ask_about(Selector::Ids(ids));
            view! { <Outcomes outcomes sessions again /> <Close label="Close" close /> }.into_any()
        }
    };
    let shown = move || {
        kind.get();
        untrack(stage)
    };
    view! {
        <Dialog
            open=batch.open
            on_close=move |()| close()
            labelled_by="expire-many-title"
            described_by="expire-many-title"
        >
            <div class="dialog-body">
                <h2 id="expire-many-title" class="dialog-title">
                    "Expire sessions"
                </h2>
                {dyn_view(shown)}
            </div>
        </Dialog>
    }
    .into_any()
}

/// The button that changes nothing; it gets the initial focus.
#[component]
fn Close(label: &'static str, #[prop(into)] close: Callback<()>) -> impl IntoView {
    view! {
        <div class="dialog-actions">
            <button type="button" class="button" id=WAY_OUT autofocus on:click=move |_| close.run(())>
                {label}
            </button>
        </div>
    }
}

/// The facts, the consequence and the decision.
#[component]
fn Question(chosen: batch::Selection, batch: Batch, #[prop(into)] close: Callback<()>) -> impl IntoView {
    let count = chosen.sessions.len();
    if count == 0 {
        return view! { <p>"All selected sessions have already ended."</p> <Close label="Close" close /> }.into_any();
    }
    let form = NodeRef::<html::Form>::new();
    let typed = RwSignal::new(String::new());
    let wrong = RwSignal::new(false);
    let must_type = count > TYPED_ABOVE;
    let right = move || !must_type || typed.read().trim() == count.to_string();
    let by_environment = by_environment(&chosen.sessions);
    let ended = chosen.ended;
    let connected = chosen.sessions.iter().filter(|chosen| chosen.seen.connected).count();
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        if untrack(right) {
            batch.start(chosen.clone(), written(form));
        } else {
            wrong.set(true);
        }
    };
    let sessions = if count == 1 {
        "1 session".to_owned()
    } else {
        format!("{} sessions", untrack(|| Numbers::here().text(count)))
    };
    let row = |(environment, all, connected): (String, usize, usize)| {
        view! {
            <tr>
                <th scope="row">{environment}</th>
                <td class="tabular">{all}</td>
                <td class="tabular">{connected}</td>
            </tr>
        }
    };
    view! {
        <form class="dialog-form" node_ref=form on:submit=submit novalidate>
            <table class="counts" aria-label="Selected sessions by environment">
                <thead>
                    <tr>
                        <th scope="col">"Environment"</th>
                        <th scope="col">"Sessions"</th>
                        <th scope="col">"Connected"</th>
                    </tr>
                </thead>
                <tbody>{by_environment.into_iter().map(row).collect_view()}</tbody>
            </table>
            <p class="consequence">
                {format!(
                    "{sessions} will be expired. {} Access is lost at once, the applications close, and unsaved work is \
                     lost. There is no undo.",
                    open_now(connected, count),
                )}
                {match ended {
                    0 => String::new(),
                    1 => " 1 other has already ended.".to_owned(),
                    many => format!(" {many} others have already ended."),
                }}
            </p>
            <ReasonField />
            {must_type.then(|| view! {
                <div class="field">
                    <label for="expire-count">{format!("Type {count} to confirm")}</label>
                    <input
                        id="expire-count"
                        inputmode="numeric"
                        autocomplete="off"
                        aria-describedby="expire-count-note"
                        aria-invalid=dyn_attr(move || wrong.get().then_some("true"))
                        on:input=move |event| {
                            typed.set(event_target_value(&event));
                            wrong.set(false);
                        }
                    />
                    <p id="expire-count-note" class="field-error" role="alert">
                        {dyn_text(move || if wrong.get() { format!("The number is {count}.") } else { String::new() })}
                    </p>
                </div>
            })}
            <div class="dialog-actions">
                <button type="button" class="button" id=WAY_OUT autofocus on:click=move |_| close.run(())>
                    "Cancel"
                </button>
                <button
                    type="submit"
                    class="button button-danger"
                    aria-disabled=dyn_attr(move || (!right()).then_some("true"))
                >
                    {format!("Expire {sessions}")}
                </button>
            </div>
        </form>
    }
    .into_any()
}

fn open_now(connected: usize, sessions: usize) -> String {
    match connected {
        0 if sessions == 1 => "It is not open right now.".to_owned(),
        0 => "None is open right now.".to_owned(),
        1 if sessions == 1 => "It is open in a browser tab right now.".to_owned(),
        1 => "1 is open in a browser tab right now.".to_owned(),
        many => format!("{many} are open in browser tabs right now."),
    }
}

/// The number of processed sessions, and a Stop button that skips the rest.
#[component]
fn Progress(batch: Batch) -> impl IntoView {
    let numbers = Numbers::here();
    let so_far = move || match &*batch.stage.read() {
        Stage::Running(outcomes, sessions) => (outcomes.len(), sessions.len()),
        _ => (0, 0),
    };
    let text = dyn_text(move || {
        let (done, total) = so_far();
        format!("{} of {} done", numbers.text(done), numbers.text(total))
    });
    view! {
        <label class="progress">
            {text}
            <progress value=dyn_text(move || so_far().0.to_string()) max=dyn_text(move || so_far().1.to_string())></progress>
        </label>
        <div class="dialog-actions">
            <DynShow is=move || !batch.stopped.get() otherwise=|| "Stopping…">
                <button type="button" class="button" id=WAY_OUT on:click=move |_| batch.stopped.set(true)>
                    "Stop"
                </button>
            </DynShow>
        </div>
    }
    .into_any()
}

/// Number of sessions and of connected sessions for each environment, in order of first appearance.
fn by_environment(sessions: &[Chosen]) -> Vec<(String, usize, usize)> {
    let mut counts: Vec<(String, usize, usize)> = Vec::new();
    for chosen in sessions {
        let connected = usize::from(chosen.seen.connected);
        match counts.iter_mut().find(|(name, ..)| **name == *chosen.environment) {
            Some((_, all, open)) => (*all, *open) = (*all + 1, *open + connected),
            None => counts.push((chosen.environment.to_string(), 1, connected)),
        }
    }
    counts
}
