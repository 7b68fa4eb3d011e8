//! The history of a session as sentences. The server writes them, so the browser need not support
//! every type of event.

use std::{num::NonZeroU32, sync::Arc};

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use crate::{
    Actor, BatchId, EndReason, Event, EventKind, Timestamp,
    event::{ApplicationChange, FileTransfer, SignInFailure, UserChange},
    format,
};

/// One event in the history of a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Time of the event.
    pub at: Timestamp,
    /// Stable code, [`EventKind::code`].
    pub kind: String,
    /// Name of the person that caused it, if any.
    pub by: Option<Arc<str>>,
    /// Description as a sentence.
    pub text: String,
    /// Note that the administrator entered.
    pub note: Option<Arc<str>>,
    /// Batch that the expire belonged to.
    pub batch: Option<BatchId>,
}

/// The events of one session as entries, in the same order.
pub fn of(events: &[Event]) -> Vec<Entry> {
    let launched = events.iter().find(|event| event.what == EventKind::Launched);
    let launched = launched.map(|event| event.at);
    let entry = |event: &Event| {
        let batch = match &event.what {
            EventKind::Expired { batch, .. } => *batch,
            _ => None,
        };
        let by = match &event.actor {
            Actor::Person { username, .. } => Some(username.clone()),
            Actor::Anonymous { .. } | Actor::Environment | Actor::System => None,
        };
        Entry {
            at: event.at,
            kind: event.what.code().to_owned(),
            text: describe(event, launched),
            by,
            note: note(event).cloned(),
            batch,
        }
    };
    events.iter().map(entry).collect()
}

/// A single event as a sentence.
pub fn sentence(event: &Event) -> String {
    describe(event, None)
}

/// The administrator's note in an event.
pub const fn note(event: &Event) -> Option<&Arc<str>> {
    match &event.what {
        EventKind::Expired { note, .. } | EventKind::BatchExpired { note, .. } => note.as_ref(),
        _ => None,
    }
}

/// One event as a sentence. With the time of the launch, Ready includes the duration of the start.
fn describe(event: &Event, launched: Option<Timestamp>) -> String {
    let by = match &event.actor {
        Actor::Person { username, .. } => format!(" by {username}"),
        Actor::Anonymous { .. } | Actor::Environment | Actor::System => String::new(),
    };
    match &event.what {
        EventKind::Launched => format!("Launched{by}"),
        EventKind::Ready => match launched {
            Some(launched) => format!("Ready in {}", seconds(event.at - launched)),
            None => "Ready".to_owned(),
        },
        EventKind::Failed { error } => format!("Error: {error}"),
        EventKind::Connected => "Connected: a browser tab opened it".to_owned(),
        EventKind::Disconnected => "Tab closed".to_owned(),
        EventKind::Idle => "Tab disconnected by the system because of inactivity".to_owned(),
        EventKind::Expired {
            reason,
            batch,
            blocked_until,
            ..
        } => {
            let blocked = blocked_until.map_or_else(String::new, |until| {
                format!("; no relaunch before {}", format::utc(until))
            });
            let together = if batch.is_some() { ", together with others" } else { "" };
            match reason {
                EndReason::Admin => format!("Expired{by}{together}{blocked}"),
                other => format!("Expired: {}", other.label().to_ascii_lowercase()),
            }
        }
        EventKind::TornDown => "Closed and cleaned up by the environment".to_owned(),
        EventKind::TeardownGivenUp => format!("Cleanup abandoned{by}: something may be left behind"),
        EventKind::Purged => "Removed from the list".to_owned(),
        EventKind::LaunchRefused {
            application,
            reason,
            more,
        } => {
            let of = if application.is_empty() {
                String::new()
            } else {
                format!(" of {application}")
            };
            match more.map(NonZeroU32::get) {
                None => format!("Launch{of} refused: {reason}"),
                Some(1) => format!("Launch{of} refused once more within a minute: {reason}"),
                Some(times) => format!("Launch{of} refused {times} more times within a minute: {reason}"),
            }
        }
        EventKind::BatchExpired { size: 1, .. } => format!("Expire of 1 selected session begun{by}"),
        EventKind::BatchExpired { size, .. } => format!("Expire of {size} sessions together begun{by}"),
        EventKind::ApplicationChanged { name, change, .. } => {
            let how = match change {
                ApplicationChange::Added(_) => "added",
                ApplicationChange::Edited(_) => "edited",
                ApplicationChange::Opened => "opened to launches",
                ApplicationChange::Closed => "closed to launches",
            };
            format!("Application {name} {how}{by}")
        }
        EventKind::EnvironmentChanged {
            name,
            homes: Some(homes),
            ..
        } => format!("Homes of environment {name} changed{by}: {}", homes.words()),
        EventKind::EnvironmentChanged { name, open, .. } => {
            let how = if *open { "opened" } else { "closed" };
            format!("Environment {name} {how} to launches{by}")
        }
        EventKind::FileTransferred {
            transfer, file, bytes, ..
        } => {
            let how = match transfer {
                FileTransfer::Uploaded => "uploaded",
                FileTransfer::Downloaded => "downloaded",
            };
            format!("File {file} ({}) {how}{by}", format::bytes(*bytes))
        }
        EventKind::UserChanged { username, change, .. } => match change {
            UserChange::Added(role) => format!("User {username} added{by}, with the role {role}"),
            UserChange::RoleSet(role) => format!("Role of {username} set to {role}{by}"),
            UserChange::PasswordSet => format!("Password of {username} set{by}"),
            UserChange::Blocked => format!("User {username} blocked{by}"),
            UserChange::Unblocked => format!("User {username} unblocked{by}"),
            UserChange::Removed => format!("User {username} removed{by}"),
            UserChange::LoginsEnded => format!("All sign-ins of {username} ended{by}"),
            UserChange::Unlocked => format!("Sign-in delay of {username} lifted{by}"),
        },
        EventKind::SignedIn => format!("Signed in{by}"),
        EventKind::SignedOut => format!("Signed out{by}"),
        EventKind::SignInFailed { username, cause, count } => {
            let cause = match cause {
                SignInFailure::UnknownUser => "unknown username",
                SignInFailure::WrongPassword => "wrong password",
                SignInFailure::Blocked => "the account is blocked",
                SignInFailure::Throttled => "too many attempts",
                SignInFailure::Superseded => "the account changed during the sign-in",
            };
            let of = username.as_ref().map(|name| format!(" of {name}")).unwrap_or_default();
            let times = if *count > 1 {
                format!(", {count} times")
            } else {
                String::new()
            };
            format!("Sign-in{of} failed{times}: {cause}")
        }
    }
}

