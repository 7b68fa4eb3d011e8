//! The draft of an application and its validation. The browser calls [`check`] while the person
//! types, `control` calls it before writing, so both apply the same rules.

mod field;

use std::{num::NonZeroU32, ops::RangeInclusive};

use serde::{Deserialize, Serialize};

pub use self::field::Field;
use super::{
    ApplicationSpec, EnvironmentChoice,
    appearance::{Appearance, is_icon},
};
use crate::{
    EnvironmentId, Policy, Transfer, names,
    policy::{Limit, PolicyLimit},
};

/// Maximum length of a name, in characters.
pub const MAX_NAME_CHARS: usize = 100;
/// Maximum length of a description, in characters.
pub const MAX_DESCRIPTION_CHARS: usize = 200;
/// Maximum length of a category, in characters.
pub const MAX_CATEGORY_CHARS: usize = 40;
/// Maximum length of a launch button's text, in characters.
pub const MAX_LAUNCH_TEXT_CHARS: usize = 40;
/// Maximum length of the program or an argument, in characters.
pub const MAX_WORD_CHARS: usize = 1000;
/// Maximum number of arguments.
pub const MAX_ARGUMENTS: usize = 50;
/// Valid numbers of seats.
pub const SEATS: RangeInclusive<u32> = 1..=100_000;
/// Valid minutes of a limit. The maximum is one year, because every session ends by then.
pub const MINUTES: RangeInclusive<u32> = 1..=Policy::LONGEST_SECONDS / 60;

/// The form's values; numbers are text until validation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApplicationDraft {
    /// Unique name, at most [`MAX_NAME_CHARS`].
    pub name: String,
    /// One or two sentences about it; blank = none.
    #[serde(default)]
    pub description: String,
    /// Heading on My apps; blank = none.
    #[serde(default)]
    pub category: String,
    /// See [`Appearance::icon`]; blank = none.
    #[serde(default)]
    pub icon: String,
    /// Text of the launch button; blank = "Launch".
    pub launch_text: String,
    /// Environment that runs it; `None` = not chosen.
    pub environment_id: Option<EnvironmentId>,
    /// Program to run, without its arguments.
    pub program: String,
    /// Arguments of the program.
    pub arguments: Vec<String>,
    /// Maximum number of live sessions; blank = unlimited.
    pub seats: String,
    /// Minutes of each limit, in the order of [`PolicyLimit::ALL`]; `None` = Off.
    pub limits: [Option<String>; 5],
    /// See [`Policy::allow_user_namespaces`].
    #[serde(default)]
    pub allow_user_namespaces: bool,
    /// See [`Policy::clipboard`].
    #[serde(default)]
    pub clipboard: Transfer,
    /// See [`Policy::files`].
    #[serde(default)]
    pub files: Transfer,
    /// See [`Policy::sound`].
    #[serde(default = "crate::policy::allowed")]
    pub sound: bool,
}

impl Default for ApplicationDraft {
    fn default() -> Self {
        Self {
            name: String::new(),
            description: String::new(),
            category: String::new(),
            icon: String::new(),
            launch_text: "Launch".into(),
            environment_id: None,
            program: String::new(),
            arguments: Vec::new(),
            seats: String::new(),
            limits: minutes(&Policy::default()),
            allow_user_namespaces: false,
            clipboard: Transfer::default(),
            files: Transfer::default(),
            sound: true,
        }
    }
}

impl From<&ApplicationSpec> for ApplicationDraft {
    fn from(spec: &ApplicationSpec) -> Self {
        Self {
            name: spec.name.to_string(),
            description: spec.appearance.description.to_string(),
            category: spec.appearance.category.to_string(),
            icon: spec.appearance.icon.as_deref().unwrap_or_default().to_owned(),
            launch_text: spec.launch_text.to_string(),
            environment_id: Some(spec.environment_id),
            program: spec.command.first().cloned().unwrap_or_default(),
            arguments: spec.command.iter().skip(1).cloned().collect(),
            seats: spec.seats.map(|seats| seats.to_string()).unwrap_or_default(),
            limits: minutes(&spec.policy),
            allow_user_namespaces: spec.policy.allow_user_namespaces,
            clipboard: spec.policy.clipboard,
            files: spec.policy.files,
            sound: spec.policy.sound,
        }
    }
}

/// Validation error of a field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// Field that shows the reason.
    pub field: Field,
    /// Explanation, including the valid values.
    pub reason: String,
}

impl FieldError {
    /// An error at a field.
    pub fn new(field: Field, reason: impl Into<String>) -> Self {
        Self {
            field,
            reason: reason.into(),
        }
    }

    /// The error for a name that another application has.
    pub fn name_taken() -> Self {
        Self::new(Field::Name, "Another application has this name.")
    }

    /// The error for an uploaded picture that does not exist, or no longer exists.
    pub fn unknown_icon() -> Self {
        Self::new(Field::Icon, "The server doesn’t have this picture. Upload it again.")
    }

    /// The error for an environment that does not exist, or no longer exists.
    pub fn unknown_environment() -> Self {
        Self::new(Field::Environment, "There is no such environment any more.")
    }
}

