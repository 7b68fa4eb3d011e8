//! A labelled field of a form, with its hint and, once it is known, what is wrong with it.
//!
//! The form itself hears what is typed and reads it from the document: a field has no handler of its own.

use leptos::prelude::*;
use wasm_bindgen::JsValue;
use web_sys::HtmlFormElement;

use super::dynamic::dyn_attr;

/// How a field is filled in.
pub enum Control {
    /// One line.
    Line,
    /// One line of digits, narrow; `Some` while it can't be filled in.
    Number(Option<Signal<bool>>),
    /// Several lines.
    Lines,
    /// One of these: value and label.
    Choice(Vec<(String, String)>),
}

/// Id of the element with this name.
pub fn id_of(name: &str) -> String {
    format!("field-{name}")
}

/// A field.
#[component]
pub fn Field(
    /// Its name in the form.
    name: &'static str,
    /// What people read.
    label: &'static str,
    /// What it is for, or what may be left out.
    #[prop(optional)]
    hint: &'static str,
    /// What stands in it at first.
    value: String,
    /// How it is filled in.
    control: Control,
    /// What is wrong with it; empty when nothing is.
    error: Signal<String>,
    /// Stands beside it.
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

/// What stands in the field of this name now.
pub fn value(form: &HtmlFormElement, name: &str) -> String {
    property(form, name, "value")
        .and_then(|value| value.as_string())
        .unwrap_or_default()
}

/// Is the check box of this name checked?
pub fn is_checked(form: &HtmlFormElement, name: &str) -> bool {
    property(form, name, "checked").is_some_and(|value| value.is_truthy())
}

/// Inputs, areas and selects have the same properties, but no type in common.
fn property(form: &HtmlFormElement, name: &str, property: &str) -> Option<JsValue> {
    let element = form.query_selector(&format!("[name={name}]")).ok()??;
    js_sys::Reflect::get(&element, &property.into()).ok()
}
