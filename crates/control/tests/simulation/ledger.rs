//! What is in the log, looked at after each transaction: may the rows before it become the rows after it?
//!
//! The edges are written out here once more: a fault in `session::lifecycle` must not excuse itself.

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

use super::{book::Book, rules::Rule};

/// A session, as a transaction left it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Noted {
    pub revision: u64,
    pub id: SessionId,
    /// `None`: it was removed.
    pub after: Option<Session>,
}

/// The rows of the log, and all that they were.
pub struct Ledger {
    book: Arc<Book>,
    rows: Mutex<Rows>,
}

#[derive(Default)]
struct Rows {
    revision: u64,
    now: BTreeMap<SessionId, Session>,
    ended: HashMap<SessionId, Instant>,
    noted: Vec<Noted>,
    order: Vec<SessionId>,
    swept: Option<Timestamp>,
    turns: u32,
}

impl Ledger {
    /// An empty one.
    pub fn new(book: Arc<Book>) -> Self {
        Self {
            book,
            rows: Mutex::default(),
        }
    }

    /// Looks at what the transaction that was just made has done. Nothing may come between the two.
    pub async fn look(&self, memory: &Memory) {
        let known = self.rows.lock().revision;
        let (Ok(changes), Ok(house)) = (memory.changes(known).await, House::of(memory).await) else {
            return self.book.broken(Rule::Replica, "the model does not answer");
        };
        if changes.revision > known {
            // A transaction may confirm a stop and remove the row. Of that only the events tell.
            let mut closed = BTreeSet::new();
            for id in &changes.purged {
                let events = memory.events(*id).await.unwrap_or_default();
                if events.iter().any(|event| event.what == EventKind::TornDown) {
                    closed.insert(*id);
                }
            }
            self.take(changes, &closed, &house);
        }
    }

    fn take(&self, changes: Changes, closed: &BTreeSet<SessionId>, house: &House) {
        let mut rows = self.rows.lock();
        let revision = changes.revision;
        let before = rows.now.clone();
        for session in changes.sessions {
            let old = before.get(&session.id);
            if old.is_none() {
                rows.order.push(session.id);
                self.launched(&session, &before, house);
            }
            self.step(old, &session);
            if !session.status.is_live() {
                rows.ended.entry(session.id).or_insert_with(Instant::now);
            }
            let name = rows.name(session.id);
            self.book.say(format_args!(
                "  log {revision}: s{name} {:?} connected={} {:?}",
                session.status,
                session.connected(),
                session.teardown
            ));
            rows.noted.push(Noted {
                revision,
                id: session.id,
                after: Some(session.clone()),
            });
            rows.now.insert(session.id, session);
        }
        for id in changes.purged {
            if let Some(old) = rows.now.remove(&id) {
                self.purged(&old, closed.contains(&id));
                rows.noted.push(Noted {
                    revision,
                    id,
                    after: None,
                });
            }
        }
        rows.revision = revision;
        self.whole(&rows.now, house);
    }

    /// A row that is new.
    fn launched(&self, session: &Session, before: &BTreeMap<SessionId, Session>, house: &House) {
        if session.status != Status::Pending {
            self.book.broken(Rule::Edges, format_args!("launched as {session:?}"));
        }
        if !house.lets_in(session) {
            self.book
                .broken(Rule::LaunchAllowed, format_args!("launched: {session:?}"));
        }
        let of_pair = |row: &&Session| (row.user_id, row.application_id) == (session.user_id, session.application_id);
        let until = before
            .values()
            .filter(of_pair)
            .filter_map(|row| row.blocked_until)
            .max();
        if until.is_some_and(|until| session.started_at < until) {
            self.book
                .broken(Rule::RelaunchBlocked, format_args!("launched: {session:?}"));
        }
    }