/// Validates a draft: returns the application, or the errors from top to bottom. Only the store can
/// check that the name is unique.
pub fn check(draft: &ApplicationDraft, environments: &[EnvironmentChoice]) -> Result<ApplicationSpec, Vec<FieldError>> {
    let (name, launch_text, program) = (draft.name.trim(), draft.launch_text.trim(), draft.program.trim());
    let limits = PolicyLimit::ALL.map(|limit| (Field::of(limit), limit_of(&draft.limits[limit as usize])));
    let seats = seats(draft.seats.trim());
    let environment = match draft.environment_id {
        None => Err("Choose where it runs.".to_owned()),
        Some(id) if environments.iter().any(|known| known.id == id) => Ok(id),
        Some(_) => Err(FieldError::unknown_environment().reason),
    };

    let mut errors = Vec::new();
    let mut note = |field, why: Result<(), String>| errors.extend(why.err().map(|why| FieldError::new(field, why)));
    note(Field::Name, visible(name, MAX_NAME_CHARS));
    let appearance = appearance(draft, &mut note);
    note(Field::LaunchText, optional(launch_text, MAX_LAUNCH_TEXT_CHARS));
    note(Field::Environment, environment.clone().map(drop));
    note(Field::Program, text(program, MAX_WORD_CHARS));
    note(Field::Arguments, arguments(&draft.arguments));
    note(Field::Seats, seats.clone().map(drop));
    for (field, limit) in &limits {
        note(*field, limit.clone().map(drop));
    }

    let (Ok(environment_id), Ok(seats), true) = (environment, seats, errors.is_empty()) else {
        return Err(errors);
    };
    let mut policy = Policy {
        allow_user_namespaces: draft.allow_user_namespaces,
        clipboard: draft.clipboard,
        files: draft.files,
        sound: draft.sound,
        ..Policy::default()
    };
    for (limit, (_, set)) in PolicyLimit::ALL.into_iter().zip(limits) {
        limit.set(&mut policy, set.unwrap_or_default());
    }
    Ok(ApplicationSpec {
        name: name.into(),
        launch_text: if launch_text.is_empty() { "Launch" } else { launch_text }.into(),
        environment_id,
        command: std::iter::once(program.to_owned())
            .chain(draft.arguments.iter().cloned())
            .collect(),
        seats,
        policy,
        appearance,
    })
}

fn appearance(draft: &ApplicationDraft, note: &mut impl FnMut(Field, Result<(), String>)) -> Appearance {
    let (description, category, icon) = (draft.description.trim(), draft.category.trim(), draft.icon.trim());
    note(Field::Description, optional(description, MAX_DESCRIPTION_CHARS));
    note(Field::Category, optional(category, MAX_CATEGORY_CHARS));
    if !icon.is_empty() && !is_icon(icon) {
        note(Field::Icon, Err("Choose one of the icons, or upload a picture.".into()));
    }
    Appearance {
        description: description.into(),
        category: category.into(),
        icon: (!icon.is_empty()).then(|| icon.into()),
    }
}

fn text(text: &str, most: usize) -> Result<(), String> {
    let chars = text.chars().count();
    if chars == 0 {
        Err("This can’t be empty.".into())
    } else if chars > most {
        Err(format!("At most {most} characters; it has {chars}."))
    } else if text.chars().any(char::is_control) {
        Err("No line breaks or control characters.".into())
    } else {
        Ok(())
    }
}

/// Validates a name.
fn visible(name: &str, most: usize) -> Result<(), String> {
    text(name, most)?;
    names::forbidden(name).map_or(Ok(()), |character| Err(names::reason(character)))
}

/// Validates a text that may be empty.
fn optional(text: &str, most: usize) -> Result<(), String> {
    if text.is_empty() { Ok(()) } else { visible(text, most) }
}

fn arguments(arguments: &[String]) -> Result<(), String> {
    if arguments.len() > MAX_ARGUMENTS {
        return Err(format!(
            "At most {MAX_ARGUMENTS} arguments; there are {}.",
            arguments.len()
        ));
    }
    for (at, argument) in arguments.iter().enumerate() {
        text(argument, MAX_WORD_CHARS).map_err(|why| format!("Argument {}: {why}", at + 1))?;
    }
    Ok(())
}

fn seats(text: &str) -> Result<Option<u32>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let (least, most) = (SEATS.start(), SEATS.end());
    whole(text, &SEATS)
        .map(Some)
        .ok_or_else(|| format!("A whole number from {least} to {most}, or nothing for no limit."))
}

fn limit_of(minutes: &Option<String>) -> Result<Limit, String> {
    let Some(text) = minutes else { return Ok(None) };
    let (least, most) = (MINUTES.start(), MINUTES.end());
    whole(text.trim(), &MINUTES)
        .map(|minutes| NonZeroU32::new(minutes * 60))
        .ok_or_else(|| format!("Whole minutes from {least} to {most} (a year), or Off."))
}

fn whole(text: &str, range: &RangeInclusive<u32>) -> Option<u32> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|number| digits && range.contains(number))
}

/// Minutes of each limit, rounded up.
fn minutes(policy: &Policy) -> [Option<String>; 5] {
    PolicyLimit::ALL.map(|limit| limit.of(policy).map(|seconds| seconds.get().div_ceil(60).to_string()))
}

#[cfg(test)]
mod tests;
