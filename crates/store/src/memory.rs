//! The store as a model: what every other store has to do, as plainly as it can be said. **It forgets everything when it is
//! dropped**, so it is for tests only.
//!
//! A transaction is a copy of everything that replaces the original at its end. It shares no decision with the others: the life
//! of a session is [`lifecycle`]'s, and everything else is written out here once more.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use async_trait::async_trait;
use parking_lot::Mutex;
use session::{
    Actor, ApplicationId, EnvironmentId, Event, EventKind, Role, Session, SessionId, Timestamp, UserId,
    audit::{Numbered, Place},
    catalogue::{Admission, ApplicationSpec},
    query::fold,
};

use crate::{
    Application, Changes, Checkpoint, Claim, Committed, Edited, EnvironmentRow, EventScan, Head, Login, NewLogin, Node,
    PeerHeartbeats, Result, SignedIn, Store, User, WriteRequest,
    chain::{self, Check, Hash, Link, Verified},
    values::{json, micros, number, truncate_to_micros},
};

mod catalogue;
mod logins;
mod people;
mod sessions;

/// The store in memory.
#[derive(Default)]
pub struct Memory {
    state: Mutex<State>,
}

/// All that is stored.
#[derive(Clone, Default)]
struct State {
    revision: u64,
    sessions: BTreeMap<SessionId, Session>,
    events: Vec<Kept>,
    users: BTreeMap<UserId, User>,
    logins: HashMap<[u8; 32], Login>,
    /// When a person last signed in from a network.
    networks: BTreeMap<(UserId, Arc<str>), Timestamp>,
    preferences: HashMap<(UserId, String), String>,
    environments: BTreeMap<EnvironmentId, EnvironmentRow>,
    applications: BTreeMap<ApplicationId, Application>,
    checkpoints: BTreeMap<u64, Checkpoint>,
    swept: Option<Timestamp>,
    nodes: BTreeMap<Arc<str>, Node>,
}

/// An event as it is stored.
#[derive(Clone)]
struct Kept {
    revision: u64,
    event: Arc<Event>,
    hash: Hash,
}

impl Memory {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    fn read<T>(&self, question: impl FnOnce(&State) -> T) -> Result<T> {
        Ok(question(&self.state.lock()))
    }

    /// Does all of it or, where it fails, nothing.
    fn transact<T>(&self, work: impl FnOnce(&mut State) -> Result<T>) -> Result<T> {
        let mut state = self.state.lock();
        let mut next = state.clone();
        let done = work(&mut next)?;
        *state = next;
        Ok(done)
    }

    /// The same, for what is kept in the log: one revision for all the events of it, and none where there are none.
    fn record<T>(&self, work: impl FnOnce(&mut State, &mut Vec<Event>) -> Result<T>) -> Result<T> {
        self.transact(|state| {
            let mut events = Vec::new();
            let done = work(state, &mut events)?;
            if !events.is_empty() {
                state.revision += 1;
            }
            for event in events {
                state.keep(event)?;
            }
            Ok(done)
        })
    }
}

impl State {
    /// The revision of what is being written.
    const fn next(&self) -> u64 {
        self.revision + 1
    }

    fn head(&self) -> Hash {
        self.events.last().map_or(chain::START, |last| last.hash)
    }

    fn keep(&mut self, event: Event) -> Result<()> {
        let event = Event {
            at: truncate_to_micros(event.at),
            ..event
        };
        let hash = chained(self.revision, &event)?(&self.head());
        self.events.push(Kept {
            revision: self.revision,
            event: Arc::new(event),
            hash,
        });
        Ok(())
    }

    fn scan(&self, scan: &EventScan) -> Vec<Numbered> {
        let kept = |(id, kept): (u64, &Kept)| Numbered {
            id,
            revision: kept.revision,
            event: Event::clone(&kept.event),
        };
        let order = |event: &Numbered| (event.event.at, event.id);
        let mut all: Vec<_> = (1..).zip(&self.events).map(kept).collect();
        all.sort_by_key(order);
        let beside = |id| all.iter().find(|event| event.id == id).map(order);
        let place = match scan.place {
            Place::Newest => None,
            Place::Before(id) | Place::After(id) => Some(beside(id)),
        };
        all.retain(|event| {
            let (is, at) = (order(event), event.event.at);
            let placed = match (scan.place, place) {
                (Place::Before(_), Some(of)) => of.is_some_and(|of| is < of),
                (Place::After(_), Some(of)) => of.is_some_and(|of| is > of),
                _ => true,
            };
            let of_session = scan.session.is_none() || event.event.session_id == scan.session;
            placed && of_session && scan.from.is_none_or(|from| at >= from) && scan.until.is_none_or(|until| at < until)
        });
        if !matches!(scan.place, Place::After(_)) {
            all.reverse();
        }
        all.truncate(scan.limit as usize);
        all
    }

