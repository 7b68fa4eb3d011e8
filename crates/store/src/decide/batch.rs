//! The decisions of a batch, one request after the other, each on the result of those before it.
//! The rows come from the database for the whole batch at once ([`Reads`](super::reads::Reads)), so
//! a batch costs few round trips.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    num::NonZeroU32,
    sync::Arc,
};

use session::{
    Actor, ApplicationId, BatchId, Event, EventKind, Origin, Session, SessionId, Status, Teardown, Timestamp, UserId,
    lifecycle,
};

use super::reads::{Launchable, LoadedRows, Pair};
use crate::{LaunchRefusal, Start, User, WriteOutcome, WriteRequest, values::truncate_to_micros};

/// Rows to write.
pub struct Rows {
    /// New sessions.
    pub added: Vec<Session>,
    /// Sessions that existed before, as they are now.
    pub changed: Vec<Session>,
}

/// A batch that is being decided.
pub struct Batch {
    revision: u64,
    users: HashMap<UserId, User>,
    launchable: HashMap<ApplicationId, Launchable>,
    sessions: HashMap<SessionId, Session>,
    live: BTreeMap<Pair, BTreeSet<(Timestamp, SessionId)>>,
    taken: HashMap<ApplicationId, i64>,
    held: HashMap<UserId, i64>,
    blocked: HashMap<Pair, Timestamp>,
    noted: HashSet<BatchId>,
    /// Not a set: the database itself must refuse an id that is used twice.
    added: Vec<SessionId>,
    changed: BTreeSet<SessionId>,
    /// The events of the batch, in order.
    pub events: Vec<Event>,
}

impl Batch {
    /// An empty batch. Everything that it writes gets the version `revision`.
    pub fn new(revision: u64) -> Self {
        Self {
            revision,
            users: HashMap::new(),
            launchable: HashMap::new(),
            sessions: HashMap::new(),
            live: BTreeMap::new(),
            taken: HashMap::new(),
            held: HashMap::new(),
            blocked: HashMap::new(),
            noted: HashSet::new(),
            added: Vec::new(),
            changed: BTreeSet::new(),
            events: Vec::new(),
        }
    }

    /// Replaces the loaded rows. Write everything decided so far first ([`Batch::rows`]).
    pub fn load(&mut self, rows: LoadedRows) {
        self.users = rows.users.into_iter().map(|user| (user.id, user)).collect();
        let by_id = |found: Launchable| (found.application.id, found);
        self.launchable = rows.launchable.into_iter().map(by_id).collect();
        self.taken = rows.taken;
        self.held = rows.held;
        self.blocked = rows.blocked;
        // Events are written last, so the database does not have those of this batch yet.
        self.noted.extend(rows.noted);
        self.sessions.clear();
        self.live.clear();
        for session in rows.sessions {
            if session.status.is_live() {
                let pair = (session.user_id, session.application_id);
                let place = (session.started_at, session.id);
                self.live.entry(pair).or_default().insert(place);
            }
            self.sessions.insert(session.id, session);
        }
    }

    /// Decides one request. The database answers [`WriteRequest::Purge`] and reports the result to
    /// [`Batch::purged`].
    pub fn decide(&mut self, request: &WriteRequest) -> WriteOutcome {
        match request {
            WriteRequest::Launch { at, .. } => self.launch(request, truncate_to_micros(*at)),
            WriteRequest::RecordRefusal {
                user_id,
                application_id,
                refusal,
                more,
                origin,
                at,
            } => {
                let actor = self.actor(*user_id, origin.as_ref());
                let what = EventKind::LaunchRefused {
                    application: application_id.map_or_else(|| "".into(), |id| self.name(id)),
                    reason: refusal.sentence().as_ref().into(),
                    more: *more,
                };
                self.log(truncate_to_micros(*at), None, actor, what);
                WriteOutcome::Noted
            }
            WriteRequest::Step {
                session_id,
                command,
                by,
                at,
            } => self.step(*session_id, command, by, truncate_to_micros(*at)),
            WriteRequest::Batch {
                batch,
                size,
                note,
                by,
                at,
            } => {
                if self.noted.insert(*batch) {
                    let what = EventKind::BatchExpired {
                        batch: *batch,
                        size: *size,
                        note: note.clone(),
                    };
                    self.log(truncate_to_micros(*at), None, by.clone(), what);
                }
                WriteOutcome::Noted
            }
            WriteRequest::Purge { .. } => WriteOutcome::Purged(Vec::new()),
        }
    }

