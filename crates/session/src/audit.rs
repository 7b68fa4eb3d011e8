//! The audit log as administrators read and search it: the Audit page, its export file and the API.

mod columns;
mod query;
mod view;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{Actor, Event, Session, SessionId, Timestamp, timeline};

pub use columns::{Column, Columns};
pub use query::{Field, InvalidQuery, Query};
pub use view::{InvalidView, View};

/// Default number of events on a page.
pub const DEFAULT_LIMIT: u16 = 50;
/// Page sizes to choose from.
pub const LIMITS: [u16; 3] = [50, 100, MAX_LIMIT];
/// Maximum number of events on a page.
pub const MAX_LIMIT: u16 = 200;

/// An event with its position in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Numbered {
    /// Unique event number.
    pub id: u64,
    /// Revision of the log that contains the event.
    pub revision: u64,
    /// The event.
    pub event: Event,
}

/// Start of a list of events. Events are ordered by time, then by number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// At the newest event, going back in time.
    #[default]
    Newest,
    /// Before the event with this number, going back in time.
    Before(u64),
    /// After the event with this number, going forward in time.
    After(u64),
}

/// One event as shown to administrators. The fields are those of the API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Unique event number.
    pub id: u64,
    /// Time of the event.
    pub at: Timestamp,
    /// Stable code, [`crate::EventKind::code`].
    pub kind: String,
    /// Username, `system` or `environment`.
    pub who: Arc<str>,
    /// Description as a sentence.
    pub what: String,
    /// Session; `None` for events about none or about many.
    pub session_id: Option<SessionId>,
    /// Reason that the administrator entered.
    pub reason: Option<Arc<str>>,
    /// Network address of the request.
    pub address: Option<Arc<str>>,
    /// Request id, as in the response's `x-request-id`.
    pub request_id: Option<Arc<str>>,
    /// Revision of the log that contains the event.
    pub revision: u64,
}

impl Entry {
    /// An entry from an event.
    pub fn new(numbered: &Numbered) -> Self {
        let event = &numbered.event;
        let origin = event.actor.origin();
        Self {
            id: numbered.id,
            at: event.at,
            kind: event.what.code().to_owned(),
            who: who(&event.actor),
            what: timeline::sentence(event),
            session_id: event.session_id,
            reason: timeline::note(event).cloned(),
            address: origin.map(|origin| origin.address.clone()),
            request_id: origin.map(|origin| origin.request_id.clone()),
            revision: numbered.revision,
        }
    }
}

/// One event on the Audit page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// The event, as programs receive it.
    pub entry: Entry,
    /// User and application of the session, while it is in the list. Programs request the session.
    pub about: Option<String>,
}

impl Row {
    /// A row from an event and its session, if that is still in the list.
    pub fn new(numbered: &Numbered, session: Option<&Session>) -> Self {
        Self {
            entry: Entry::new(numbered),
            about: session.map(|session| format!("{}, {}", session.username, session.application)),
        }
    }
}

/// The actor's name. Unlike "Ended by", it distinguishes an environment from the system, because an
/// audit is a search for the cause.
fn who(actor: &Actor) -> Arc<str> {
    match actor {
        Actor::Person { username, .. } => username.clone(),
        Actor::Anonymous { .. } => "nobody signed in".into(),
        Actor::Environment => "environment".into(),
        Actor::System => "system".into(),
    }
}

/// One page of the search results.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// The events, newest first.
    pub items: Vec<Row>,
    /// If there are newer events: list those after this number.
    pub newer: Option<u64>,
    /// If there are, or may be, older events: list those before this number.
    pub older: Option<u64>,
    /// Number of matches from here on, as far as counted.
    pub found: u64,
    /// Whether all matches were counted.
    pub counted: bool,
    /// Number of events searched, if the search stopped before it filled the page.
    pub stopped: Option<u64>,
    /// On the newest page: the newest event searched, whether it matched or not. Newer events are
    /// requested with it.
    pub seen: Option<u64>,
}

/// The matching events that are newer than a page.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Newer {
    /// The newest of them, at most as many as a page has, newest first.
    pub items: Vec<Row>,
    /// Number of all of them.
    pub found: u64,
    /// The newest event searched, for the next request.
    pub seen: Option<u64>,
}

/// The API's response.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventList {
    /// The events, newest first.
    pub items: Vec<Entry>,
    /// Number of matches from here on; exact if `counted`, otherwise a lower bound.
    pub found: u64,
    /// Whether `found` is exact.
    pub counted: bool,
    /// Value of `before=` for the next page; `null` on the last page.
    pub next_before: Option<u64>,
}

impl From<Page> for EventList {
    fn from(page: Page) -> Self {
        Self {
            items: page.items.into_iter().map(|row| row.entry).collect(),
            found: page.found,
            counted: page.counted,
            next_before: page.older,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{EventKind, Origin, UserId};

    #[test]
    fn an_entry_says_who_asked_from_where() {
        let actor = Actor::Person {
            user_id: UserId::numbered(1),
            username: "jane".into(),
            origin: Some(Origin {
                address: "192.0.2.7".into(),
                request_id: "r-1".into(),
            }),
        };
        let numbered = |actor| Numbered {
            id: 7,
            revision: 3,
            event: Event {
                at: Timestamp::default(),
                session_id: Some(SessionId::numbered(5)),
                actor,
                what: EventKind::Launched,
            },
        };
        let entry = Entry::new(&numbered(actor));
        let said = (&*entry.who, entry.address.as_deref(), entry.request_id.as_deref());
        assert_eq!(said, ("jane", Some("192.0.2.7"), Some("r-1")));
        assert_eq!(&*Entry::new(&numbered(Actor::System)).who, "system");
        assert_eq!(&*Entry::new(&numbered(Actor::Environment)).who, "environment");
    }
}
