//! The connections to a database, and reads outside of a transaction.

use std::{sync::Arc, time::Duration};

use sqlx::{
    postgres::{PgArguments, PgConnectOptions, PgRow},
    query::Query,
};
use store::Result;
use tokio::{sync::Notify, task::JoinHandle};
use uuid::Uuid;

use crate::{
    connections::{Connections, Lease},
    listen, session_rows,
};

/// The number of connections that read.
const READERS: usize = 6;
/// The number of connections that write. Most writes wait for each other; logins and preferences do
/// not.
const WRITERS: usize = 4;
/// The time limit of an answer with very many rows.
const LONG: Duration = Duration::from_secs(120);

/// Settings of a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The time limit of a call, except for calls that read everything. A call to a frozen database
    /// fails then.
    pub query_timeout: Duration,
    /// Notify other nodes of each commit, and listen to their notifications. Without, they find a
    /// commit when they poll.
    pub notify: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            query_timeout: Duration::from_secs(5),
            notify: true,
        }
    }
}

/// The store in a PostgreSQL database.
pub struct Postgres {
    pub(crate) settings: Settings,
    pub(crate) readers: Connections,
    pub(crate) writers: Connections,
    pub(crate) wakeups: Arc<Notify>,
    listener: Option<JoinHandle<()>>,
    pub(crate) lock: Option<JoinHandle<()>>,
    /// `None` for a tool.
    pub(crate) served: Option<Served>,
}

/// The identity of a server.
pub(crate) struct Served {
    /// The `node` setting of this server.
    pub(crate) node: String,
    /// The server among all that ever had this name.
    pub(crate) server: Uuid,
}

impl Postgres {
    /// The store of a database that is checked and migrated.
    pub(crate) fn new(options: PgConnectOptions, settings: Settings) -> Self {
        let wakeups = Arc::new(Notify::new());
        let listener = settings
            .notify
            .then(|| tokio::spawn(listen::listen(options.clone(), wakeups.clone())));
        Self {
            settings,
            readers: Connections::new(options.clone(), READERS, settings.query_timeout),
            writers: Connections::new(options, WRITERS, settings.query_timeout),
            wakeups,
            listener,
            lock: None,
            served: None,
        }
    }

    pub(crate) async fn read_all(&self, statement: Query<'_, sqlx::Postgres, PgArguments>) -> Result<Vec<PgRow>> {
        let mut lease = self.readers.acquire().await?;
        let rows = lease.all(statement).await?;
        lease.release();
        Ok(rows)
    }

    /// The row of a query, if there is one.
    pub(crate) async fn read_optional(
        &self,
        statement: Query<'_, sqlx::Postgres, PgArguments>,
    ) -> Result<Option<PgRow>> {
        let mut lease = self.readers.acquire().await?;
        let row = lease.optional(statement).await?;
        lease.release();
        Ok(row)
    }

    /// The log's revision.
    pub(crate) async fn current_revision(&self) -> Result<u64> {
        let mut lease = self.readers.acquire().await?;
        let revision = session_rows::revision(&mut lease).await?;
        lease.release();
        Ok(revision)
    }

    /// A snapshot, to read very many rows from.
    pub(crate) async fn long_snapshot(&self) -> Result<Lease> {
        let mut lease = self.readers.acquire_for(LONG).await?;
        lease
            .script("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = 0")
            .await?;
        Ok(lease)
    }

    /// Ends a snapshot.
    pub(crate) async fn end(&self, mut snapshot: Lease) -> Result<()> {
        snapshot.script("COMMIT").await?;
        snapshot.release();
        Ok(())
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        for task in [&self.listener, &self.lock].into_iter().flatten() {
            task.abort();
        }
    }
}
