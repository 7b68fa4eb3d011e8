//! The log of everything that happened, as administrators read and search it: the Audit page, its file and the API.

mod query;
mod view;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{Actor, Event, Session, SessionId, Timestamp, timeline};

pub use query::{Field, Query};
pub use view::View;

/// Events of a page unless asked otherwise.
pub const DEFAULT_LIMIT: u16 = 50;
/// Choices of how many events a page has. The last is the most that one answer holds.
pub const LIMITS: [u16; 3] = [50, 100, 200];

/// An event with its place in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Numbered {
    /// Its number; none is given twice.
    pub id: u64,
    /// The log's revision that it belongs to.
    pub revision: u64,
    /// The event.
    pub event: Event,
}

/// Where a list of events starts. The order is by time, and by number where that is the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Place {
    /// At the newest one, going back in time.
    #[default]
    Newest,
    /// Before the event of this number, going back in time.
    Before(u64),
    /// After the event of this number, going forward in time.
    After(u64),
}

/// One event as it is shown. The fields are those of the API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its number.
    pub id: u64,
    /// When.
    pub at: Timestamp,
    /// The word for programs: [`crate::EventKind::code`].
    pub kind: String,
    /// Username, `system` or `environment`.
    pub who: Arc<str>,
    /// What happened, in words.
    pub what: String,
    /// Which session; `None` where it is about none or about many.
    pub session_id: Option<SessionId>,
    /// What the administrator wrote.
    pub reason: Option<Arc<str>>,
    /// Where the request came from.
    pub address: Option<Arc<str>>,
    /// The request, as its answer named it.
    pub request_id: Option<Arc<str>>,
    /// The log's revision that it belongs to.
    pub revision: u64,
    /// User and application of the session, while it is in the list. For people: programs ask for the session.
    #[serde(skip)]
    pub about: Option<String>,
}

impl Entry {
    /// An event, and its session while that is in the list.
    pub fn new(numbered: &Numbered, session: Option<&Session>) -> Self {
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
            about: session.map(|session| format!("{}, {}", session.username, session.application)),
        }
    }
}

/// Who did it. Unlike "Ended by" it tells an environment from the system: here one looks for the cause.
fn who(actor: &Actor) -> Arc<str> {
    match actor {
        Actor::Person { username, .. } => username.clone(),
        Actor::Anonymous { .. } => "nobody signed in".into(),
        Actor::Environment => "environment".into(),
        Actor::System => "system".into(),
    }
}

/// A part of what a search found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The events, newest first.
    pub items: Vec<Entry>,
    /// There are newer ones: they come after this number.
    pub newer: Option<u64>,
    /// There are older ones, or may be: they come before this number.
    pub older: Option<u64>,
    /// How many were found from here on, as far as was counted.
    pub found: u64,
    /// Were all counted?
    pub counted: bool,
    /// So many events were searched without filling the page, and then no more.
    pub stopped: Option<u64>,
}

/// What the API answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventList {
    /// The events, newest first.
    pub items: Vec<Entry>,
    /// How many were found from here on; exact if `counted`, else at least so many.
    pub found: u64,
    /// Is `found` exact?
    pub counted: bool,
    /// Ask for the next ones with `before=` this; `null` = there are no more.
    pub next_before: Option<u64>,
}

impl From<Page> for EventList {
    fn from(page: Page) -> Self {
        Self {
            items: page.items,
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
        let entry = Entry::new(&numbered(actor), None);
        let said = (&*entry.who, entry.address.as_deref(), entry.request_id.as_deref());
        assert_eq!(said, ("jane", Some("192.0.2.7"), Some("r-1")));
        assert_eq!(&*Entry::new(&numbered(Actor::System), None).who, "system");
        assert_eq!(&*Entry::new(&numbered(Actor::Environment), None).who, "environment");
    }
}
