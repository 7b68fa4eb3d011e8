//! A change of the catalogue or of people: its rows, its event, and the end of the sessions that it
//! takes the access from, in one transaction.

use session::{Actor, EndReason, Event, EventKind, Timestamp};
use sqlx::SqliteConnection;
use store::{Result, decide, values::truncate_to_micros};
use uuid::Uuid;

use crate::{
    Sqlite,
    database::Transaction,
    events,
    session_rows::{self, revision, set_revision},
};

/// A change that is being written. Dropped before the commit, it writes nothing.
pub(crate) struct Change<'a> {
    transaction: Transaction<'a>,
    by: &'a Actor,
    at: Timestamp,
    revision: u64,
    events: Vec<Event>,
}

impl<'a> Change<'a> {
    /// Waits for its turn and begins a change.
    pub(crate) async fn begin(store: &'a Sqlite, by: &'a Actor, at: Timestamp) -> Result<Self> {
        let mut transaction = store.begin().await?;
        let revision = revision(&mut transaction.connection).await? + 1;
        Ok(Self {
            transaction,
            by,
            at: truncate_to_micros(at),
            revision,
            events: Vec::new(),
        })
    }

    /// The connection to read and write rows with.
    pub(crate) const fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.transaction.connection
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
        let found = session_rows::unended(self.connection(), statement, of).await?;
        let ended = decide::sessions::end(&found, reason, self.by, self.at, self.revision);
        let (rows, events): (Vec<_>, Vec<_>) = ended.into_iter().unzip();
        self.events.extend(events);
        session_rows::update_all(self.connection(), &rows).await
    }

    /// Adds an event and commits.
    pub(crate) async fn commit_one(mut self, what: EventKind) -> Result<()> {
        self.log(what);
        self.commit().await
    }

    /// Commits if there is an event; raises the revision last.
    pub(crate) async fn commit(mut self) -> Result<()> {
        if self.events.is_empty() {
            return Ok(());
        }
        let connection = &mut self.transaction.connection;
        events::insert(connection, self.revision, &self.events).await?;
        set_revision(connection, self.revision).await?;
        self.transaction.commit().await
    }
}
