//! What happened to a session, as people read it. The server writes the words: the browser need not know every kind of event.

use std::sync::Arc;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use crate::{Actor, BatchId, EndReason, Event, EventKind, Timestamp, format};

/// One moment in the life of a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When.
    pub at: Timestamp,
    /// The event's word for programs: [`EventKind::code`].
    pub kind: String,
    /// The person who did it, if it was one.
    pub by: Option<Arc<str>>,
    /// What happened, in words.
    pub text: String,
    /// What the administrator wrote.
    pub note: Option<Arc<str>>,
    /// The batch that the session was expired in.
    pub batch: Option<BatchId>,
}

/// The events of one session, in their order, as entries.
pub fn of(events: &[Event]) -> Vec<Entry> {
    let launched = events.iter().find(|event| event.what == EventKind::Launched);
    let launched = launched.map(|event| event.at);
    let entry = |event: &Event| {
        let (note, batch) = match &event.what {
            EventKind::Expired { note, batch, .. } => (note.clone(), *batch),
            _ => (None, None),
        };
        let by = match &event.actor {
            Actor::Person { username, .. } => Some(username.clone()),
            Actor::Environment | Actor::System => None,
        };
        Entry {
            at: event.at,
            kind: event.what.code().to_owned(),
            text: said(event, launched),
            by,
            note,
            batch,
        }
    };
    events.iter().map(entry).collect()
}

/// One event in words.
fn said(event: &Event, launched: Option<Timestamp>) -> String {
    let by = match &event.actor {
        Actor::Person { username, .. } => format!(" by {username}"),
        Actor::Environment | Actor::System => String::new(),
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
        EventKind::Idle => "Tab closed by the system: nobody used it for too long".to_owned(),
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
        EventKind::TornDown => "Closed by the environment: nothing of it is left".to_owned(),
        EventKind::TeardownGivenUp => format!("Cleanup given up{by}: something of it may be left in the environment"),
        EventKind::Purged => "Removed from the list".to_owned(),
        other => other.code().replace('_', " "),
    }
}

/// `0.3 s` while it is short.
fn seconds(took: TimeDelta) -> String {
    match took.num_milliseconds() {
        short @ 0..10_000 => format!("{}.{} s", short / 1000, short % 1000 / 100),
        _ => format::ago(took),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_read_as_a_story() {
        let at = |millis| Timestamp::default() + TimeDelta::milliseconds(millis);
        let event = |actor, millis, what| Event {
            at: at(millis),
            session_id: None,
            actor,
            what,
        };
        let jane = Actor::Person {
            user_id: crate::UserId(uuid::Uuid::nil()),
            username: "jane".into(),
            origin: None,
        };
        let expired = |reason| EventKind::Expired {
            reason,
            note: None,
            batch: None,
            blocked_until: None,
        };
        for (event, text) in [
            (event(jane.clone(), 0, EventKind::Launched), "Launched by jane"),
            (event(Actor::Environment, 340, EventKind::Ready), "Ready in 0.3 s"),
            (event(Actor::Environment, 72_000, EventKind::Ready), "Ready in 1 min"),
            (event(jane.clone(), 1, expired(EndReason::Admin)), "Expired by jane"),
            (event(jane, 1, expired(EndReason::User)), "Expired: ended by its user"),
            (event(Actor::System, 1, EventKind::Purged), "Removed from the list"),
        ] {
            assert_eq!(said(&event, Some(at(0))), text);
        }
    }
}
