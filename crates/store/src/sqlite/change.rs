//! A change of the catalogue or of people: its rows, its event, and the end of the sessions that may no longer go on, in
//! one transaction.

use session::{Actor, EndReason, Event, EventKind, Timestamp};
use sqlx::SqliteConnection;
use uuid::Uuid;

use super::{Sqlite, Transaction, events, sessions};
use crate::{Result, decide, values::truncate_to_micros};

/// A change that is being written.
pub(super) struct Change<'a> {
    transaction: Transaction<'a>,
    by: &'a Actor,
    at: Timestamp,
    revision: u64,
    events: Vec<Event>,
}

impl<'a> Change<'a> {
    /// Begins one, when its turn has come.
    pub(super) async fn begin(store: &'a Sqlite, by: &'a Actor, at: Timestamp) -> Result<Self> {
        let mut transaction = store.begin().await?;
        let revision = sessions::revision(&mut transaction.connection).await? + 1;
        Ok(Self {
            transaction,
            by,
            at: truncate_to_micros(at),
            revision,
            events: Vec::new(),
        })
    }

    /// To write rows with.
    pub(super) const fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.transaction.connection
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
        let found = sessions::unended(self.connection(), question, of).await?;
        let ended = decide::end(&found, reason, self.by, self.at, self.revision);
        let (rows, events): (Vec<_>, Vec<_>) = ended.into_iter().unzip();
        self.events.extend(events);
        sessions::update_all(self.connection(), &rows).await
    }

    /// Notes what happened, and commits.
    pub(super) async fn commit_one(mut self, what: EventKind) -> Result<()> {
        self.log(what);
        self.commit().await
    }

    /// Commits, where anything was noted; the revision is raised last.
    pub(super) async fn commit(mut self) -> Result<()> {
        if self.events.is_empty() {
            return Ok(());
        }
        let connection = &mut self.transaction.connection;
        events::insert(connection, self.revision, &self.events).await?;
        sessions::set_revision(connection, self.revision).await?;
        self.transaction.commit().await
    }
}
