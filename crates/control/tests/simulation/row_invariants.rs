//! Invariants of the rows, checked after each transaction: may the rows before it become the rows
//! after it?
//!
//! The allowed transitions are repeated here on purpose: a fault in `session::lifecycle` must not
//! hide itself.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use chrono::TimeDelta;
use control::Clock;
use parking_lot::Mutex;
use session::{EventKind, Session, SessionId, Status, Teardown, Timestamp};
use store::{Catalogue, Changes, EventLog, People, Sessions};
use store_testing::Memory;
use tokio::time::Instant;

use super::{recorder::Recorder, rules::Rule};

/// The state of a session after one transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowVersion {
    pub revision: u64,
    pub id: SessionId,
    /// `None` = the row was removed.
    pub after: Option<Session>,
}

/// The rows of the store, and all their earlier versions.
pub struct Rows {
    recorder: Arc<Recorder>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    revision: u64,
    now: BTreeMap<SessionId, Session>,
    ended: HashMap<SessionId, Instant>,
    versions: Vec<RowVersion>,
    order: Vec<SessionId>,
    swept: Option<Timestamp>,
    turns: u32,
}

impl Rows {
    /// No rows yet.
    pub fn new(recorder: Arc<Recorder>) -> Self {
        Self {
            recorder,
            state: Mutex::default(),
        }
    }

    /// Checks the changes of the transaction that has just committed. No other transaction may come
    /// in between.
    pub async fn check_transaction(&self, memory: &Memory) {
        let known = self.state.lock().revision;
        let (Ok(changes), Ok(access)) = (memory.changes(known).await, Access::of(memory).await) else {
            return self.recorder.violated(Rule::Replica, "the model does not answer");
        };
        if changes.revision > known {
            // One transaction may confirm a stop and remove the row. Only the events show the
            // confirmation.
            let mut closed = BTreeSet::new();
            for id in &changes.purged {
                let events = memory.events(*id).await.unwrap_or_default();
                if events.iter().any(|event| event.what == EventKind::TornDown) {
                    closed.insert(*id);
                }
            }
            self.apply(changes, &closed, &access);
        }
    }

    fn apply(&self, changes: Changes, closed: &BTreeSet<SessionId>, access: &Access) {
        let mut state = self.state.lock();
        let revision = changes.revision;
        let before = state.now.clone();
        for session in changes.sessions {
            let old = before.get(&session.id);
            if old.is_none() {
                state.order.push(session.id);
                self.check_launch(&session, &before, access);
            }
            self.check_edge(old, &session);
            if !session.status.is_live() {
                state.ended.entry(session.id).or_insert_with(Instant::now);
            }
            let name = state.name(session.id);
            self.recorder.note(format_args!(
                "  log {revision}: s{name} {:?} connected={} {:?}",
                session.status,
                session.connected(),
                session.teardown
            ));
            state.versions.push(RowVersion {
                revision,
                id: session.id,
                after: Some(session.clone()),
            });
            state.now.insert(session.id, session);
        }
        for id in changes.purged {
            if let Some(old) = state.now.remove(&id) {
                self.check_purge(&old, closed.contains(&id));
                state.versions.push(RowVersion {
                    revision,
                    id,
                    after: None,
                });
            }
        }
        state.revision = revision;
        self.check_all_rows(&state.now, access);
    }

    /// Checks a new row.
    fn check_launch(&self, session: &Session, before: &BTreeMap<SessionId, Session>, access: &Access) {
        if session.status != Status::Pending {
            self.recorder
                .violated(Rule::Edges, format_args!("launched as {session:?}"));
        }
        if !access.allows_launch(session) {
            self.recorder
                .violated(Rule::LaunchAllowed, format_args!("launched: {session:?}"));
        }
        let of_pair = |row: &&Session| (row.user_id, row.application_id) == (session.user_id, session.application_id);
        let until = before
            .values()
            .filter(of_pair)
            .filter_map(|row| row.blocked_until)
            .max();
        if until.is_some_and(|until| session.started_at < until) {
            self.recorder
                .violated(Rule::RelaunchBlocked, format_args!("launched: {session:?}"));
        }
    }

    /// Checks the transition of one row.
    fn check_edge(&self, old: Option<&Session>, new: &Session) {
        use Status::{Active, Error, Expired, Pending};
        let Some(old) = old else { return self.check_row(new) };
        if old.status == Expired {
            let same = Session {
                teardown: old.teardown,
                version: old.version,
                ..new.clone()
            };
            let closing = matches!(
                (old.teardown, new.teardown),
                (Teardown::Wanted, Teardown::Confirmed | Teardown::GivenUp) | (Teardown::GivenUp, Teardown::Confirmed)
            );
            if same != *old || !closing {
                self.recorder
                    .violated(Rule::ExpiredIsFinal, format_args!("{old:?} became {new:?}"));
            }
            return;
        }
        // One transaction may make more than one transition.
        let edge = match (old.status, new.status) {
            (from, to) if from == to => true,
            (Pending, Active | Error | Expired) | (Active, Error | Expired) | (Error, Expired) => true,
            _ => false,
        };
        if !edge || new.access_epoch != old.access_epoch + u32::from(new.status == Expired) {
            self.recorder
                .violated(Rule::Edges, format_args!("{old:?} became {new:?}"));
        }
        self.check_row(new);
    }

