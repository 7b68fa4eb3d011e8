//! A labelled form field with a hint and a validation error.
//!
//! A field has no handler of its own: the form listens for changes and reads the values from the
//! document.

use leptos::prelude::*;
use wasm_bindgen::JsValue;
use web_sys::HtmlFormElement;

use super::dynamic::dyn_attr;

/// The control of a field.
pub enum Control {
    /// Single-line text.
    Line,
    /// Single-line text with suggestions.
    Suggested(Vec<String>),
    /// Single-line digits, narrow; the signal, if any, disables it.
    Number(Option<Signal<bool>>),
    /// Multi-line text.
    Lines,
    /// A select; pairs of value and label.
    Choice(Vec<(String, String)>),
}

/// Element id of the field with this name.
pub fn id_of(name: &str) -> String {
    format!("field-{name}")
}

/// A labelled form field.
#[component]
pub fn Field(
    /// Name in the form.
    name: &'static str,
    /// Visible label.
    label: &'static str,
    /// Purpose, or a note that it is optional.
    #[prop(optional)]
    hint: &'static str,
    /// Initial value.
    value: String,
    /// Control.
    control: Control,
    /// Validation error; empty if valid.
    error: Signal<String>,
    /// Content beside the control.
    #[prop(optional)]
    beside: Option<AnyView>,
) -> impl IntoView {
    let id = id_of(name);
    let (hint_id, error_id) = (format!("{id}-hint"), format!("{id}-error"));
    let described_by = format!("{error_id} {hint_id}");
    let invalid = dyn_attr(move || (!error.read().is_empty()).then_some("true"));
    let (own_id, kept) = (id.clone(), value.clone());
    let input = match control {
        Control::Line => view! {
            <input id=own_id name=name type="text" value=value autocomplete="off" spellcheck="false"
                aria-invalid=invalid aria-describedby=described_by />
        }
        .into_any(),
        Control::Suggested(suggestions) => {
            let list = format!("{id}-list");
            view! {
                <input id=own_id name=name type="text" value=value autocomplete="off" spellcheck="false" list=list.clone()
                    aria-invalid=invalid aria-describedby=described_by />
                <datalist id=list>
                    {suggestions.into_iter().map(|value| view! { <option value=value></option> }).collect_view()}
                </datalist>
            }
        }
        .into_any(),
        Control::Number(disabled) => view! {
            <input id=own_id name=name type="text" inputmode="numeric" value=value autocomplete="off" class="field-number"
                disabled=disabled.unwrap_or_else(|| Signal::stored(false))
                aria-invalid=invalid aria-describedby=described_by />
        }
        .into_any(),
        Control::Lines => view! {
            <textarea id=own_id name=name rows="3" autocomplete="off" spellcheck="false"
                aria-invalid=invalid aria-describedby=described_by>{value}</textarea>
        }
        .into_any(),
        Control::Choice(options) => view! {
            <select id=own_id name=name aria-invalid=invalid aria-describedby=described_by>
                {options
                    .into_iter()
                    .map(|(value, label)| {
                        let selected = value == kept;
                        view! { <option value=value selected=selected>{label}</option> }
                    })
                    .collect_view()}
            </select>
        }
        .into_any(),
    };
    view! {
        <div class="field">
            <label for=id>{label}</label>
            <div class="field-line">{input} {beside}</div>
            <p class="field-error" id=error_id>{error}</p>
            <p class="field-hint" id=hint_id>{hint}</p>
        </div>
    }
    .into_any()
}

/// Current value of the field with this name.
pub fn value(form: &HtmlFormElement, name: &str) -> String {
    property(form, &format!("[name={name}]"), "value")
        .and_then(|value| value.as_string())
        .unwrap_or_default()
}

/// Whether the check box with this name is checked.
pub fn is_checked(form: &HtmlFormElement, name: &str) -> bool {
    property(form, &format!("[name={name}]"), "checked").is_some_and(|value| value.is_truthy())
}

/// The value that the form sends for this name. `None` if there is no such field, or if it is a
/// check box or a choice and nothing is checked.
pub fn sent(form: &HtmlFormElement, name: &str) -> Option<String> {
    let selector = format!("[name={name}]:not([type=checkbox],[type=radio]),[name={name}]:checked");
    property(form, &selector, "value")?.as_string()
}

/// `input`, `textarea` and `select` share these properties, but no Rust type.
fn property(form: &HtmlFormElement, selector: &str, property: &str) -> Option<JsValue> {
    let element = form.query_selector(selector).ok()??;
    js_sys::Reflect::get(&element, &property.into()).ok()
}
