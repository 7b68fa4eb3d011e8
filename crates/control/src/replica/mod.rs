//! Every session in memory: what answers all reads.
//!
//! The log is the truth; this is its copy, fed by each commit before anybody is answered, and by the log's tail for what
//! other processes wrote. A list is made under one read lock, so it is one snapshot. Nothing here decides or writes.

mod list;
mod rows;
mod scan;

use std::{collections::HashMap, sync::Arc};

use parking_lot::RwLock;
use session::{
    Session, SessionId, Status, Teardown, UserId,
    view::View,
    wire::{Counts, SessionView},
};
use store::Changes;
use tokio::sync::watch;

use rows::Rows;

/// A page of the list, before the times around it are known.
#[derive(Debug)]
pub struct Page {
    /// The log's revision that it shows.
    pub revision: u64,
    /// Matches of the search and the filters.
    pub total: u32,
    /// All sessions.
    pub all: u32,
    /// Matches of the search by status.
    pub counts: Counts,
    /// Matches before the first row.
    pub offset: u32,
    /// Where the next page starts.
    pub next_cursor: Option<String>,
    /// Where the page before starts; `None` where that is the first.
    pub previous_cursor: Option<String>,
    /// The rows.
    pub items: Vec<SessionView>,
}

/// The copy.
pub struct Replica {
    inner: RwLock<Inner>,
    announce: watch::Sender<u64>,
}

struct Inner {
    /// Every change up to here is in.
    revision: u64,
    rows: Rows,
}

impl Replica {
    /// A copy of what was loaded.
    pub fn new(loaded: Changes) -> Self {
        let mut rows = Rows::default();
        rows.reserve(loaded.sessions.len());
        for session in loaded.sessions {
            rows.put(session);
        }
        Self {
            inner: RwLock::new(Inner {
                revision: loaded.revision,
                rows,
            }),
            announce: watch::Sender::new(0),
        }
    }

    /// Takes over what a commit of this process wrote, as revision `own`, and other rows that it saw. Another process may have
    /// written between: then the revision waits for [`Replica::catch_up`], but the rows are in at once.
    pub fn committed(&self, own: Option<u64>, sessions: Vec<Session>, purged: &[SessionId]) {
        let mut inner = self.inner.write();
        let known = inner.revision;
        if own == Some(known + 1) {
            inner.revision = known + 1;
        }
        // What is not newer than that is in already, or was in and has been removed since.
        let mut news = own > Some(known);
        for session in sessions.into_iter().filter(|session| session.version > known) {
            inner.rows.put(session);
            news = true;
        }
        for id in purged {
            inner.rows.remove(*id);
        }
        drop(inner);
        if news {
            self.announce();
        }
    }

    /// Takes over what the log's tail says, and answers what was new here.
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

    /// Tells watchers that something they show has changed.
    pub fn announce(&self) {
        self.announce.send_modify(|generation| *generation += 1);
    }

    /// Wakes with each change.
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.announce.subscribe()
    }

    /// Every change up to this revision is in.
    pub fn revision(&self) -> u64 {
        self.inner.read().revision
    }

    /// One session.
    pub fn get(&self, id: SessionId) -> Option<Arc<Session>> {
        self.inner.read().rows.get(id).cloned()
    }

    /// A page of the list: one snapshot.
    pub fn page(&self, view: &View) -> Result<Page, String> {
        let inner = self.inner.read();
        list::page(inner.revision, &inner.rows, view)
    }

    /// Every session that a view shows, on whatever page, in its order: one snapshot.
    pub fn all(&self, view: &View) -> Result<Vec<Arc<Session>>, String> {
        list::all(&self.inner.read().rows, view)
    }

    /// Sessions that have not ended, in the order in which they came.
    pub fn unended(&self) -> Vec<Arc<Session>> {
        self.inner.read().rows.unended().cloned().collect()
    }

    /// Ended sessions that the environment has yet to close.
    pub fn closing(&self) -> Vec<Arc<Session>> {
        self.inner.read().rows.closing().cloned().collect()
    }

    /// Ended sessions whose end is so long ago that they may be removed.
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
}

/// Has the environment yet to close it?
fn is_closing(session: &Session) -> bool {
    session.status == Status::Expired && session.teardown == Teardown::Wanted
}

#[cfg(test)]
mod tests;
