//! A button that copies a text.

use super::dynamic::dyn_text;
use leptos::prelude::*;
use wasm_bindgen::JsValue;

use super::{
    clock::later,
    icon::{Glyph, Icon},
};

/// Copies a text to the clipboard and confirms it.
#[component]
pub fn CopyButton(
    /// Text to copy.
    #[prop(into)]
    text: Signal<String>,
    /// Name of the text, for the accessible name "Copy {what}".
    what: &'static str,
) -> impl IntoView {
    let copied = RwSignal::new(false);
    let copy = move |_| {
        let text = text.get_untracked();
        leptos::task::spawn_local(async move {
            if write(&text).await.is_ok() {
                copied.try_set(true);
                later(2000, move || {
                    copied.try_set(false);
                });
            }
        });
    };
    view! {
        <button type="button" class="button button-icon needs-js" aria-label=format!("Copy {what}") on:click=copy>
            <Icon glyph=Signal::derive(move || if copied.get() { Glyph::Check } else { Glyph::Copy }) />
            <span class="visually-hidden" aria-live="polite">
                {dyn_text(move || if copied.get() { "Copied" } else { "" }.to_owned())}
            </span>
        </button>
    }
}

async fn write(text: &str) -> Result<(), JsValue> {
    // Without https the clipboard API is missing and a call would throw. The text stays selectable.
    if !window().is_secure_context() {
        return Err(JsValue::NULL);
    }
    let written = window().navigator().clipboard().write_text(text);
    wasm_bindgen_futures::JsFuture::from(written).await.map(|_| ())
}