    /// Logs that the database removed these sessions.
    pub fn purged(&mut self, mut ids: Vec<SessionId>, at: Timestamp) -> WriteOutcome {
        // A database returns them in any order.
        ids.sort_unstable();
        for id in &ids {
            self.sessions.remove(id);
            self.log(truncate_to_micros(at), Some(*id), Actor::System, EventKind::Purged);
        }
        WriteOutcome::Purged(ids)
    }

    /// The rows that were decided since the last call.
    pub fn rows(&mut self) -> Rows {
        let row = |id: &SessionId| self.sessions.get(id).cloned();
        let added: Vec<_> = self.added.iter().filter_map(row).collect();
        let fresh: HashSet<_> = self.added.drain(..).collect();
        let changed = std::mem::take(&mut self.changed);
        let changed = changed
            .iter()
            .filter(|id| !fresh.contains(id))
            .filter_map(row)
            .collect();
        Rows { added, changed }
    }

    /// Decides a [`WriteRequest::Launch`].
    fn launch(&mut self, request: &WriteRequest, at: Timestamp) -> WriteOutcome {
        let WriteRequest::Launch {
            session_id,
            application_id,
            user_id,
            node,
            origin,
            most,
            recorded,
            ..
        } = request
        else {
            return WriteOutcome::NotFound;
        };
        let pair = (*user_id, *application_id);
        let actor = self.actor(*user_id, origin.as_ref());
        let refusal = match (self.users.get(user_id), self.launchable.get(application_id)) {
            (None, _) => LaunchRefusal::UnknownUser,
            (Some(user), _) if user.blocked => LaunchRefusal::UserBlocked,
            (_, None) => LaunchRefusal::UnknownApplication,
            (_, Some(found)) if !found.application.open => LaunchRefusal::ApplicationClosed,
            (_, Some(found)) if !found.environment.open => LaunchRefusal::EnvironmentClosed,
            (Some(user), Some(found)) => {
                if let Some(session) = self.live(pair) {
                    return WriteOutcome::Resumed(session.clone());
                }
                match self.obstacle(pair, found, *most, at) {
                    Some(refusal) => refusal,
                    None => {
                        let session = pending(*session_id, found, user, node, at, self.revision);
                        let start = Start {
                            command: found.application.command.clone(),
                            user_number: user.number,
                        };
                        self.add(session.clone());
                        self.log(at, Some(session.id), actor, EventKind::Launched);
                        return WriteOutcome::Launched(session, start);
                    }
                }
            }
        };
        if !recorded.contains(&refusal) {
            let what = EventKind::LaunchRefused {
                application: self.name(*application_id),
                reason: refusal.sentence().as_ref().into(),
                more: None,
            };
            self.log(at, None, actor, what);
        }
        WriteOutcome::Denied(refusal)
    }

    /// A new live session.
    fn add(&mut self, session: Session) {
        let (id, pair) = (session.id, (session.user_id, session.application_id));
        self.live.entry(pair).or_default().insert((session.started_at, id));
        *self.held.entry(pair.0).or_default() += 1;
        *self.taken.entry(pair.1).or_default() += 1;
        self.sessions.insert(id, session);
        self.added.push(id);
    }

    /// The person as the author of an event; the system if there is no such person.
    fn actor(&self, id: UserId, origin: Option<&Origin>) -> Actor {
        self.users.get(&id).map_or(Actor::System, |user| Actor::Person {
            user_id: id,
            username: user.username.clone(),
            origin: origin.cloned(),
        })
    }

