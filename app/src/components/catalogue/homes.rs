//! The homes of an environment: the fate of people's files, and the limit of a kept home.

use std::num::NonZeroU32;

use leptos::{ev::SubmitEvent, prelude::*};
use session::{HomeKind, Homes};
use web_sys::HtmlFormElement;

use crate::ui::{
    dialog::Dialog,
    dynamic::{dyn_attr, dyn_text},
    field::{self, Control, Field},
};

/// The button that opens the form, and the form in a dialog.
#[component]
pub fn HomesAction(
    /// Name of the environment, part of the button's accessible name.
    name: Signal<String>,
    /// Current homes.
    homes: Signal<Homes>,
    /// Whether a request is in flight.
    sending: RwSignal<bool>,
    /// Sends the new homes.
    on_save: Callback<Homes>,
) -> impl IntoView {
    let editing = RwSignal::new(false);
    let wrong = RwSignal::new(String::new());
    let open = move |_| {
        wrong.set(String::new());
        editing.set(true);
    };
    let save = move |event: SubmitEvent| {
        event.prevent_default();
        let form: HtmlFormElement = event_target(&event);
        match read(&form) {
            Ok(homes) => {
                editing.set(false);
                if !sending.get_untracked() {
                    sending.set(true);
                    on_save.run(homes);
                }
            }
            Err(reason) => wrong.set(reason),
        }
    };
    view! {
        <button
            type="button"
            class="button button-small needs-js"
            aria-label=dyn_text(move || format!("Files of {}", name.get()))
            aria-haspopup="dialog"
            aria-disabled=dyn_attr(move || sending.get().then_some("true"))
            on:click=open
        >
            "Files…"
        </button>
        <Dialog open=editing on_close=move |()| editing.set(false) labelled_by="homes-title" described_by="homes-consequence">
            <form class="dialog-body" on:submit=save>
                <h2 id="homes-title" class="dialog-title">
                    {dyn_text(move || format!("Files in {}", name.get()))}
                </h2>
                <p id="homes-consequence">"Live sessions keep the files they have. New sessions follow these rules."</p>
                <Field
                    name="homes"
                    label="Files of a session"
                    value=homes.get_untracked().kind.code().to_owned()
                    control=Control::Choice(HomeKind::ALL.map(|kind| (kind.code().to_owned(), label(kind).to_owned())).into())
                    error=Signal::stored(String::new())
                />
                <Field
                    name="home_limit"
                    label="Limit of each person in MiB"
                    hint="Applies to kept files. Blank means no limit."
                    value=homes.get_untracked().limit_mib.map(|limit| limit.to_string()).unwrap_or_default()
                    control=Control::Number(None)
                    error=wrong.into()
                />
                <div class="dialog-actions">
                    <button type="button" class="button" autofocus on:click=move |_| editing.set(false)>
                        "Cancel"
                    </button>
                    <button type="submit" class="button button-primary">
                        "Save"
                    </button>
                </div>
            </form>
        </Dialog>
    }
    .into_any()
}

const fn label(kind: HomeKind) -> &'static str {
    match kind {
        HomeKind::Kept => "Keep them for the person’s next sessions",
        HomeKind::Scratch => "Delete them when the session ends",
    }
}

/// The values of the form; `Err` is the reason why the limit is wrong.
fn read(form: &HtmlFormElement) -> Result<Homes, String> {
    let limit = field::value(form, "home_limit");
    let limit_mib = match limit.trim() {
        "" => None,
        text => Some(
            text.parse::<NonZeroU32>()
                .map_err(|_| format!("A whole number from 1 to {}, or nothing for no limit.", u32::MAX))?,
        ),
    };
    let kind = field::value(form, "homes").parse().unwrap_or(HomeKind::Kept);
    Ok(Homes { kind, limit_mib })
}
