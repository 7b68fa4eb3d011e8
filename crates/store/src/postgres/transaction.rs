//! Transactions that write to the log: one at a time over all nodes, each with its events.

use std::time::Duration;

use session::Event;
use sqlx::AssertSqlSafe;
use tokio::time::{Instant, sleep};

use super::{Postgres, Served, connections::Lease, events, rows::Columns};
use crate::{
    Result, StoreError,
    chain::Hash,
    values::{corrupt, number},
};

/// Whoever has locked the row has the log for themselves, on every node.
const BEGIN: &str = "BEGIN; SELECT revision, events, head FROM log FOR UPDATE";
/// What a node asks besides, for its name may by then be another server's: one that was cut off, or whose machine slept, must write
/// nothing of what it still believes. A statement of its own, which sees what was committed while it waited for the row.
const STILL_SERVED: &str = "SELECT name FROM nodes WHERE server = ";
const RAISE: &str = "UPDATE log SET revision = $1, events = $2, head = $3";
const RAISE_AND_TELL: &str = "WITH raised AS (UPDATE log SET revision = $1, events = $2, head = $3 RETURNING revision) \
     SELECT pg_notify('cloud_delivery', revision::text) FROM raised";
/// How long to wait before the next try to find out what became of a commit.
const AGAIN: Duration = Duration::from_millis(50);

/// The row of the log.
#[derive(Clone, Copy)]
pub(super) struct Log {
    pub(super) revision: u64,
    pub(super) events: i64,
    pub(super) head: Hash,
}

/// An open transaction that has the log for itself. Dropped without [`Transaction::commit`], its connection is closed,
/// which undoes everything and leaves nothing open, whatever went wrong or whoever hung up. So it doesn't use sqlx's
/// transactions: beginning one must not be given up half-way.
pub(super) struct Transaction<'a> {
    store: &'a Postgres,
    lease: Lease,
    log: Log,
}

impl<'a> Transaction<'a> {
    /// Begins one, when its turn has come.
    pub(super) async fn begin(store: &'a Postgres) -> Result<Self> {
        let lease = store.writers.acquire().await?;
        Self::with(store, lease).await
    }

    /// The same, for one that writes very much.
    pub(super) async fn begin_long(store: &'a Postgres, query_timeout: Duration) -> Result<Self> {
        let lease = store.writers.acquire_for(query_timeout).await?;
        Self::with(store, lease).await
    }

    async fn with(store: &'a Postgres, mut lease: Lease) -> Result<Self> {
        let rows = match &store.served {
            Some(Served { server, .. }) => {
                let asked = format!("{BEGIN}; {STILL_SERVED}'{server}'");
                lease.script(AssertSqlSafe(asked)).await?
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
    pub(super) const fn before(&self) -> u64 {
        self.log.revision
    }

    /// To read and write with.
    pub(super) const fn lease(&mut self) -> &mut Lease {
        &mut self.lease
    }

    /// Ends it and undoes what it wrote.
    pub(super) async fn undo(mut self) -> Result<()> {
        self.lease.script("ROLLBACK").await?;
        self.lease.release();
        Ok(())
    }

    /// Adds the events, raises the revision last and commits. Returns the revision, when everything is on the disk.
    pub(super) async fn commit(mut self, happened: &[Event]) -> Result<u64> {
        let revision = self.log.revision + 1;
        let log = events::insert(&mut self.lease, self.log, revision, happened).await?;
        let raise = if self.store.settings.notify {
            RAISE_AND_TELL
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
                // Closed before anything else: it may still hold the log.
                let Self { store, lease, .. } = self;
                let deadline = lease.deadline().max(Instant::now() + store.settings.query_timeout);
                drop(lease);
                became(store, log, deadline, why).await.map(|()| revision)
            }
            Err(error) => Err(error),
        }
    }

    /// Commits what is not in the log. Where the answer is lost, nobody knows whether it was done.
    pub(super) async fn commit_unlogged(mut self) -> Result<()> {
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

/// What became of a commit whose answer was lost: looks until the database can be reached again, or query_timeout is over.
async fn became(store: &Postgres, log: Log, deadline: Instant, why: String) -> Result<()> {
    loop {
        match find(store, log).await {
            Ok(true) => return Ok(()),
            Ok(false) => return Err(StoreError::Unreachable(why)),
            Err(_) if Instant::now() < deadline => sleep(AGAIN).await,
            Err(_) => return Err(StoreError::OutcomeUnknown),
        }
    }
}

/// Is the last event of a transaction there? Events stay, and no two have the same hash. Whoever holds the log knows that
/// the other transaction has ended, so what is not there now never will be.
async fn find(store: &Postgres, log: Log) -> Result<bool> {
    let mut transaction = Transaction::begin(store).await?;
    let question = sqlx::query("SELECT 1 FROM events WHERE id = $1 AND hash = $2")
        .bind(log.events)
        .bind(&log.head[..]);
    let found = transaction.lease.optional(question).await?.is_some();
    transaction.undo().await?;
    Ok(found)
}