    /// The name of an application; its id if it does not exist.
    fn name(&self, id: ApplicationId) -> Arc<str> {
        let found = self.launchable.get(&id);
        found.map_or_else(|| id.to_string().into(), |found| found.application.name.clone())
    }

    /// The user's live session of an application; the newest if there are several.
    fn live(&self, pair: Pair) -> Option<&Session> {
        let (_, id) = self.live.get(&pair)?.last()?;
        self.sessions.get(id)
    }

    /// The reason to refuse a launch of something that is open, if there is one.
    fn obstacle(
        &self,
        pair: Pair,
        found: &Launchable,
        most: Option<NonZeroU32>,
        at: Timestamp,
    ) -> Option<LaunchRefusal> {
        if let Some(until) = self.blocked.get(&pair).filter(|until| **until > at) {
            return Some(LaunchRefusal::RelaunchBlocked(*until));
        }
        let held = self.held.get(&pair.0).copied().unwrap_or_default();
        if most.is_some_and(|most| held >= i64::from(most.get())) {
            return Some(LaunchRefusal::TooManySessions);
        }
        let taken = self.taken.get(&pair.1).copied().unwrap_or_default();
        let full = found.application.seats.is_some_and(|seats| taken >= i64::from(seats));
        full.then_some(LaunchRefusal::NoSeat)
    }

    /// Decides a [`WriteRequest::Step`].
    fn step(&mut self, id: SessionId, command: &lifecycle::Command, by: &Actor, at: Timestamp) -> WriteOutcome {
        let Some(before) = self.sessions.get(&id) else {
            return WriteOutcome::NotFound;
        };
        match lifecycle::step(before, command.clone(), by, at) {
            Err(refusal) => WriteOutcome::Refused(refusal, before.clone()),
            Ok(lifecycle::Transition { session, event: None }) => WriteOutcome::Stepped {
                session,
                changed: false,
            },
            Ok(lifecycle::Transition {
                mut session,
                event: Some(what),
            }) => {
                session.version = self.revision;
                let was_live = before.status.is_live();
                self.sessions.insert(id, session.clone());
                self.changed.insert(id);
                self.index(&session, was_live);
                self.log(at, Some(id), by.clone(), what);
                WriteOutcome::Stepped { session, changed: true }
            }
        }
    }

    /// Updates the rows that launches are decided on, after a session has changed.
    fn index(&mut self, session: &Session, was_live: bool) {
        let pair = (session.user_id, session.application_id);
        if was_live && !session.status.is_live() {
            if let Some(live) = self.live.get_mut(&pair) {
                live.remove(&(session.started_at, session.id));
            }
            if let Some(taken) = self.taken.get_mut(&session.application_id) {
                *taken -= 1;
            }
            if let Some(held) = self.held.get_mut(&session.user_id) {
                *held -= 1;
            }
        }
        if let Some(until) = session.blocked_until {
            let longest = self.blocked.entry(pair).or_insert(until);
            *longest = until.max(*longest);
        }
    }

    fn log(&mut self, at: Timestamp, session_id: Option<SessionId>, actor: Actor, what: EventKind) {
        self.events.push(Event {
            at,
            session_id,
            actor,
            what,
        });
    }
}

/// The session of a launch.
fn pending(
    id: SessionId,
    of: &Launchable,
    user: &User,
    node: &Arc<str>,
    started_at: Timestamp,
    version: u64,
) -> Session {
    let Launchable {
        application,
        environment,
    } = of;
    Session {
        id,
        environment_id: environment.id,
        environment: environment.name.clone(),
        application_id: application.id,
        application: application.name.clone(),
        user_id: user.id,
        username: user.username.clone(),
        status: Status::Pending,
        access_epoch: 0,
        started_at,
        ready_at: None,
        valid_until: application.policy.valid_until(started_at),
        connected_since: None,
        disconnected_at: None,
        end: None,
        error: None,
        teardown: Teardown::NotNeeded,
        blocked_until: None,
        policy: application.policy,
        home: environment.homes.map(|homes| homes.kind),
        node: node.clone(),
        version,
    }
}

#[cfg(test)]
mod tests;
