//! A change of the catalogue or of people: its rows, its event, and the end of the sessions that may no longer go on, in
//! one transaction.

use session::{Actor, EndReason, Event, EventKind, Timestamp};
use uuid::Uuid;

use super::{Postgres, connections::Lease, sessions, transaction::Transaction};
use crate::{Result, decide, values::truncate_to_micros};

/// A change that is being written.
pub(super) struct Change<'a> {
    transaction: Transaction<'a>,
    by: &'a Actor,
    at: Timestamp,
    events: Vec<Event>,
}

impl<'a> Change<'a> {
    /// Begins one, when its turn has come.
    pub(super) async fn begin(store: &'a Postgres, by: &'a Actor, at: Timestamp) -> Result<Self> {
        Ok(Self {
            transaction: Transaction::begin(store).await?,
            by,
            at: truncate_to_micros(at),
            events: Vec::new(),
        })
    }

    /// To read and write rows with.
    pub(super) const fn lease(&mut self) -> &mut Lease {
        self.transaction.lease()
    }

    /// Notes what happened.
    pub(super) fn log(&mut self, what: EventKind) {
        self.events.push(Event {
            at: self.at,
            session_id: None,
            actor: self.by.clone(),
            what,
        });
    }

    /// Ends every session that one of the `UNENDED_OF_…` questions finds.
    pub(super) async fn end(&mut self, question: &'static str, of: Uuid, reason: EndReason) -> Result<()> {
        let revision = self.transaction.before() + 1;
        let found = sessions::unended(self.lease(), question, of).await?;
        let (ended, events): (Vec<_>, Vec<_>) = decide::end(&found, reason, self.by, self.at, revision)
            .into_iter()
            .unzip();
        self.events.extend(events);
        sessions::update(self.lease(), &ended).await
    }

    /// Notes what happened, and commits.
    pub(super) async fn commit_one(mut self, what: EventKind) -> Result<()> {
        self.log(what);
        self.commit().await
    }

    /// Commits, where anything was noted.
    pub(super) async fn commit(self) -> Result<()> {
        if self.events.is_empty() {
            return self.transaction.undo().await;
        }
        self.transaction.commit(&self.events).await?;
        Ok(())
    }

    /// Ends it without writing anything.
    pub(super) async fn undo(self) -> Result<()> {
        self.transaction.undo().await
    }
}
