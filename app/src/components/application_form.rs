//! The form of an application, new or known. What was typed stays, whatever the server says; and an edit never overwrites
//! what its author has not seen.

use leptos::{ev, html, prelude::*, task::spawn_local};
use session::catalogue::{
    ApplicationForm, ApplicationView,
    draft::{ApplicationDraft, Field, FieldError, check},
};
use wasm_bindgen::JsCast;
use web_sys::Element;

use super::{
    addresses::APPLICATIONS_PATH,
    application_fields::{field_named, fields, read},
    failure::FailedAction,
};
use crate::{
    api::{
        AppError,
        applications::{add_application, edit_application},
    },
    ui::{
        banner::{Banner, Tone},
        clock::later,
        dynamic::{attribute, part, words},
        field::id_of,
        focus::focus_id,
        time::is_alive,
    },
};

/// Id of what says that somebody else was quicker.
const MEANWHILE_ID: &str = "meanwhile";

/// The form.
#[component]
pub fn ApplicationEditor(
    /// What it starts from.
    form: ApplicationForm,
    /// It was saved; as it is now.
    on_saved: Callback<ApplicationView>,
) -> impl IntoView {
    let ApplicationForm {
        application,
        environments,
    } = form;
    let is_new = application.is_none();
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
    let environments = StoredValue::new(environments);
    let node = NodeRef::<html::Form>::new();
    // What the fields are drawn from, and what stands in them now.
    let (start, draft) = (RwSignal::new(first.clone()), RwSignal::new(first));
    let seen = RwSignal::new(application);
    let meanwhile = RwSignal::new(None::<Meanwhile>);
    let failed = RwSignal::new(None::<AppError>);
    let sending = RwSignal::new(false);
    // A field is told off only once it was changed, or when somebody tried to save.
    let touched = RwSignal::new(Vec::<Field>::new());
    // What the server found wrong, until that field is changed.
    let refused = RwSignal::new(Vec::<FieldError>::new());
    let wrong = Memo::new(move |_| {
        let known = environments.with_value(|known| check(&draft.read(), known));
        let mut wrong = known.err().unwrap_or_default();
        wrong.extend(refused.get());
        wrong
    });
    let shown = Signal::derive(move || {
        let touched = touched.read();
        let mut wrong = wrong.get();
        wrong.retain(|error| touched.contains(&error.field));
        wrong
    });

    let take = move || {
        if let Some(form) = node.get_untracked() {
            draft.set(read(&form));
        }
    };
    // Typed before the page was alive.
    Effect::new(move || {
        node.track();
        take();
    });
    let heard = move |event: ev::Event| {
        take();
        if let Some(field) = field_of(&event) {
            refused.update(|refused| refused.retain(|error| error.field != field));
        }
    };
    let left = move |event: ev::Event| {
        if let Some(field) = field_of(&event) {
            touched.update(|touched| touched.push(field));
        }
    };
    let refuse = move |error: AppError| {
        if let Some(now) = error.0.application {
            let before = seen.get_untracked();
            meanwhile.try_set(before.map(|before| Meanwhile {
                before,
                now: (*now).clone(),
            }));
            seen.try_set(Some(*now));
            later(0, || focus_id(MEANWHILE_ID));
        } else if error.0.fields.is_empty() {
            failed.try_set(Some(error));
        } else {
            let first = error.0.fields[0].field;
            refused.try_set(error.0.fields.into_vec());
            later(0, move || focus_id(&id_of(first.code())));
        }
    };
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        if sending.get_untracked() {
            return;
        }
        take();
        touched.set(Field::ALL.to_vec());
        refused.set(Vec::new());
        if let Some(first) = wrong.with_untracked(|wrong| wrong.first().map(|error| error.field)) {
            return focus_id(&id_of(first.code()));
        }
        sending.set(true);
        failed.set(None);
        spawn_local(async move {
            let draft = draft.get_untracked();
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
        draft.set(fresh.clone());
        start.set(fresh);
        touched.set(Vec::new());
        meanwhile.set(None);
        later(0, move || {
            // The fields now begin with the new values; what was typed over them goes with this.
            if let Some(form) = node.try_get_untracked().flatten() {
                form.reset();
            }
            focus_id(&id_of(Field::Name.code()));
        });
    });
    let alive = is_alive();
    let drawn = move || environments.with_value(|known| fields(&start.read(), known, draft, shown));
    view! {
        <form class="question form" novalidate node_ref=node on:submit=submit on:input=heard on:change=left>
            <p class="no-js-only">
                <strong>"This form needs JavaScript."</strong>
            </p>
            {(!is_new)
                .then(|| view! { <p class="lead">"Changes count for future launches only. Live sessions keep what they were launched with."</p> })}
            <MeanwhileBanner meanwhile start_again />
            {part(drawn)}
            <FailedAction failed />
            <div class="dialog-actions">
                <a class="button" href=APPLICATIONS_PATH>
                    "Cancel"
                </a>
                <button
                    type="submit"
                    class="button button-primary needs-js"
                    disabled=Signal::derive(move || !alive.get())
                    aria-disabled=attribute(move || sending.get().then_some("true"))
                >
                    {words(move || match (sending.get(), is_new) {
                        (true, _) => "Saving…",
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

/// Somebody else saved the application between its opening here and the attempt to save it.
#[derive(Clone)]
struct Meanwhile {
    before: ApplicationView,
    now: ApplicationView,
}

/// The new values, and the choice between them and what was typed.
#[component]
fn MeanwhileBanner(meanwhile: RwSignal<Option<Meanwhile>>, start_again: Callback<ApplicationView>) -> impl IntoView {
    part(move || {
        let told = meanwhile.get().map(|Meanwhile { before, now }| {
            let news = Field::ALL
                .into_iter()
                .filter(|field| before.words(*field) != now.words(*field))
                .map(|field| view! { <div><dt>{field.label()}</dt><dd>{now.words(field)}</dd></div> })
                .collect_view();
            view! {
                <div id=MEANWHILE_ID tabindex="-1">
                    <Banner tone=Tone::Danger>
                        <strong>"This application was changed meanwhile. "</strong>
                        "Nothing of yours was saved. These values are new:"
                        <dl class="facts">{news}</dl>
                        "Save again to put what stands below in their place, or "
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
