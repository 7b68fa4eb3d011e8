//! What somebody has typed into the form of an application, and whether it can be saved. The browser asks [`check`] while
//! they type, `control` asks it before it writes: one rule, two places.

use std::{num::NonZeroU32, ops::RangeInclusive};

use serde::{Deserialize, Serialize};

use super::{ApplicationSpec, EnvironmentChoice};
use crate::{
    EnvironmentId, Policy, names,
    policy::{Limit, PolicyLimit},
};

/// Longest name, in characters.
pub const MAX_NAME_CHARS: usize = 100;
/// Longest text of a launch button, in characters.
pub const MAX_LAUNCH_TEXT_CHARS: usize = 40;
/// Longest program or argument, in characters.
pub const MAX_WORD_CHARS: usize = 1000;
/// Most arguments.
pub const MAX_ARGUMENTS: usize = 50;
/// Seats that can be set.
pub const SEATS: RangeInclusive<u32> = 1..=100_000;
/// Minutes that a limit can have: up to the year after which every session ends.
pub const MINUTES: RangeInclusive<u32> = 1..=Policy::LONGEST_SECONDS / 60;

/// The form as it was filled in; numbers are text until they are checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApplicationDraft {
    /// Unique name.
    pub name: String,
    /// Text of its launch button; blank = "Launch".
    pub launch_text: String,
    /// Where it runs; `None` = not chosen.
    pub environment_id: Option<EnvironmentId>,
    /// The program.
    pub program: String,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Sessions that may be live at once; blank = no limit.
    pub seats: String,
    /// Minutes of each limit, in the order of [`PolicyLimit::ALL`]; `None` = Off.
    pub limits: [Option<String>; 5],
    /// See [`Policy::allow_user_namespaces`].
    #[serde(default)]
    pub allow_user_namespaces: bool,
}

impl Default for ApplicationDraft {
    fn default() -> Self {
        Self {
            name: String::new(),
            launch_text: "Launch".into(),
            environment_id: None,
            program: String::new(),
            arguments: Vec::new(),
            seats: String::new(),
            limits: minutes(&Policy::default()),
            allow_user_namespaces: false,
        }
    }
}

impl From<&ApplicationSpec> for ApplicationDraft {
    fn from(spec: &ApplicationSpec) -> Self {
        Self {
            name: spec.name.to_string(),
            launch_text: spec.launch_text.to_string(),
            environment_id: Some(spec.environment_id),
            program: spec.command.first().cloned().unwrap_or_default(),
            arguments: spec.command.iter().skip(1).cloned().collect(),
            seats: spec.seats.map(|seats| seats.to_string()).unwrap_or_default(),
            limits: minutes(&spec.policy),
            allow_user_namespaces: spec.policy.allow_user_namespaces,
        }
    }
}

/// A field of the form, in its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// See [`ApplicationDraft::name`].
    Name,
    /// See [`ApplicationDraft::launch_text`].
    LaunchText,
    /// See [`ApplicationDraft::environment_id`].
    Environment,
    /// See [`ApplicationDraft::program`].
    Program,
    /// See [`ApplicationDraft::arguments`].
    Arguments,
    /// See [`ApplicationDraft::seats`].
    Seats,
    /// See [`PolicyLimit::Start`].
    Start,
    /// See [`PolicyLimit::NeverConnected`].
    NeverConnected,
    /// See [`PolicyLimit::Idle`].
    Idle,
    /// See [`PolicyLimit::Disconnected`].
    Disconnected,
    /// See [`PolicyLimit::Total`].
    Total,
    /// See [`ApplicationDraft::allow_user_namespaces`].
    UserNamespaces,
}

impl Field {
    /// Every field, from top to bottom.
    pub const ALL: [Self; 12] = [
        Self::Name,
        Self::LaunchText,
        Self::Environment,
        Self::Program,
        Self::Arguments,
        Self::Seats,
        Self::Start,
        Self::NeverConnected,
        Self::Idle,
        Self::Disconnected,
        Self::Total,
        Self::UserNamespaces,
    ];

    /// Its name in the form and in JSON.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::LaunchText => "launch_text",
            Self::Environment => "environment",
            Self::Program => "program",
            Self::Arguments => "arguments",
            Self::Seats => "seats",
            Self::Start => "start",
            Self::NeverConnected => "never_connected",
            Self::Idle => "idle",
            Self::Disconnected => "disconnected",
            Self::Total => "total",
            Self::UserNamespaces => "user_namespaces",
        }
    }

    /// What people read.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Name => "Name",
            Self::LaunchText => "Launch text",
            Self::Environment => "Environment",
            Self::Program => "Program",
            Self::Arguments => "Arguments",
            Self::Seats => "Seats",
            Self::Start => PolicyLimit::Start.label(),
            Self::NeverConnected => PolicyLimit::NeverConnected.label(),
            Self::Idle => PolicyLimit::Idle.label(),
            Self::Disconnected => PolicyLimit::Disconnected.label(),
            Self::Total => PolicyLimit::Total.label(),
            Self::UserNamespaces => "Allow user namespaces",
        }
    }

    /// The field of a limit.
    pub const fn of(limit: PolicyLimit) -> Self {
        match limit {
            PolicyLimit::Start => Self::Start,
            PolicyLimit::NeverConnected => Self::NeverConnected,
            PolicyLimit::Idle => Self::Idle,
            PolicyLimit::Disconnected => Self::Disconnected,
            PolicyLimit::Total => Self::Total,
        }
    }
}

/// Why a field can't be saved as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// Which.
    pub field: Field,
    /// Why, and what would do.
    pub reason: String,
}

impl FieldError {
    /// An error of one field.
    pub fn new(field: Field, reason: impl Into<String>) -> Self {
        Self {
            field,
            reason: reason.into(),
        }
    }

    /// The name is that of another application.
    pub fn name_taken() -> Self {
        Self::new(Field::Name, "Another application has this name.")
    }

    /// The environment is not, or no longer, there.
    pub fn unknown_environment() -> Self {
        Self::new(Field::Environment, "There is no such environment any more.")
    }
}

/// The application that a draft describes, or what is wrong with each field, from top to bottom. Whether its name is free
/// only the store can tell.
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
    if !launch_text.is_empty() {
        note(Field::LaunchText, visible(launch_text, MAX_LAUNCH_TEXT_CHARS));
    }
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
    })
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

/// A name.
fn visible(name: &str, most: usize) -> Result<(), String> {
    text(name, most)?;
    names::forbidden(name).map_or(Ok(()), |character| Err(names::reason(character)))
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

/// Minutes of each limit; what is not a whole number of them is rounded up.
fn minutes(policy: &Policy) -> [Option<String>; 5] {
    PolicyLimit::ALL.map(|limit| limit.of(policy).map(|seconds| seconds.get().div_ceil(60).to_string()))
}

#[cfg(test)]
mod tests;
