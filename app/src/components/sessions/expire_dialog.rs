//! The Expire dialog: the session, its user and the consequence. The request contains the facts
//! that the administrator saw, and the server refuses it if the session has changed in a way that
//! matters.

use crate::ui::dynamic::{DynShow, dyn_attr, dyn_text, dyn_view};
use leptos::{ev::SubmitEvent, html, prelude::*, task::spawn_local};
use session::{
    Status,
    api::{ExpireRequest, SessionView},
    lifecycle::Seen,
};

use super::{
    model::{Row, advance},
    session_summary::{Consequence, EndedFacts, ReasonField, SessionFacts, written},
};
use crate::{
    api::sessions::expire_session,
    ui::{
        banner::{Banner, Tone},
        clock::later,
        dialog::Dialog,
    },
};

/// Milliseconds after which a change on screen counts as seen. An earlier click refers to the
/// previous state.
const READING_MS: u64 = 1000;

/// The page's dialog; open while `target` is set.
#[component]
pub fn ExpireDialog(
    /// Session to expire.
    target: RwSignal<Option<Row>>,
    /// Called with the expired session.
    #[prop(into)]
    on_expired: Callback<SessionView>,
) -> impl IntoView {
    let close = move || target.set(None);
    view! {
        <Dialog
            open=Signal::derive(move || target.read().is_some())
            on_close=move |()| close()
            labelled_by="expire-title"
            described_by="expire-consequence"
        >
            {dyn_view(move || {
                target
                    .get()
                    .map(|row| {
                        view! {
                            <Question
                                row
                                on_cancel=move |()| close()
                                on_expired=move |session| {
                                    close();
                                    on_expired.run(session);
                                }
                            />
                        }
                    })
                    .into_any()
            })}
        </Dialog>
    }
    .into_any()
}

/// The content of the dialog for one session.
#[component]
fn Question(
    row: Row,
    #[prop(into)] on_cancel: Callback<()>,
    #[prop(into)] on_expired: Callback<SessionView>,
) -> impl IntoView {
    let session = RwSignal::from(row.clone());
    let seen = RwSignal::new(session.read_untracked().seen());
    let changed = RwSignal::new(false);
    let sending = RwSignal::new(false);
    let problem = RwSignal::new(None::<String>);
    let form = NodeRef::<html::Form>::new();
    let ended = Memo::new(move |_| session.read().status == Status::Expired);

    Effect::new(move || {
        let now = session.read().seen();
        if now != seen.get_untracked() {
            changed.set(true);
            later(READING_MS, move || {
                if session
                    .try_read_untracked()
                    .is_some_and(|session| session.seen() == now)
                {
                    seen.try_set(now);
                }
            });
        }
    });
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        if sending.get_untracked() {
            return;
        }
        sending.set(true);
        problem.set(None);
        let (reason, block_relaunch) = written(form);
        let request = ExpireRequest {
            reason,
            block_relaunch,
            seen: Some(seen.get_untracked()),
        };
        let id = session.read_untracked().id;
        let row = row.clone();
        spawn_local(async move {
            match expire_session(id, request).await {
                Ok(session) => on_expired.run(session),
                Err(error) => {
                    sending.try_set(false);
                    if let (true, Some(fresh)) = (error.code() == "session_changed", error.0.session) {
                        seen.try_set(fresh.seen());
                        changed.try_set(true);
                        advance(&row, *fresh);
                    } else {
                        problem.try_set(Some(format!(
                            "{}. {}",
                            error.0.title.trim_end_matches('.'),
                            error.0.detail
                        )));
                    }
                }
            }
        });
    };
    view! {
        <form class="dialog-body" node_ref=form on:submit=submit>
            <h2 id="expire-title" class="dialog-title">
                "Expire session"
            </h2>
            <DynShow is=move || changed.get() && !ended.get()>
                <Banner tone=Tone::Danger>
                    <strong>"This session has changed. "</strong>
                    {dyn_text(move || news(session.read().seen()))}
                    " Do you still want to expire it?"
                </Banner>
            </DynShow>
            <DynShow is=move || problem.get().is_some()>
                <Banner tone=Tone::Danger>{dyn_text(move || problem.get().unwrap_or_default())}</Banner>
            </DynShow>
            <SessionFacts session />
            <DynShow
                is=move || !ended.get()
                otherwise=move || {
                    view! {
                        <p id="expire-consequence" class="consequence">
                            <EndedFacts session />
                        </p>
                    }
                }
            >
                <Consequence session id="expire-consequence" />
                <ReasonField />
            </DynShow>
            <div class="dialog-actions">
                <button type="button" class="button" autofocus on:click=move |_| on_cancel.run(())>
                    {dyn_text(move || if ended.get() { "Close" } else { "Cancel" }.to_owned())}
                </button>
                <DynShow is=move || !ended.get()>
                    <button
                        type="submit"
                        class="button button-danger"
                        aria-disabled=dyn_attr(move || sending.get().then_some("true"))
                    >
                        {dyn_text(move || if sending.get() { "Expiring…" } else { "Expire session" }.to_owned())}
                    </button>
                </DynShow>
            </div>
        </form>
    }
    .into_any()
}

/// The current state of the session as text.
fn news(now: Seen) -> String {
    let connected = if now.connected {
        "open in a browser tab"
    } else {
        "not open in any browser tab"
    };
    format!("It is now {} and {connected}.", now.status)
}
