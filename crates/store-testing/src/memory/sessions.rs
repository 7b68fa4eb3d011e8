//! Sessions and the revision.

use async_trait::async_trait;
use session::{Actor, Event, EventKind, Session};
use store::{Changes, Committed, Result, Sessions, StoreError, WriteRequest};

use super::{Memory, State, StoredEvent, batch, event};

#[async_trait]
impl Sessions for Memory {
    async fn load(&self) -> Result<Changes> {
        self.read(|state| Changes {
            revision: state.revision,
            sessions: state.sessions.values().cloned().collect(),
            ..Changes::default()
        })
    }

    async fn changes(&self, after: u64) -> Result<Changes> {
        self.read(|state| changes(state, after))
    }

    async fn revision(&self) -> Result<u64> {
        self.read(|state| state.revision)
    }

    async fn write(&self, batch: &[WriteRequest]) -> Result<Committed> {
        let outcomes = self.record(|state, events| {
            let decide = |request| batch::decide(state, events, request);
            batch.iter().map(decide).collect::<Result<Vec<_>>>()
        })?;
        let revision = self.read(|state| state.revision)?;
        Ok(Committed { revision, outcomes })
    }

    async fn seed(&self, sessions: &[Session]) -> Result<()> {
        for (index, chunk) in sessions.chunks(10_000).enumerate() {
            self.record(|state, events| {
                if index == 0 && !state.sessions.is_empty() {
                    return Err(StoreError::NotEmpty);
                }
                for session in chunk {
                    seed_one(state, events, session);
                }
                Ok(())
            })?;
        }
        Ok(())
    }
}

fn seed_one(state: &mut State, events: &mut Vec<Event>, session: &Session) {
    let version = state.next();
    let session = Session {
        version,
        ..session.clone()
    };
    let by = Actor::Person {
        user_id: session.user_id,
        username: session.username.clone(),
        origin: None,
    };
    events.push(Event {
        session_id: Some(session.id),
        ..event(&by, session.started_at, EventKind::Launched)
    });
    state.sessions.insert(session.id, session);
}

fn changes(state: &State, after: u64) -> Changes {
    let mut sessions: Vec<_> = state
        .sessions
        .values()
        .filter(|session| session.version > after)
        .cloned()
        .collect();
    sessions.sort_by_key(|session| (session.version, session.id));
    let purged = |stored: &&StoredEvent| stored.revision > after && stored.event.what == EventKind::Purged;
    Changes {
        revision: state.revision,
        sessions,
        purged: state
            .events
            .iter()
            .filter(purged)
            .filter_map(|stored| stored.event.session_id)
            .collect(),
        access: state
            .events
            .iter()
            .filter(|stored| stored.revision > after && is_access(&stored.event.what))
            .map(|stored| Event::clone(&stored.event))
            .collect(),
    }
}

const fn is_access(what: &EventKind) -> bool {
    matches!(
        what,
        EventKind::UserChanged { .. }
            | EventKind::SignedOut
            | EventKind::ApplicationChanged { .. }
            | EventKind::EnvironmentChanged { .. }
    )
}
