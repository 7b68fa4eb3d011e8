//! A change of the catalogue or of people: its rows, its event, and the end of the sessions that it
//! takes the access from, in one transaction.

use session::{Actor, EndReason, Event, EventKind, Timestamp};
use store::{Result, decide, values::truncate_to_micros};
use uuid::Uuid;

use crate::{Postgres, connections::Lease, session_rows, transaction::Transaction};

/// A change that is being written.
pub(crate) struct Change<'a> {
    transaction: Transaction<'a>,
    by: &'a Actor,
    at: Timestamp,
    events: Vec<Event>,
}

impl<'a> Change<'a> {
    /// Waits for its turn and begins a change.
    pub(crate) async fn begin(store: &'a Postgres, by: &'a Actor, at: Timestamp) -> Result<Self> {
        Ok(Self {
            transaction: Transaction::begin(store).await?,
            by,
            at: truncate_to_micros(at),
            events: Vec::new(),
        })
    }

    /// The connection to read and write rows with.
    pub(crate) const fn lease(&mut self) -> &mut Lease {
        self.transaction.lease()
    }

    /// Adds an event.
    pub(crate) fn log(&mut self, what: EventKind) {
        self.events.push(Event {
            at: self.at,
            session_id: None,
            actor: self.by.clone(),
            what,
        });
    }

    /// Ends every session that one of the statements `UNENDED_OF_…` finds.
    pub(crate) async fn end(&mut self, statement: &'static str, of: Uuid, reason: EndReason) -> Result<()> {
        let revision = self.transaction.before() + 1;
        let found = session_rows::unended(self.lease(), statement, of).await?;
        let ended = decide::sessions::end(&found, reason, self.by, self.at, revision);
        let (rows, events): (Vec<_>, Vec<_>) = ended.into_iter().unzip();
        self.events.extend(events);
        session_rows::update(self.lease(), &rows).await
    }

    /// Adds an event and commits.
    pub(crate) async fn commit_one(mut self, what: EventKind) -> Result<()> {
        self.log(what);
        self.commit().await
    }

    /// Commits if there is an event; otherwise ends without writing anything.
    pub(crate) async fn commit(self) -> Result<()> {
        if self.events.is_empty() {
            return self.undo().await;
        }
        self.transaction.commit(&self.events).await?;
        Ok(())
    }

    /// Ends without writing anything.
    pub(crate) async fn undo(self) -> Result<()> {
        self.transaction.undo().await
    }
}
