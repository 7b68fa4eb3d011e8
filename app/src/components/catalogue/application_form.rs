//! The form of a new or existing application. It keeps the typed values after a refusal, and an
//! edit never overwrites a concurrent change that the author has not seen.

use leptos::{ev, html, prelude::*, task::spawn_local};
use session::catalogue::{
    ApplicationForm, ApplicationView,
    draft::{ApplicationDraft, Field},
    form::SEEN,
};
use wasm_bindgen::JsCast;
use web_sys::Element;

use super::application_fields::{FormState, field_named, fields, read};
use crate::components::{addresses::APPLICATIONS_PATH, failure::FailedAction};
use crate::{
    api::{
        AppError,
        applications::{add_application, edit_application},
    },
    ui::{
        banner::{Banner, Tone},
        clock::later,
        dynamic::{dyn_attr, dyn_text, dyn_view},
        field::id_of,
        focus::focus_id,
        unsaved::guard_unsaved,
    },
};

/// Element id of the banner about a concurrent change.
const CONFLICT_ID: &str = "edit-conflict";

/// The form and its conflict banner.
#[component]
pub fn ApplicationEditor(
    /// Start values.
    form: ApplicationForm,
    /// Called with the saved application.
    on_saved: Callback<ApplicationView>,
) -> impl IntoView {
    let ApplicationForm {
        application,
        environments,
        categories,
    } = form;
    let is_new = application.is_none();
    // For the plain form. Only the server can fail to write it: numbers and texts are always JSON.
    let before = application
        .as_ref()
        .and_then(|application| serde_json::to_string(&application.spec).ok());
    let first = application
        .as_ref()
        .map(|application| ApplicationDraft::from(&application.spec))
        .unwrap_or_else(|| ApplicationDraft {
            environment_id: environments
                .first()
                .filter(|_| environments.len() == 1)
                .map(|only| only.id),
            ..ApplicationDraft::default()
        });
    let node = NodeRef::<html::Form>::new();
    // The start values and the current values.
    let start = RwSignal::new(first.clone());
    let typed = RwSignal::new(FormState {
        draft: first,
        environments,
        categories,
        touched: Vec::new(),
        uploading: false,
        refused: Vec::new(),
    });
    let seen = RwSignal::new(application);
    let conflict = RwSignal::new(None::<ApplicationView>);
    let failed = RwSignal::new(None::<AppError>);
    let sending = RwSignal::new(false);
    let uploading = move || typed.read().uploading;

    // A field that is removed with the focus still reports a change, after the form and its signals
    // are disposed.
    let take = move || {
        if let Some(form) = node.try_get_untracked().flatten() {
            typed.try_update(|typed| typed.draft = read(&form));
        }
    };
    // The person may have typed before hydration.
    Effect::new(move || {
        node.track();
        take();
    });
    let heard = move |event: ev::Event| {
        take();
        if let Some(field) = field_of(&event) {
            typed.try_update(|typed| typed.refused.retain(|error| error.field != field));
        }
    };
    let left = move |event: ev::Event| {
        if let Some(field) = field_of(&event) {
            typed.try_update(|typed| typed.touched.push(field));
        }
    };
    guard_unsaved(move || {
        let changed = typed.try_with_untracked(|typed| start.try_with_untracked(|start| typed.draft != *start));
        changed.flatten() == Some(true)
    });
    let refuse = move |error: AppError| {
        if let Some(now) = error.0.application {
            let before = seen.try_get_untracked().flatten();
            seen.try_set(Some(*now));
            conflict.try_set(before);
            later(0, || focus_id(CONFLICT_ID));
        } else if error.0.fields.is_empty() {
            failed.try_set(Some(error));
        } else {
            let first = error.0.fields[0].field;
            typed.try_update(|typed| typed.refused = error.0.fields.into_vec());
            later(0, move || focus_id(&id_of(first.code())));
        }
    };
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        if sending.get_untracked() || typed.read_untracked().uploading {
            return;
        }
        take();
        typed.update(|typed| {
            typed.touched = Field::ALL.to_vec();
            typed.refused.clear();
        });
        if let Some(first) = typed.read_untracked().wrong().first().map(|error| error.field) {
            return focus_id(&id_of(first.code()));
        }
        sending.set(true);
        failed.set(None);
        spawn_local(async move {
            let draft = typed.read_untracked().draft.clone();
            let answer = match seen.get_untracked() {
                Some(seen) => edit_application(seen.id, draft, seen.spec).await,
                None => add_application(draft).await,
            };
            sending.try_set(false);
            match answer {
                Ok(saved) => on_saved.run(saved),
                Err(error) => refuse(error),
            }
        });
    };
    let start_again = Callback::new(move |now: ApplicationView| {
        let fresh = ApplicationDraft::from(&now.spec);
        typed.update(|typed| {
            typed.draft = fresh.clone();
            typed.touched.clear();
        });
        start.set(fresh);
        conflict.set(None);
        later(0, move || {
            // The fields take the new values and discard the typed ones.
            if let Some(form) = node.try_get_untracked().flatten() {
                form.reset();
            }
            focus_id(&id_of(Field::Name.code()));
        });
    });
    let drawn = move || fields(&start.read(), typed);
    view! {
        <form class="question form" method="post" enctype="multipart/form-data" novalidate node_ref=node on:submit=submit on:input=heard on:change=left>
            {(!is_new)
                .then(|| view! { <p class="lead">"Changes apply to future launches only. Live sessions keep the settings of their launch."</p> })}
            <ConflictBanner before=conflict now=seen start_again />
            {before.map(|before| view! { <input type="hidden" name=SEEN value=before /> })}
            {dyn_view(drawn)}
            <FailedAction failed />
            <div class="dialog-actions">
                <a class="button" href=APPLICATIONS_PATH>
                    "Cancel"
                </a>
                <button
                    type="submit"
                    class="button button-primary"
                    aria-disabled=dyn_attr(move || (sending.get() || uploading()).then_some("true"))
                >
                    {dyn_text(move || match (sending.get(), is_new) {
                        (true, _) => "Saving…",
                        (false, _) if uploading() => "Uploading…",
                        (false, true) => "Add application",
                        (false, false) => "Save changes",
                    }.to_owned())}
                </button>
            </div>
        </form>
    }
    .into_any()
}