    /// Checks one row by itself.
    fn check_row(&self, row: &Session) {
        if row.connected() && row.status != Status::Active {
            self.recorder.violated(Rule::ConnectedIsActive, format_args!("{row:?}"));
        }
        let proper = match &row.end {
            Some(end) => row.status == Status::Expired && row.valid_until <= end.at && !row.connected(),
            None => row.status != Status::Expired && row.teardown == Teardown::NotNeeded,
        };
        if !proper {
            self.recorder
                .violated(Rule::ExpiredHasNoAccess, format_args!("{row:?}"));
        }
    }

    fn check_purge(&self, old: &Session, closed_before: bool) {
        let closed = closed_before || matches!(old.teardown, Teardown::Confirmed | Teardown::GivenUp);
        let now = self.recorder.now();
        let kept = old.end.as_ref().is_some_and(|end| now >= end.at + TimeDelta::hours(48));
        if !closed || !kept {
            self.recorder
                .violated(Rule::PurgeEarly, format_args!("removed at {now}: {old:?}"));
        }
    }

    /// Checks all rows together.
    fn check_all_rows(&self, rows: &BTreeMap<SessionId, Session>, access: &Access) {
        let (mut pairs, mut seats) = (HashMap::new(), HashMap::new());
        for row in rows.values().filter(|row| row.status.is_live()) {
            *seats.entry(row.application_id).or_insert(0_u32) += 1;
            if let Some(other) = pairs.insert((row.user_id, row.application_id), row.id) {
                self.recorder.violated(
                    Rule::OneLive,
                    format_args!("{} and {other} are live sessions of {}", row.id, row.username),
                );
            }
        }
        for application in &access.applications {
            let taken = seats.get(&application.id).copied().unwrap_or_default();
            if application.seats.is_some_and(|seats| taken > seats) {
                self.recorder
                    .violated(Rule::Seats, format_args!("{taken} of {}", application.name));
            }
        }
    }

    /// Records the grant of a turn, and checks the time since the last one.
    pub fn sweep_granted(&self, at: Timestamp) {
        let mut state = self.state.lock();
        state.turns += 1;
        let last = state.swept.replace(at);
        drop(state);
        if let Some(last) = last.filter(|last| at < *last + TimeDelta::seconds(30)) {
            self.recorder
                .violated(Rule::OneSweep, format_args!("at {last} and at {at}"));
        }
    }

    /// The number of granted turns.
    pub fn turns(&self) -> u32 {
        self.state.lock().turns
    }

    /// All current rows.
    pub fn all(&self) -> Vec<Session> {
        self.state.lock().now.values().cloned().collect()
    }

    /// The current row of a session.
    pub fn get(&self, id: SessionId) -> Option<Session> {
        self.state.lock().now.get(&id).cloned()
    }

    /// Was the session ever launched?
    pub fn was_launched(&self, id: SessionId) -> bool {
        self.state.lock().order.contains(&id)
    }

    /// The time since the session stopped being live; `None` while it is live.
    pub fn over_for(&self, id: SessionId) -> Option<std::time::Duration> {
        self.state.lock().ended.get(&id).map(Instant::elapsed)
    }

    /// All versions of all rows, in order.
    pub fn versions(&self) -> Vec<RowVersion> {
        self.state.lock().versions.clone()
    }

    /// The session that was launched this many launches ago.
    pub fn recent(&self, back: usize) -> Option<SessionId> {
        self.state.lock().order.iter().rev().nth(back).copied()
    }

    /// The number of a session in the order of the launches, for the log.
    pub fn name(&self, id: SessionId) -> usize {
        self.state.lock().name(id)
    }
}

impl State {
    fn name(&self, id: SessionId) -> usize {
        self.order
            .iter()
            .position(|other| *other == id)
            .unwrap_or(self.order.len())
    }
}

/// The data that decides whether a launch is allowed.
struct Access {
    users: Vec<store::User>,
    applications: Vec<store::Application>,
    environments: Vec<store::EnvironmentRow>,
}

impl Access {
    async fn of(memory: &Memory) -> store::Result<Self> {
        Ok(Self {
            users: memory.users().await?,
            applications: memory.applications().await?,
            environments: memory.environments().await?,
        })
    }

    fn allows_launch(&self, session: &Session) -> bool {
        let user = self.users.iter().find(|user| user.id == session.user_id);
        let application = self.applications.iter().find(|row| row.id == session.application_id);
        let environment = self.environments.iter().find(|row| row.id == session.environment_id);
        user.is_some_and(|user| !user.blocked)
            && application.is_some_and(|row| row.open)
            && environment.is_some_and(|row| row.open)
    }
}