    fn verify(&self, heads: &[Hash]) -> Result<Verified> {
        let mut check = Check::new(heads);
        for (number, kept) in (1..).zip(&self.events) {
            let (actor, what) = (json(&kept.event.actor)?, json(&kept.event.what)?);
            let link = link(kept.revision, &kept.event, &actor, &what);
            check.next(number, &link, &kept.hash);
        }
        Ok(check.end(&self.head()))
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

#[async_trait]
impl Store for Memory {
    async fn load(&self) -> Result<Changes> {
        self.read(|state| Changes {
            revision: state.revision,
            sessions: state.sessions.values().cloned().collect(),
            ..Changes::default()
        })
    }
    async fn changes(&self, after: u64) -> Result<Changes> {
        self.read(|state| sessions::changes(state, after))
    }
    async fn revision(&self) -> Result<u64> {
        self.read(|state| state.revision)
    }
    async fn write(&self, batch: &[WriteRequest]) -> Result<Committed> {
        let outcomes = self.record(|state, events| {
            let decide = |request| sessions::decide(state, events, request);
            batch.iter().map(decide).collect::<Result<Vec<_>>>()
        })?;
        let revision = self.read(|state| state.revision)?;
        Ok(Committed { revision, outcomes })
    }
    async fn events(&self, id: SessionId) -> Result<Vec<Event>> {
        self.read(|state| {
            let of = state.events.iter().filter(|kept| kept.event.session_id == Some(id));
            of.map(|kept| Event::clone(&kept.event)).collect()
        })
    }
    async fn scan_events(&self, scan: &EventScan) -> Result<Vec<Numbered>> {
        self.read(|state| state.scan(scan))
    }
    async fn verify_events(&self, heads: &[Hash]) -> Result<Verified> {
        self.read(|state| state.verify(heads))?
    }
    async fn head(&self) -> Result<Head> {
        self.read(|state| Head {
            number: state.events.len() as u64,
            hash: state.head(),
        })
    }
    async fn event_hash(&self, number: u64) -> Result<Option<Hash>> {
        self.read(|state| {
            let index = usize::try_from(number.checked_sub(1)?).ok()?;
            state.events.get(index).map(|kept| kept.hash)
        })
    }
    async fn add_checkpoint(&self, checkpoint: &Checkpoint) -> Result<()> {
        self.transact(|state| {
            let kept = Checkpoint {
                at: truncate_to_micros(checkpoint.at),
                ..checkpoint.clone()
            };
            state.checkpoints.entry(checkpoint.head.number).or_insert(kept);
            Ok(())
        })
    }
    async fn checkpoints(&self) -> Result<Vec<Checkpoint>> {
        self.read(|state| state.checkpoints.values().cloned().collect())
    }
    async fn claim_sweep(&self, now: Timestamp, interval: chrono::TimeDelta) -> Result<Claim> {
        self.transact(|state| {
            let claim = match state.swept {
                // Also one that is a little late: it was asked before the last one, and came after it.
                Some(last) if now < last + interval && last < now + interval => {
                    return Ok(Claim::Wait(last + interval));
                }
                // The clock was set back.
                Some(last) if now < last => Claim::Wait(now + interval),
                _ => Claim::Granted,
            };
            state.swept = Some(truncate_to_micros(now));
            Ok(claim)
        })
    }
    async fn heartbeat(&self, name: &str, url: &str, report: &str) -> Result<PeerHeartbeats> {
        self.transact(|state| {
            let beats = state.nodes.get(name).map_or(0, |node| node.beats) + 1;
            let node = Node {
                name: name.into(),
                url: url.into(),
                beats,
                report: report.into(),
            };
            state.nodes.insert(name.into(), node);
            Ok(PeerHeartbeats {
                nodes: state.nodes.values().cloned().collect(),
                sweep_granted_at: state.swept,
            })
        })
    }
    async fn seed(&self, sessions: &[Session]) -> Result<()> {
        sessions::seed(self, sessions)
    }

    async fn users(&self) -> Result<Vec<User>> {
        self.read(|state| {
            let mut all: Vec<_> = state.users.values().cloned().collect();
            all.sort_by_key(|user| fold(&user.username));
            all
        })
    }
    async fn user_named(&self, username: &str) -> Result<Option<User>> {
        self.read(|state| people::named(state, username).cloned())
    }
    async fn add_user(&self, user: &User, by: &Actor, at: Timestamp) -> Result<()> {
        self.record(|state, events| people::add(state, events, user, by, at))
    }
    async fn set_role(&self, id: UserId, role: Role, by: &Actor, at: Timestamp) -> Result<()> {
        self.record(|state, events| people::set_role(state, events, id, role, by, at))
    }
    async fn set_password(
        &self,
        id: UserId,
        password_hash: &str,
        must_change: bool,
        by: &Actor,
        at: Timestamp,
    ) -> Result<()> {
        self.record(|state, events| people::set_password(state, events, id, (password_hash, must_change), by, at))
    }
    async fn block_user(&self, id: UserId, blocked: bool, by: &Actor, at: Timestamp) -> Result<()> {
        self.record(|state, events| people::block(state, events, id, blocked, by, at))
    }
    async fn remove_user(&self, id: UserId, by: &Actor, at: Timestamp) -> Result<()> {
        self.record(|state, events| people::remove(state, events, id, by, at))
    }

    async fn add_login(&self, new: &NewLogin) -> Result<bool> {
        self.record(|state, events| logins::add(state, events, new))
    }
    async fn login(&self, token_hash: &[u8; 32]) -> Result<Option<SignedIn>> {
        self.read(|state| logins::signed_in(state, state.logins.get(token_hash)?))
    }
    async fn logins_of(&self, users: &[UserId]) -> Result<Vec<SignedIn>> {
        self.read(|state| {
            let logins = state.logins.values().filter(|login| users.contains(&login.user_id));
            logins.filter_map(|login| logins::signed_in(state, login)).collect()
        })
    }
    async fn touch_logins(&self, used: &[([u8; 32], Timestamp)]) -> Result<()> {
        self.transact(|state| {
            for (token_hash, at) in used {
                if let Some(login) = state.logins.get_mut(token_hash) {
                    login.seen_at = login.seen_at.max(truncate_to_micros(*at));
                }
            }
            Ok(())
        })
    }
    async fn end_login(&self, token_hash: &[u8; 32], by: &Actor, at: Timestamp) -> Result<()> {
        self.record(|state, events| {
            if state.logins.remove(token_hash).is_some() {
                events.push(event(by, at, EventKind::SignedOut));
            }
            Ok(())
        })
    }
    async fn end_logins(&self, id: UserId, by: &Actor, at: Timestamp) -> Result<()> {
        self.record(|state, events| people::end_logins(state, events, id, by, at))
    }
    async fn remove_old_logins(
        &self,
        seen_before: Timestamp,
        created_before: Timestamp,
        networks_before: Timestamp,
    ) -> Result<()> {
        self.transact(|state| {
            let stays = |login: &Login| login.seen_at >= seen_before && login.created_at >= created_before;
            state.logins.retain(|_, login| stays(login));
            state.networks.retain(|_, seen_at| *seen_at >= networks_before);
            Ok(())
        })
    }
    async fn signed_in_from(&self, username: &str, network: &str) -> Result<bool> {
        self.read(|state| {
            people::named(state, username).is_some_and(|user| state.networks.contains_key(&(user.id, network.into())))
        })
    }
    async fn unlock_user(&self, id: UserId, by: &Actor, at: Timestamp) -> Result<()> {
        self.record(|state, events| people::unlock(state, events, id, by, at))
    }
    async fn log_event(&self, event: &Event) -> Result<()> {
        self.record(|_, events| {
            events.push(event.clone());
            Ok(())
        })
    }

    async fn environments(&self) -> Result<Vec<EnvironmentRow>> {
        self.read(|state| {
            let mut all: Vec<_> = state.environments.values().cloned().collect();
            all.sort_by_key(|row| (fold(&row.name), row.id));
            all
        })
    }
    async fn add_environment(&self, row: &EnvironmentRow, by: &Actor, at: Timestamp) -> Result<()> {
        self.record(|state, events| catalogue::add_environment(state, events, row, by, at))
    }
    async fn set_environment_launches(
        &self,
        id: EnvironmentId,
        to: Admission,
        by: &Actor,
        at: Timestamp,
    ) -> Result<bool> {
        self.record(|state, events| catalogue::set_environment_launches(state, events, id, to, by, at))
    }
    async fn applications(&self) -> Result<Vec<Application>> {
        self.read(|state| {
            let mut all: Vec<_> = state.applications.values().cloned().collect();
            all.sort_by_key(|row| (fold(&row.name), row.id));
            all
        })
    }
    async fn add_application(&self, application: &Application, by: &Actor, at: Timestamp) -> Result<()> {
        self.record(|state, events| catalogue::add_application(state, events, application, by, at))
    }
    async fn update_application(
        &self,
        id: ApplicationId,
        seen: &ApplicationSpec,
        wanted: &ApplicationSpec,
        by: &Actor,
        at: Timestamp,
    ) -> Result<Edited> {
        self.record(|state, events| catalogue::update_application(state, events, id, (seen, wanted), by, at))
    }
    async fn set_application_launches(
        &self,
        id: ApplicationId,
        to: Admission,
        by: &Actor,
        at: Timestamp,
    ) -> Result<bool> {
        self.record(|state, events| catalogue::set_application_launches(state, events, id, to, by, at))
    }

    async fn preference(&self, user_id: UserId, name: &str) -> Result<Option<String>> {
        self.read(|state| state.preferences.get(&(user_id, name.to_owned())).cloned())
    }
    async fn set_preference(&self, user_id: UserId, name: &str, value: Option<&str>) -> Result<()> {
        self.transact(|state| {
            let key = (user_id, name.to_owned());
            let Some(value) = value else {
                state.preferences.remove(&key);
                return Ok(());
            };
            people::known(state, user_id)?;
            state.preferences.insert(key, value.to_owned());
            Ok(())
        })
    }
}
