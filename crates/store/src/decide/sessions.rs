//! Sessions outside of a batch: those that end with a change, synthetic ones, and the limits of a
//! purge.

use chrono::TimeDelta;
use session::{
    Actor, EndReason, Event, EventKind, Session, Timestamp,
    lifecycle::{self, KEPT_SECONDS},
};

/// The most sessions that one request removes.
pub const PURGE_AT_ONCE: u32 = 1000;

/// The most synthetic sessions that one transaction adds: a running server must get its turn.
pub const SEEDED_AT_ONCE: usize = 10_000;

/// The latest end of the sessions that are purged at `at`.
pub fn latest_end(at: Timestamp) -> Timestamp {
    at - TimeDelta::seconds(KEPT_SECONDS)
}

/// Ends sessions because of a change, each with its event; the rows get the version `revision`.
pub fn end(sessions: &[Session], reason: EndReason, by: &Actor, at: Timestamp, revision: u64) -> Vec<(Session, Event)> {
    let ended = |session: &Session| {
        // An expire without conditions is never refused for a session that has not ended.
        let done = lifecycle::step(session, lifecycle::Command::expire(reason), by, at).ok()?;
        let event = Event {
            at,
            session_id: Some(session.id),
            actor: by.clone(),
            what: done.event?,
        };
        let session = Session {
            version: revision,
            ..done.session
        };
        Some((session, event))
    };
    sessions.iter().filter_map(ended).collect()
}

/// The event of a synthetic session.
pub fn launched(session: &Session) -> Event {
    Event {
        at: session.started_at,
        session_id: Some(session.id),
        actor: Actor::Person {
            user_id: session.user_id,
            username: session.username.clone(),
            origin: None,
        },
        what: EventKind::Launched,
    }
}