/// A duration: `0.3 s` if it is short.
fn seconds(took: TimeDelta) -> String {
    match took.num_milliseconds() {
        0..100 => "less than 0.1 s".to_owned(),
        short @ 100..10_000 => format!("{}.{} s", short / 1000, short % 1000 / 100),
        _ => format::ago(took),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ApplicationId, EnvironmentId, Policy, Role, UserId, catalogue::ApplicationSpec};

    fn at(millis: i64) -> Timestamp {
        Timestamp::default() + TimeDelta::milliseconds(millis)
    }

    fn event(actor: Actor, millis: i64, what: EventKind) -> Event {
        Event {
            at: at(millis),
            session_id: None,
            actor,
            what,
        }
    }

    fn jane() -> Actor {
        Actor::Person {
            user_id: UserId::numbered(1),
            username: "jane".into(),
            origin: None,
        }
    }

    const fn expired(reason: EndReason) -> EventKind {
        EventKind::Expired {
            reason,
            note: None,
            batch: None,
            blocked_until: None,
        }
    }

    #[test]
    fn events_read_as_a_story() {
        for (event, text) in [
            (event(jane(), 0, EventKind::Launched), "Launched by jane"),
            (event(Actor::Environment, 340, EventKind::Ready), "Ready in 0.3 s"),
            (event(Actor::Environment, 72_000, EventKind::Ready), "Ready in 1 min"),
            (event(jane(), 1, expired(EndReason::Admin)), "Expired by jane"),
            (event(jane(), 1, expired(EndReason::User)), "Expired: ended by its user"),
            (event(Actor::System, 1, EventKind::Purged), "Removed from the list"),
        ] {
            assert_eq!(describe(&event, Some(at(0))), text);
        }
    }

    /// All kinds and their sentences.
    fn kinds() -> Vec<(EventKind, &'static str)> {
        let spec = Box::new(ApplicationSpec {
            name: "Terminal".into(),
            launch_text: "Launch".into(),
            environment_id: EnvironmentId::numbered(1),
            command: vec!["xterm".into()],
            seats: None,
            policy: Policy::default(),
            appearance: Default::default(),
        });
        let application = |change| EventKind::ApplicationChanged {
            application_id: ApplicationId::numbered(1),
            name: "Terminal".into(),
            change,
        };
        let environment = |open| EventKind::EnvironmentChanged {
            environment_id: EnvironmentId::numbered(1),
            name: "This host".into(),
            open,
            homes: None,
        };
        let user = |change| EventKind::UserChanged {
            user_id: UserId::numbered(2),
            username: "rita".into(),
            change,
        };
        let failed = |username: Option<&str>, cause, count| EventKind::SignInFailed {
            username: username.map(Into::into),
            cause,
            count,
        };
        let batch = |size| EventKind::BatchExpired {
            batch: BatchId::numbered(1),
            size,
            note: Some("exam".into()),
        };
        let refused = |application: &str, more| EventKind::LaunchRefused {
            application: application.into(),
            reason: "All seats of this application are taken.".into(),
            more: NonZeroU32::new(more),
        };
        let blocked = EventKind::Expired {
            reason: EndReason::Admin,
            note: None,
            batch: Some(BatchId::numbered(1)),
            blocked_until: Some(at(60_000)),
        };
        vec![
            (EventKind::Launched, "Launched by jane"),
            (
                refused("Terminal", 0),
                "Launch of Terminal refused: All seats of this application are taken.",
            ),
            (
                refused("Terminal", 1),
                "Launch of Terminal refused once more within a minute: All seats of this application are taken.",
            ),
            (
                refused("", 353),
                "Launch refused 353 more times within a minute: All seats of this application are taken.",
            ),
            (EventKind::Ready, "Ready"),
            (
                EventKind::Failed {
                    error: "it is gone".into(),
                },
                "Error: it is gone",
            ),
            (EventKind::Connected, "Connected: a browser tab opened it"),
            (EventKind::Disconnected, "Tab closed"),
            (EventKind::Idle, "Tab disconnected by the system because of inactivity"),
            (expired(EndReason::Admin), "Expired by jane"),
            (expired(EndReason::NeverConnected), "Expired: never opened"),
            (
                blocked,
                "Expired by jane, together with others; no relaunch before 1970-01-01 00:01 UTC",
            ),
            (batch(1), "Expire of 1 selected session begun by jane"),
            (batch(12), "Expire of 12 sessions together begun by jane"),
            (EventKind::TornDown, "Closed and cleaned up by the environment"),
            (
                EventKind::TeardownGivenUp,
                "Cleanup abandoned by jane: something may be left behind",
            ),
            (EventKind::Purged, "Removed from the list"),
            (
                application(ApplicationChange::Added(spec.clone())),
                "Application Terminal added by jane",
            ),
            (
                application(ApplicationChange::Edited(spec)),
                "Application Terminal edited by jane",
            ),
            (
                application(ApplicationChange::Opened),
                "Application Terminal opened to launches by jane",
            ),
            (
                application(ApplicationChange::Closed),
                "Application Terminal closed to launches by jane",
            ),
            (environment(true), "Environment This host opened to launches by jane"),
            (environment(false), "Environment This host closed to launches by jane"),
            (
                user(UserChange::Added(Role::Reporter)),
                "User rita added by jane, with the role Reporter",
            ),
            (
                user(UserChange::RoleSet(Role::SystemAdmin)),
                "Role of rita set to System Admin by jane",
            ),
            (user(UserChange::PasswordSet), "Password of rita set by jane"),
            (user(UserChange::Blocked), "User rita blocked by jane"),
            (user(UserChange::Unblocked), "User rita unblocked by jane"),
            (user(UserChange::Removed), "User rita removed by jane"),
            (user(UserChange::LoginsEnded), "All sign-ins of rita ended by jane"),
            (user(UserChange::Unlocked), "Sign-in delay of rita lifted by jane"),
            (EventKind::SignedIn, "Signed in by jane"),
            (EventKind::SignedOut, "Signed out by jane"),
            (
                failed(Some("rita"), SignInFailure::WrongPassword, 1),
                "Sign-in of rita failed: wrong password",
            ),
            (
                failed(None, SignInFailure::UnknownUser, 53),
                "Sign-in failed, 53 times: unknown username",
            ),
        ]
    }

    #[test]
    fn every_kind_of_event_is_a_sentence() {
        for (what, text) in kinds() {
            assert_eq!(sentence(&event(jane(), 1, what)), text);
        }
    }

    #[test]
    fn no_kind_is_forgotten_above() {
        let mut codes: Vec<_> = kinds().iter().map(|(what, _)| what.code()).collect();
        codes.dedup();
        assert_eq!(codes.len(), 18, "{codes:?}");
    }

    #[test]
    fn what_the_system_does_names_nobody() {
        let what = EventKind::UserChanged {
            user_id: UserId::numbered(2),
            username: "rita".into(),
            change: UserChange::Removed,
        };
        assert_eq!(sentence(&event(Actor::System, 1, what)), "User rita removed");
    }
}
