//! Transactions that write to the log: one at a time over all nodes, each with its events.

use std::time::Duration;

use session::Event;
use sqlx::AssertSqlSafe;
use store::{
    Hash, Result, StoreError,
    values::{corrupt, number},
};
use tokio::time::{Instant, sleep};

use crate::{Postgres, connections::Lease, database::Served, events, rows::Columns};

/// The lock on the row makes this the only writing transaction over all nodes.
const BEGIN: &str = "BEGIN; SELECT revision, events, head FROM log FOR UPDATE";
/// Finds this server under its node's name. A server that was cut off, or suspended with its
/// machine, may have lost the name to another server; it must not write then. As a statement of its
/// own it sees commits that happened during the wait for the lock.
const STILL_SERVED: &str = "SELECT name FROM nodes WHERE server = ";
const RAISE: &str = "UPDATE log SET revision = $1, events = $2, head = $3";
const RAISE_AND_NOTIFY: &str = "WITH raised AS (UPDATE log SET revision = $1, events = $2, head = $3 RETURNING revision) \
     SELECT pg_notify('cloud_delivery', revision::text) FROM raised";
/// The pause between two attempts to find a commit whose answer was lost.
const AGAIN: Duration = Duration::from_millis(50);

/// The row of the log.
#[derive(Clone, Copy)]
pub(crate) struct Log {
    pub(crate) revision: u64,
    pub(crate) events: i64,
    pub(crate) head: Hash,
}

/// The open transaction that holds the lock of the log. If it is dropped without
/// [`Transaction::commit`], its connection is closed, which undoes everything and leaves nothing
/// open, after any error and in a dropped future. sqlx's transactions can't do this: the future
/// that begins one must not be dropped.
pub(crate) struct Transaction<'a> {
    store: &'a Postgres,
    lease: Lease,
    log: Log,
}

impl<'a> Transaction<'a> {
    /// Waits for its turn and begins a transaction.
    pub(crate) async fn begin(store: &'a Postgres) -> Result<Self> {
        let lease = store.writers.acquire().await?;
        Self::with(store, lease).await
    }

    /// The same, for one that writes very many rows.
    pub(crate) async fn begin_long(store: &'a Postgres, query_timeout: Duration) -> Result<Self> {
        let lease = store.writers.acquire_for(query_timeout).await?;
        Self::with(store, lease).await
    }

    async fn with(store: &'a Postgres, mut lease: Lease) -> Result<Self> {
        let rows = match &store.served {
            Some(Served { server, .. }) => {
                let script = format!("{BEGIN}; {STILL_SERVED}'{server}'");
                lease.script(AssertSqlSafe(script)).await?
            }
            None => lease.script(BEGIN).await?,
        };
        let row = rows.first().ok_or_else(|| corrupt("the row of the log is missing"))?;
        if let Some(Served { node, .. }) = &store.served
            && rows.len() < 2
        {
            return Err(StoreError::NodeTaken(node.clone()));
        }
        let mut columns = Columns::of(row);
        let log = Log {
            revision: columns.count()?,
            events: columns.value()?,
            head: columns.value()?,
        };
        Ok(Self { store, lease, log })
    }

    /// The log's revision before this transaction.
    pub(crate) const fn before(&self) -> u64 {
        self.log.revision
    }

    /// The connection to read and write rows with.
    pub(crate) const fn lease(&mut self) -> &mut Lease {
        &mut self.lease
    }

    /// Ends it and undoes its writes.
    pub(crate) async fn undo(mut self) -> Result<()> {
        self.lease.script("ROLLBACK").await?;
        self.lease.release();
        Ok(())
    }

    /// Adds the events, raises the revision last and commits. Returns the revision when everything
    /// is on the disk.
    pub(crate) async fn commit(mut self, new_events: &[Event]) -> Result<u64> {
        let revision = self.log.revision + 1;
        let log = events::insert(&mut self.lease, self.log, revision, new_events).await?;
        let raise = if self.store.settings.notify {
            RAISE_AND_NOTIFY
        } else {
            RAISE
        };
        let raise = sqlx::query(raise)
            .bind(number(log.revision))
            .bind(log.events)
            .bind(&log.head[..]);
        self.lease.execute(raise).await?;
        match self.lease.script("COMMIT").await {
            Ok(_) => {
                self.lease.release();
                Ok(revision)
            }
            Err(StoreError::Unreachable(why)) => {
                // First of all closes the connection: it may still hold the lock of the log.
                let Self { store, lease, .. } = self;
                let deadline = lease.deadline().max(Instant::now() + store.settings.query_timeout);
                drop(lease);
                find_until(store, log, deadline, why).await.map(|()| revision)
            }
            Err(error) => Err(error),
        }
    }

    /// Commits writes that have no event. If the answer is lost, the outcome is unknown.
    pub(crate) async fn commit_unlogged(mut self) -> Result<()> {
        match self.lease.script("COMMIT").await {
            Ok(_) => {
                self.lease.release();
                Ok(())
            }
            Err(StoreError::Unreachable(_)) => Err(StoreError::OutcomeUnknown),
            Err(error) => Err(error),
        }
    }
}

/// Searches for a commit whose answer was lost, until the database can be reached again or the
/// deadline passes.
async fn find_until(store: &Postgres, log: Log, deadline: Instant, why: String) -> Result<()> {
    loop {
        match find(store, log).await {
            Ok(true) => return Ok(()),
            Ok(false) => return Err(StoreError::Unreachable(why)),
            Err(_) if Instant::now() < deadline => sleep(AGAIN).await,
            Err(_) => return Err(StoreError::OutcomeUnknown),
        }
    }
}

/// True if the last event of a transaction is in the log. Events stay, and no two have the same
/// hash. The lock of the log proves that the other transaction has ended: an event that is missing
/// now stays missing.
async fn find(store: &Postgres, log: Log) -> Result<bool> {
    let mut transaction = Transaction::begin(store).await?;
    let statement = sqlx::query("SELECT 1 FROM events WHERE id = $1 AND hash = $2")
        .bind(log.events)
        .bind(&log.head[..]);
    let found = transaction.lease.optional(statement).await?.is_some();
    transaction.undo().await?;
    Ok(found)
}
