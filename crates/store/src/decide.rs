//! What becomes of each request of a batch: decided in memory, on the facts that the database gave for the whole batch
//! beforehand, so that every database decides alike and a batch costs few words with it.
//!
//! The edges of a session's life are not here: they are [`lifecycle`]'s.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    num::NonZeroU32,
    sync::Arc,
};

use chrono::TimeDelta;
use session::{
    Actor, ApplicationId, BatchId, EndReason, Event, EventKind, Origin, Session, SessionId, Status, Teardown,
    Timestamp, UserId,
    lifecycle::{self, KEPT_SECONDS},
};
use uuid::Uuid;

use crate::{Application, EnvironmentRow, LaunchRefusal, User, WriteOutcome, WriteRequest, values::truncate_to_micros};

/// Most sessions that one request removes.
pub(crate) const PURGE_AT_ONCE: u32 = 1000;

/// Most synthetic sessions that one transaction adds: a server beside it must get its turn.
pub(crate) const SEEDED_AT_ONCE: usize = 10_000;

/// A session is purged at `at` if it ended then or before.
pub(crate) fn latest_end(at: Timestamp) -> Timestamp {
    at - TimeDelta::seconds(KEPT_SECONDS)
}

/// Is `now` too early for a sweep after the one at `last`? So is what lies a little before that: it was asked earlier, or by a
/// node whose clock is behind, and came later. Only what lies further back is a clock that was set back.
pub(crate) fn too_early(now: Timestamp, last: Timestamp, interval: TimeDelta) -> bool {
    (now - last).abs() < interval
}

/// An application with the environment that it runs in.
pub(crate) struct Launchable {
    pub(crate) application: Application,
    pub(crate) environment: EnvironmentRow,
}

/// Whose live session of what.
pub(crate) type Pair = (UserId, ApplicationId);

/// What a batch wants to know from the database.
#[derive(Default)]
pub(crate) struct Reads {
    /// The sessions of these ids.
    pub(crate) sessions: Vec<Uuid>,
    /// These people.
    pub(crate) users: Vec<Uuid>,
    /// These applications with their environments, and how many seats of them are taken.
    pub(crate) applications: Vec<ApplicationId>,
    /// The live sessions of these people and applications, and until when they are blocked.
    pub(crate) pairs: BTreeSet<Pair>,
    /// How many live sessions these people have.
    pub(crate) holders: BTreeSet<UserId>,
    /// Which of these batches are noted.
    pub(crate) batches: Vec<BatchId>,
}

impl Reads {
    pub(crate) fn of(requests: &[WriteRequest]) -> Self {
        let mut reads = Self::default();
        let (mut users, mut applications) = (BTreeSet::new(), BTreeSet::new());
        for request in requests {
            match request {
                WriteRequest::Launch {
                    application_id,
                    user_id,
                    most,
                    ..
                } => {
                    reads.pairs.insert((*user_id, *application_id));
                    reads.holders.extend(most.map(|_| *user_id));
                }
                WriteRequest::RecordRefusal {
                    user_id,
                    application_id,
                    ..
                } => {
                    users.insert(user_id.0);
                    applications.extend(*application_id);
                }
                WriteRequest::Step { session_id, .. } => reads.sessions.push(session_id.0),
                WriteRequest::Batch { batch, .. } => reads.batches.push(*batch),
                WriteRequest::Purge { .. } => {}
            }
        }
        users.extend(reads.pairs.iter().map(|(user, _)| user.0));
        applications.extend(reads.pairs.iter().map(|(_, application)| *application));
        reads.users.extend(users);
        reads.applications.extend(applications);
        reads
    }
}

/// The answers to [`Reads`].
#[derive(Default)]
pub(crate) struct LoadedRows {
    pub(crate) users: Vec<User>,
    pub(crate) launchable: Vec<Launchable>,
    /// In any order, and it does no harm to name one twice.
    pub(crate) sessions: Vec<Session>,
    /// Live sessions, at least of applications whose seats are counted.
    pub(crate) taken: HashMap<ApplicationId, i64>,
    /// Live sessions of the people that were asked about.
    pub(crate) held: HashMap<UserId, i64>,
    pub(crate) blocked: HashMap<Pair, Timestamp>,
    pub(crate) noted: HashSet<BatchId>,
}

