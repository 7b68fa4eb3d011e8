//! The fields of an application's form: rendered once from a draft, then read back from the
//! document.

use std::sync::Arc;

use leptos::prelude::*;
use session::{
    Transfer,
    catalogue::{
        EnvironmentChoice,
        draft::{ApplicationDraft, Field as Of, FieldError, check},
        form::{OFF, draft},
    },
    policy::PolicyLimit,
};
use web_sys::HtmlFormElement;

use super::icon_field;
use crate::ui::{
    dynamic::{dyn_flag, dyn_text},
    field::{Control, Field, id_of, sent},
    time::is_alive,
};

/// The form's values and validation errors.
pub struct FormState {
    /// Current values, as typed.
    pub draft: ApplicationDraft,
    /// Environments to choose from.
    pub environments: Vec<EnvironmentChoice>,
    /// Categories to choose from.
    pub categories: Vec<Arc<str>>,
    /// Touched fields (all, after the first attempt to save). Only these show errors.
    pub touched: Vec<Of>,
    /// Whether an upload runs. A save would lose its picture.
    pub uploading: bool,
    /// Errors from the server. Editing a field removes its error.
    pub refused: Vec<FieldError>,
}

impl FormState {
    /// All errors, in the order of the fields.
    pub fn wrong(&self) -> Vec<FieldError> {
        let mut wrong = check(&self.draft, &self.environments).err().unwrap_or_default();
        wrong.extend(self.refused.iter().cloned());
        wrong
    }

    /// The error to show at a field; empty if none.
    fn reason(&self, of: Of) -> String {
        let reason = |wrong: FieldError| (wrong.field == of).then_some(wrong.reason);
        let touched = self.touched.contains(&of);
        touched
            .then(|| self.wrong().into_iter().find_map(reason))
            .flatten()
            .unwrap_or_default()
    }
}

/// All fields, with the values of `from`.
pub fn fields(from: &ApplicationDraft, typed: RwSignal<FormState>) -> AnyView {
    let error_of = move |of| dyn_text(move || typed.read().reason(of));
    let field = |of: Of, hint: &'static str, value: &str, control: Control| {
        view! {
            <Field name=of.code() label=of.label() hint value=value.to_owned() control error=error_of(of) />
        }
        .into_any()
    };
    let choose = std::iter::once((String::new(), "Choose…".to_owned()));
    let known = typed.read_untracked();
    let categories = known.categories.iter().map(ToString::to_string).collect();
    let choices = known
        .environments
        .iter()
        .map(|environment| (environment.id.to_string(), environment.name.to_string()));
    let chosen = from.environment_id.map(|id| id.to_string()).unwrap_or_default();
    let limits = PolicyLimit::ALL
        .map(|limit| limit_field(limit, from, typed, error_of(Of::of(limit))))
        .collect_view();
    view! {
        {field(Of::Name, "The name that people see on My apps.", &from.name, Control::Line)}
        {field(Of::Description, "One or two sentences on My apps, at most 200 characters.", &from.description, Control::Line)}
        {field(Of::Category, "A heading on My apps. Choose one of the list, or type a new one.", &from.category, Control::Suggested(categories))}
        {icon_field::icon_field(from, typed, error_of(Of::Icon))}
        {field(Of::LaunchText, "Text on the button. Defaults to “Launch”.", &from.launch_text, Control::Line)}
        {field(Of::Environment, "", &chosen, Control::Choice(choose.chain(choices).collect()))}
        {field(Of::Program, "Name or path of the program in the environment.", &from.program, Control::Line)}
        {field(Of::Arguments, "One per line, passed as is (no shell).", &from.arguments.join("\n"), Control::Lines)}
        {field(Of::Seats, "How many sessions may be live at once. Leave empty for no limit.", &from.seats, Control::Number(None))}
        <fieldset class="limits">
            <legend>"Session limits, in minutes"</legend>
            {limits}
        </fieldset>
        <label class="field-check">
            <input
                type="checkbox"
                name=Of::UserNamespaces.code()
                id=id_of(Of::UserNamespaces.code())
                checked=from.allow_user_namespaces
            />
            "Allow user namespaces (web browsers need them for their own sandbox)"
        </label>
        <label class="field-check">
            <input type="checkbox" name=Of::Sound.code() id=id_of(Of::Sound.code()) checked=from.sound />
            "Allow sound"
        </label>
        {field(Of::Clipboard, "Copy and paste between the session and the user’s device.", from.clipboard.code(), Control::Choice(transfers()))}
        {field(Of::Files, "Uploads and downloads of the user while a session is live.", from.files.code(), Control::Choice(transfers()))}
    }
    .into_any()
}

/// The choices of a field with directions.
fn transfers() -> Vec<(String, String)> {
    Transfer::ALL
        .map(|transfer| (transfer.code().to_owned(), transfer.label().to_owned()))
        .into()
}

/// A limit in minutes, with a check box for Off.
fn limit_field(
    limit: PolicyLimit,
    from: &ApplicationDraft,
    typed: RwSignal<FormState>,
    error: Signal<String>,
) -> AnyView {
    let of = Of::of(limit);
    let minutes = from.limits[limit as usize].clone();
    // Without JavaScript nothing would enable the field again.
    let alive = is_alive();
    let off = dyn_flag(move || alive.get() && typed.read().draft.limits[limit as usize].is_none());
    let beside = view! {
        <label class="field-check">
            <input
                type="checkbox"
                name=format!("{}{OFF}", of.code())
                aria-label=format!("{}: Off", limit.label())
                checked=minutes.is_none()
            />
            "Off"
        </label>
    };
    view! {
        <Field
            name=of.code()
            label=limit.label()
            hint=limit.description()
            value=minutes.unwrap_or_default()
            control=Control::Number(Some(off))
            error
            beside=beside.into_any()
        />
    }
    .into_any()
}

/// The current values of the fields.
pub fn read(form: &HtmlFormElement) -> ApplicationDraft {
    draft(|name| sent(form, name))
}

/// The field that an element of the form belongs to, by the element's name.
pub fn field_named(name: &str) -> Option<Of> {
    let name = name.strip_suffix(OFF).unwrap_or(name);
    Of::ALL.into_iter().find(|of| of.code() == name)
}
