//! The fields of the form of an application: drawn once from a draft, and read back from the document.

use leptos::prelude::*;
use session::{
    catalogue::{
        EnvironmentChoice,
        draft::{ApplicationDraft, Field as Of, FieldError},
    },
    policy::PolicyLimit,
};
use web_sys::HtmlFormElement;

use crate::ui::field::{Control, Field, is_checked, value};

/// What the name of a limit's check box ends with.
const OFF: &str = "_off";

/// All fields, filled in with `from`.
pub fn fields(
    from: &ApplicationDraft,
    environments: &[EnvironmentChoice],
    draft: RwSignal<ApplicationDraft>,
    errors: Signal<Vec<FieldError>>,
) -> AnyView {
    let field = |of: Of, hint: &'static str, value: &str, control: Control| {
        view! {
            <Field name=of.code() label=of.label() hint value=value.to_owned() control error=error_of(errors, of) />
        }
        .into_any()
    };
    let choose = std::iter::once((String::new(), "Choose…".to_owned()));
    let choices = environments
        .iter()
        .map(|environment| (environment.id.to_string(), environment.name.to_string()));
    let chosen = from.environment_id.map(|id| id.to_string()).unwrap_or_default();
    let limits = PolicyLimit::ALL
        .map(|limit| limit_field(limit, from, draft, errors))
        .collect_view();
    view! {
        {field(Of::Name, "As people see it on My apps.", &from.name, Control::Line)}
        {field(Of::LaunchText, "Of its button. “Launch” when left empty.", &from.launch_text, Control::Line)}
        {field(Of::Environment, "", &chosen, Control::Choice(choose.chain(choices).collect()))}
        {field(Of::Program, "Name or path, as it is installed in the environment.", &from.program, Control::Line)}
        {field(Of::Arguments, "One on each line. They reach the program as they are; no shell reads them.", &from.arguments.join("\n"), Control::Lines)}
        {field(Of::Seats, "Sessions that may be live at once. No limit when left empty.", &from.seats, Control::Number(None))}
        <fieldset class="limits">
            <legend>"Session limits, in minutes"</legend>
            {limits}
        </fieldset>
    }
    .into_any()
}

/// Minutes, or Off.
fn limit_field(
    limit: PolicyLimit,
    from: &ApplicationDraft,
    draft: RwSignal<ApplicationDraft>,
    errors: Signal<Vec<FieldError>>,
) -> AnyView {
    let of = Of::of(limit);
    let minutes = from.limits[limit as usize].clone();
    let off = Signal::derive(move || draft.read().limits[limit as usize].is_none());
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
            error=error_of(errors, of)
            beside=beside.into_any()
        />
    }
    .into_any()
}

fn error_of(errors: Signal<Vec<FieldError>>, of: Of) -> Signal<Option<String>> {
    let error = Memo::new(move |_| {
        let errors = errors.read();
        let wrong = errors.iter().find(|wrong| wrong.field == of);
        wrong.map(|wrong| wrong.reason.clone())
    });
    error.into()
}

/// What stands in the fields now.
pub fn read(form: &HtmlFormElement) -> ApplicationDraft {
    let text = |of: Of| value(form, of.code());
    ApplicationDraft {
        name: text(Of::Name),
        launch_text: text(Of::LaunchText),
        environment_id: text(Of::Environment).parse().ok(),
        program: text(Of::Program),
        arguments: text(Of::Arguments)
            .lines()
            .filter(|line| !line.trim().is_empty())
            .map(str::to_owned)
            .collect(),
        seats: text(Of::Seats),
        limits: PolicyLimit::ALL.map(|limit| {
            let of = Of::of(limit);
            let off = is_checked(form, &format!("{}{OFF}", of.code()));
            (!off).then(|| text(of))
        }),
    }
}

/// The field that an element of the form belongs to, by its name.
pub fn field_named(name: &str) -> Option<Of> {
    let name = name.strip_suffix(OFF).unwrap_or(name);
    Of::ALL.into_iter().find(|of| of.code() == name)
}