fn field_of(event: &ev::Event) -> Option<Field> {
    let element = event.target()?.dyn_into::<Element>().ok()?;
    field_named(&element.get_attribute("name")?)
}

/// Shows the new values and lets the person choose between them and their own.
#[component]
fn ConflictBanner(
    /// The version that the form started from; opens the banner when set.
    before: RwSignal<Option<ApplicationView>>,
    /// The current version.
    now: RwSignal<Option<ApplicationView>>,
    start_again: Callback<ApplicationView>,
) -> impl IntoView {
    dyn_view(move || {
        let told = before.get().zip(now.get_untracked()).map(|(before, now)| {
            let news = Field::ALL
                .into_iter()
                .map(|field| (field, now.words(field)))
                .filter(|(field, words)| before.words(*field) != *words)
                .map(|(field, words)| view! { <div><dt>{field.label()}</dt><dd>{words}</dd></div> })
                .collect_view();
            view! {
                <div id=CONFLICT_ID tabindex="-1">
                    <Banner tone=Tone::Danger>
                        <strong>"Somebody else has changed this application. "</strong>
                        "Your changes are not saved yet. These values are new:"
                        <dl class="facts">{news}</dl>
                        "Save again to overwrite them with the values below, or "
                        <button type="button" class="button button-small" on:click=move |_| start_again.run(now.clone())>
                            "Use the new values"
                        </button>
                    </Banner>
                </div>
            }
        });
        told.into_any()
    })
}