/// Rows to write.
pub(crate) struct Rows {
    /// New ones.
    pub(crate) added: Vec<Session>,
    /// Those that were there, as they are now.
    pub(crate) changed: Vec<Session>,
}

/// A batch that is being decided, one request after the other, each on what those before it left.
pub(crate) struct Batch {
    revision: u64,
    users: HashMap<UserId, User>,
    launchable: HashMap<ApplicationId, Launchable>,
    sessions: HashMap<SessionId, Session>,
    live: BTreeMap<Pair, BTreeSet<(Timestamp, SessionId)>>,
    taken: HashMap<ApplicationId, i64>,
    held: HashMap<UserId, i64>,
    blocked: HashMap<Pair, Timestamp>,
    noted: HashSet<BatchId>,
    /// Not a set: an id that is used twice must meet the database's own refusal.
    added: Vec<SessionId>,
    changed: BTreeSet<SessionId>,
    /// What happened, in order.
    pub(crate) events: Vec<Event>,
}

impl Batch {
    /// All that is written gets the version `revision`.
    pub(crate) fn new(revision: u64) -> Self {
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

    /// Replaces the loaded rows. The rows decided so far must be written by then.
    pub(crate) fn load(&mut self, rows: LoadedRows) {
        self.users = rows.users.into_iter().map(|user| (user.id, user)).collect();
        let by_id = |found: Launchable| (found.application.id, found);
        self.launchable = rows.launchable.into_iter().map(by_id).collect();
        self.taken = rows.taken;
        self.held = rows.held;
        self.blocked = rows.blocked;
        // What was noted before is not in the database yet: events are written last.
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

    /// Decides one request. [`WriteRequest::Purge`] is the database's to answer: [`Batch::purged`].
    pub(crate) fn decide(&mut self, request: &WriteRequest) -> WriteOutcome {
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

    /// Notes that these sessions were removed.
    pub(crate) fn purged(&mut self, mut ids: Vec<SessionId>, at: Timestamp) -> WriteOutcome {
        // A database gives them in any order.
        ids.sort_unstable();
        for id in &ids {
            self.sessions.remove(id);
            self.log(truncate_to_micros(at), Some(*id), Actor::System, EventKind::Purged);
        }
        WriteOutcome::Purged(ids)
    }

    /// What is to be written of what was decided since the last call.
    pub(crate) fn rows(&mut self) -> Rows {
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
                        let command = found.application.command.clone();
                        self.add(session.clone());
                        self.log(at, Some(session.id), actor, EventKind::Launched);
                        return WriteOutcome::Launched(session, command);
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

    /// A person as the log names them; the system where there is no such person.
    fn actor(&self, id: UserId, origin: Option<&Origin>) -> Actor {
        self.users.get(&id).map_or(Actor::System, |user| Actor::Person {
            user_id: id,
            username: user.username.clone(),
            origin: origin.cloned(),
        })
    }

    /// The name of an application; its id where there is none.
    fn name(&self, id: ApplicationId) -> Arc<str> {
        let found = self.launchable.get(&id);
        found.map_or_else(|| id.to_string().into(), |found| found.application.name.clone())
    }

    /// The user's live session of an application: the newest, should there be several.
    fn live(&self, pair: Pair) -> Option<&Session> {
        let (_, id) = self.live.get(&pair)?.last()?;
        self.sessions.get(id)
    }

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

    /// What launches ask about, after a session has changed.
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

/// Ends sessions that may no longer go on, each with its event; the rows get the version `revision`.
pub(crate) fn end(
    sessions: &[Session],
    reason: EndReason,
    by: &Actor,
    at: Timestamp,
    revision: u64,
) -> Vec<(Session, Event)> {
    let ended = |session: &Session| {
        // What an expire without conditions does to a session that has not ended is never refused.
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
pub(crate) fn launched(session: &Session) -> Event {
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
        node: node.clone(),
        version,
    }
}