    /// A row that is another than before.
    fn step(&self, old: Option<&Session>, new: &Session) {
        use Status::{Active, Error, Expired, Pending};
        let Some(old) = old else { return self.state(new) };
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
                self.book
                    .broken(Rule::ExpiredIsFinal, format_args!("{old:?} became {new:?}"));
            }
            return;
        }
        // One transaction may take more than one step.
        let edge = match (old.status, new.status) {
            (from, to) if from == to => true,
            (Pending, Active | Error | Expired) | (Active, Error | Expired) | (Error, Expired) => true,
            _ => false,
        };
        if !edge || new.access_epoch != old.access_epoch + u32::from(new.status == Expired) {
            self.book.broken(Rule::Edges, format_args!("{old:?} became {new:?}"));
        }
        self.state(new);
    }

    /// What a row may say.
    fn state(&self, row: &Session) {
        if row.connected() && row.status != Status::Active {
            self.book.broken(Rule::ConnectedIsActive, format_args!("{row:?}"));
        }
        let proper = match &row.end {
            Some(end) => row.status == Status::Expired && row.valid_until <= end.at && !row.connected(),
            None => row.status != Status::Expired && row.teardown == Teardown::NotNeeded,
        };
        if !proper {
            self.book.broken(Rule::ExpiredHasNoAccess, format_args!("{row:?}"));
        }
    }

    fn purged(&self, old: &Session, closed_before: bool) {
        let closed = closed_before || matches!(old.teardown, Teardown::Confirmed | Teardown::GivenUp);
        let now = self.book.now();
        let kept = old.end.as_ref().is_some_and(|end| now >= end.at + TimeDelta::hours(48));
        if !closed || !kept {
            self.book
                .broken(Rule::PurgeEarly, format_args!("removed at {now}: {old:?}"));
        }
    }

    /// What all rows together may say.
    fn whole(&self, rows: &BTreeMap<SessionId, Session>, house: &House) {
        let (mut pairs, mut seats) = (HashMap::new(), HashMap::new());
        for row in rows.values().filter(|row| row.status.is_live()) {
            *seats.entry(row.application_id).or_insert(0_u32) += 1;
            if let Some(other) = pairs.insert((row.user_id, row.application_id), row.id) {
                self.book.broken(
                    Rule::OneLive,
                    format_args!("{} and {other} are live sessions of {}", row.id, row.username),
                );
            }
        }
        for application in &house.applications {
            let taken = seats.get(&application.id).copied().unwrap_or_default();
            if application.seats.is_some_and(|seats| taken > seats) {
                self.book
                    .broken(Rule::Seats, format_args!("{taken} of {}", application.name));
            }
        }
    }

    /// A sweep was granted at this moment.
    pub fn swept(&self, at: Timestamp) {
        let mut rows = self.rows.lock();
        rows.turns += 1;
        let last = rows.swept.replace(at);
        drop(rows);
        if let Some(last) = last.filter(|last| at < *last + TimeDelta::seconds(30)) {
            self.book.broken(Rule::OneSweep, format_args!("at {last} and at {at}"));
        }
    }

    /// How many sweeps were granted.
    pub fn turns(&self) -> u32 {
        self.rows.lock().turns
    }

    /// Every row.
    pub fn all(&self) -> Vec<Session> {
        self.rows.lock().now.values().cloned().collect()
    }

    /// One row.
    pub fn get(&self, id: SessionId) -> Option<Session> {
        self.rows.lock().now.get(&id).cloned()
    }

    /// Was it ever launched?
    pub fn knew(&self, id: SessionId) -> bool {
        self.rows.lock().order.contains(&id)
    }

    /// For how long it has been neither Pending nor Active; `None` while it is.
    pub fn over_for(&self, id: SessionId) -> Option<std::time::Duration> {
        self.rows.lock().ended.get(&id).map(Instant::elapsed)
    }

    /// All that rows were, in order.
    pub fn noted(&self) -> Vec<Noted> {
        self.rows.lock().noted.clone()
    }

    /// The session that was launched so many launches ago.
    pub fn recent(&self, back: usize) -> Option<SessionId> {
        self.rows.lock().order.iter().rev().nth(back).copied()
    }

    /// How it is called here: by its number in the order of the launches.
    pub fn name(&self, id: SessionId) -> usize {
        self.rows.lock().name(id)
    }
}

impl Rows {
    fn name(&self, id: SessionId) -> usize {
        self.order
            .iter()
            .position(|other| *other == id)
            .unwrap_or(self.order.len())
    }
}

/// Who is let in where.
struct House {
    users: Vec<store::User>,
    applications: Vec<store::Application>,
    environments: Vec<store::EnvironmentRow>,
}

impl House {
    async fn of(memory: &Memory) -> store::Result<Self> {
        Ok(Self {
            users: memory.users().await?,
            applications: memory.applications().await?,
            environments: memory.environments().await?,
        })
    }

    fn lets_in(&self, session: &Session) -> bool {
        let user = self.users.iter().find(|user| user.id == session.user_id);
        let application = self.applications.iter().find(|row| row.id == session.application_id);
        let environment = self.environments.iter().find(|row| row.id == session.environment_id);
        user.is_some_and(|user| !user.blocked)
            && application.is_some_and(|row| row.open)
            && environment.is_some_and(|row| row.open)
    }
}
