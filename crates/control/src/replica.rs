//! The replica: every session in memory, which answers all reads.
//!
//! The log is authoritative. Each commit of this process updates the replica before its callers get
//! their answers, and a poll of the log adds the changes of other processes. A list is made under
//! one read lock, so it is one snapshot. The replica decides nothing and writes nothing.

mod failures;
mod list;
mod rows;
mod scan;

use std::{collections::HashMap, sync::Arc};

use parking_lot::RwLock;
use session::{
    Session, SessionId, Status, Teardown, UserId,
    api::{Counts, SessionView},
    view::View,
};
use store::Changes;
use tokio::sync::watch;

pub use list::InvalidList;
use rows::Rows;

/// A page of the list with its counts, all of one revision.
#[derive(Debug)]
pub struct Page {
    /// The revision of the log at this snapshot.
    pub revision: u64,
    /// The number of matches of the search and the filters.
    pub total: u32,
    /// The number of all sessions.
    pub all: u32,
    /// The numbers of matches of the search, by status.
    pub counts: Counts,
    /// The number of matches before the first row.
    pub offset: u32,
    /// The cursor of the next page; `None` on the last page.
    pub next_cursor: Option<String>,
    /// The cursor of the previous page; `None` if that is the first page.
    pub previous_cursor: Option<String>,
    /// The rows of the page, in order.
    pub items: Vec<SessionView>,
}

/// The copy of the log in memory.
pub struct Replica {
    inner: RwLock<Inner>,
    announce: watch::Sender<u64>,
}

struct Inner {
    /// The replica has every change up to this revision.
    revision: u64,
    rows: Rows,
}

impl Replica {
    /// A replica of the loaded log.
    pub fn new(loaded: Changes) -> Self {
        let mut rows = Rows::default();
        rows.reserve(loaded.sessions.len());
        for session in loaded.sessions {
            rows.put(session);
        }
        rows.settle_failures();
        Self {
            inner: RwLock::new(Inner {
                revision: loaded.revision,
                rows,
            }),
            announce: watch::Sender::new(0),
        }
    }

    /// Adds the rows of a commit of this process, which has the revision `own`, and other rows that
    /// its answers show. If another process committed in between, the revision waits for
    /// [`Replica::catch_up`], but the rows are visible at once, unless they contradict a row that
    /// the other process changed.
    pub fn committed(&self, own: Option<u64>, sessions: Vec<Session>, purged: &[SessionId]) {
        let mut inner = self.inner.write();
        let known = inner.revision;
        if own == Some(known + 1) {
            inner.revision = known + 1;
        }
        // An older row is in the replica already, or was removed from it since.
        let mut changed = own > Some(known);
        for session in sessions.into_iter().filter(|session| session.version > known) {
            // The user's other live session of this application ended in a commit that this node has
            // yet to read. Until then the new one would make two, so both changes show together.
            if session.status.is_live() && inner.rows.has_other_live(&session) {
                continue;
            }
            inner.rows.put(session);
            changed = true;
        }
        for id in purged {
            inner.rows.remove(*id);
        }
        drop(inner);
        if changed {
            self.announce();
        }
    }

    /// Adds changes that were read from the log, and returns the rows that were new here.
    pub fn catch_up(&self, changes: Changes) -> Vec<Session> {
        let mut inner = self.inner.write();
        let known = inner.revision;
        if changes.revision <= known {
            return Vec::new();
        }
        let news: Vec<_> = changes
            .sessions
            .into_iter()
            .filter(|session| inner.rows.get(session.id).map_or(known, |row| row.version) < session.version)
            .collect();
        for session in &news {
            inner.rows.put(session.clone());
        }
        for id in changes.purged {
            inner.rows.remove(id);
        }
        inner.revision = changes.revision;
        drop(inner);
        self.announce();
        news
    }

    /// Wakes the watchers.
    pub fn announce(&self) {
        self.announce.send_modify(|generation| *generation += 1);
    }

    /// A receiver that wakes with each change.
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.announce.subscribe()
    }

    /// The revision up to which the replica has every change.
    pub fn revision(&self) -> u64 {
        self.inner.read().revision
    }

    /// The session, or `None` if it is unknown or purged.
    pub fn get(&self, id: SessionId) -> Option<Arc<Session>> {
        self.inner.read().rows.get(id).cloned()
    }

    /// A page of the list: one snapshot.
    pub fn page(&self, view: &View) -> Result<Page, InvalidList> {
        let inner = self.inner.read();
        list::page(inner.revision, &inner.rows, view)
    }

    /// All sessions of a view over all its pages, in its order: one snapshot.
    pub fn all(&self, view: &View) -> Result<Vec<Arc<Session>>, InvalidList> {
        list::all(&self.inner.read().rows, view)
    }

    /// Sessions that are not Expired, in the order of their launches.
    pub fn unended(&self) -> Vec<Arc<Session>> {
        self.inner.read().rows.unended().cloned().collect()
    }

    /// Expired sessions that the environment has yet to close.
    pub fn closing(&self) -> Vec<Arc<Session>> {
        self.inner.read().rows.closing().cloned().collect()
    }

    /// Is there an ended session that may be removed?
    pub fn any_purgeable(&self, now: session::Timestamp) -> bool {
        self.inner
            .read()
            .rows
            .iter()
            .any(|row| session::lifecycle::purgeable(row, now))
    }

    /// The live sessions of a user, by application.
    pub fn live_of(&self, user: UserId) -> HashMap<session::ApplicationId, Arc<Session>> {
        let inner = self.inner.read();
        let rows = inner.rows.unended_of(user).filter(|row| row.status.is_live());
        rows.map(|row| (row.application_id, row.clone())).collect()
    }

    /// The user's newest sessions of these applications that are in Error.
    pub fn failures_of(
        &self,
        user: UserId,
        applications: impl Iterator<Item = session::ApplicationId>,
    ) -> HashMap<session::ApplicationId, Arc<Session>> {
        let inner = self.inner.read();
        let failed = applications.filter_map(|id| Some((id, inner.rows.failure_of(user, id)?.clone())));
        failed.collect()
    }
}

/// Has the environment yet to close it?
fn is_closing(session: &Session) -> bool {
    session.status == Status::Expired && session.teardown == Teardown::Wanted
}

#[cfg(test)]
mod tests;
