//! The store as a model: the simplest code that does what every store must do. **It forgets
//! everything when it is dropped.**
//!
//! A transaction is a copy of the whole state, which replaces the original at its end. The model
//! shares no decision with the other stores: the life of a session is in [`session::lifecycle`],
//! and everything else is written here once more.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use parking_lot::Mutex;
use session::{Actor, ApplicationId, EnvironmentId, Event, EventKind, Session, SessionId, Timestamp, UserId};
use store::{
    Application, Checkpoint, EnvironmentRow, Hash, Login, Node, OwnApplication, Result, User,
    chain::{self, Link},
    values::{json, micros, number, truncate_to_micros},
};

mod batch;
mod catalogue;
mod cluster;
mod events;
mod logins;
mod people;
mod sessions;

/// The store in memory.
#[derive(Default)]
pub struct Memory {
    state: Mutex<State>,
}

/// Everything that is stored.
#[derive(Clone, Default)]
struct State {
    revision: u64,
    sessions: BTreeMap<SessionId, Session>,
    events: Vec<StoredEvent>,
    users: BTreeMap<UserId, User>,
    /// The number of everybody who was ever added.
    numbers: BTreeMap<UserId, u32>,
    logins: HashMap<[u8; 32], Login>,
    /// The last sign-in of each person from each network.
    networks: BTreeMap<(UserId, Arc<str>), Timestamp>,
    preferences: HashMap<(UserId, String), String>,
    own_applications: BTreeMap<(UserId, ApplicationId), OwnApplication>,
    environments: BTreeMap<EnvironmentId, EnvironmentRow>,
    applications: BTreeMap<ApplicationId, Application>,
    /// Each with the time of its last upload.
    pictures: BTreeMap<[u8; 32], (Timestamp, Vec<u8>)>,
    checkpoints: BTreeMap<u64, Checkpoint>,
    swept: Option<Timestamp>,
    nodes: BTreeMap<Arc<str>, Node>,
}

/// An event with its revision and its hash.
#[derive(Clone)]
struct StoredEvent {
    revision: u64,
    event: Arc<Event>,
    hash: Hash,
}

impl Memory {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn read<T>(&self, read: impl FnOnce(&State) -> T) -> Result<T> {
        Ok(read(&self.state.lock()))
    }

    /// Does all of the work or, if it fails, nothing.
    fn transact<T>(&self, work: impl FnOnce(&mut State) -> Result<T>) -> Result<T> {
        let mut state = self.state.lock();
        let mut next = state.clone();
        let done = work(&mut next)?;
        *state = next;
        Ok(done)
    }

    /// The same, with events: all of them get one new revision. Without events the revision stays.
    fn record<T>(&self, work: impl FnOnce(&mut State, &mut Vec<Event>) -> Result<T>) -> Result<T> {
        self.transact(|state| {
            let mut events = Vec::new();
            let done = work(state, &mut events)?;
            if !events.is_empty() {
                state.revision += 1;
            }
            for event in events {
                state.add(event)?;
            }
            Ok(done)
        })
    }
}

impl State {
    /// The revision of the transaction.
    const fn next(&self) -> u64 {
        self.revision + 1
    }

    fn head(&self) -> Hash {
        self.events.last().map_or(chain::START, |last| last.hash)
    }

    fn add(&mut self, event: Event) -> Result<()> {
        let event = Event {
            at: truncate_to_micros(event.at),
            ..event
        };
        let hash = chained(self.revision, &event)?(&self.head());
        self.events.push(StoredEvent {
            revision: self.revision,
            event: Arc::new(event),
            hash,
        });
        Ok(())
    }
}

fn link<'a>(revision: u64, event: &'a Event, actor: &'a str, what: &'a str) -> Link<'a> {
    Link {
        revision: number(revision),
        session_id: event.session_id,
        at: micros(event.at),
        kind: event.what.code(),
        actor,
        what,
    }
}

fn chained(revision: u64, event: &Event) -> Result<impl Fn(&Hash) -> Hash> {
    let (actor, what) = (json(&event.actor)?, json(&event.what)?);
    Ok(move |previous: &Hash| link(revision, event, &actor, &what).hash(previous))
}

/// An event about no session.
fn event(by: &Actor, at: Timestamp, what: EventKind) -> Event {
    Event {
        at,
        session_id: None,
        actor: by.clone(),
        what,
    }
}
