//! A connection pool with a timeout on every query.
//!
//! sqlx's own pool tests a connection after a dropped call without a timeout, so a database that is
//! frozen or cut off uses up that pool. Here a connection returns to the pool only after its call
//! has succeeded. In every other case it is closed, which also undoes its transaction: so any
//! future may be dropped at any time.

use std::{future::Future, sync::Arc, time::Duration};

use futures::TryStreamExt;
use parking_lot::Mutex;
use sqlx::{
    ConnectOptions, Connection, PgConnection, Postgres, SqlSafeStr,
    postgres::{PgArguments, PgConnectOptions, PgRow},
    query::Query,
};
use store::{Result, StoreError};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout_at},
};

use crate::error::{constraint, sql};

/// A connection that was idle for this long is tested before its next use.
const PING_AFTER_IDLE: Duration = Duration::from_secs(1);
/// The time limit for making a connection.
pub(crate) const CONNECTING: Duration = Duration::from_secs(3);

type Statement<'q> = Query<'q, Postgres, PgArguments>;

/// A pool, with a time limit for each query.
pub(crate) struct Connections {
    options: PgConnectOptions,
    query_timeout: Duration,
    permits: Arc<Semaphore>,
    idle: Arc<Mutex<Vec<Idle>>>,
}

struct Idle {
    connection: PgConnection,
    since: Instant,
}

impl Connections {
    /// A pool of at most `most` connections, with a time limit for each call.
    pub(crate) fn new(options: PgConnectOptions, most: usize, query_timeout: Duration) -> Self {
        Self {
            options,
            query_timeout,
            permits: Arc::new(Semaphore::new(most)),
            idle: Arc::default(),
        }
    }

    /// Waits for a connection.
    pub(crate) async fn acquire(&self) -> Result<Lease> {
        self.acquire_for(self.query_timeout).await
    }

    /// The same, for a call with another time limit.
    pub(crate) async fn acquire_for(&self, query_timeout: Duration) -> Result<Lease> {
        let by = Instant::now() + self.query_timeout;
        let permit = within(by, async {
            let permit = self.permits.clone().acquire_owned().await;
            permit.map_err(|_| StoreError::Closed)
        })
        .await?;
        let connection = within(by, self.connection()).await?;
        Ok(Lease {
            connection,
            deadline: Instant::now() + query_timeout,
            idle: self.idle.clone(),
            _permit: permit,
        })
    }

    async fn connection(&self) -> Result<PgConnection> {
        while let Some(mut idle) = self.take() {
            if idle.since.elapsed() < PING_AFTER_IDLE {
                return Ok(idle.connection);
            }
            let by = Instant::now() + self.query_timeout.min(PING_AFTER_IDLE);
            if within(by, async { idle.connection.ping().await.map_err(sql) })
                .await
                .is_ok()
            {
                return Ok(idle.connection);
            }
            // The database was restarted or is cut off, so the connections that have been idle for
            // longer are dead too.
            self.idle.lock().clear();
        }
        connect(&self.options).await
    }

    /// The one that was used last, so that surplus connections stay idle.
    fn take(&self) -> Option<Idle> {
        self.idle.lock().pop()
    }
}

/// Makes a connection.
pub(crate) async fn connect(options: &PgConnectOptions) -> Result<PgConnection> {
    within(Instant::now() + CONNECTING, async {
        options.connect().await.map_err(sql)
    })
    .await
}

/// A connection in use. Dropped without [`Lease::release`], it is closed.
pub(crate) struct Lease {
    connection: PgConnection,
    deadline: Instant,
    idle: Arc<Mutex<Vec<Idle>>>,
    _permit: OwnedSemaphorePermit,
}

impl Lease {
    /// Returns it to the pool. No transaction may be open on it.
    pub(crate) fn release(self) {
        self.idle.lock().push(Idle {
            connection: self.connection,
            since: Instant::now(),
        });
    }

    /// The deadline of its call.
    pub(crate) const fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Executes a statement and returns the number of rows that it changed.
    pub(crate) async fn execute(&mut self, statement: Statement<'_>) -> Result<u64> {
        within(self.deadline, async {
            let done = statement.execute(&mut self.connection).await;
            Ok(done.map_err(sql)?.rows_affected())
        })
        .await
    }

    /// The same, for a statement that may violate a [`constraint`].
    pub(crate) async fn insert(&mut self, statement: Statement<'_>, name: &str, referred: &'static str) -> Result<u64> {
        within(self.deadline, async {
            let done = statement.execute(&mut self.connection).await;
            Ok(done.map_err(|error| constraint(error, name, referred))?.rows_affected())
        })
        .await
    }

    /// Executes one statement that is a transaction of its own. If its answer is lost, the outcome
    /// is unknown.
    pub(crate) async fn write(mut self, statement: Statement<'_>, name: &str, referred: &'static str) -> Result<u64> {
        let done = self.insert(statement, name, referred).await;
        match done {
            Ok(rows) => {
                self.release();
                Ok(rows)
            }
            Err(StoreError::Unreachable(_)) => Err(StoreError::OutcomeUnknown),
            Err(error) => Err(error),
        }
    }

    pub(crate) async fn all(&mut self, statement: Statement<'_>) -> Result<Vec<PgRow>> {
        within(self.deadline, async {
            statement.fetch_all(&mut self.connection).await.map_err(sql)
        })
        .await
    }

    /// The row of a query, if there is one.
    pub(crate) async fn optional(&mut self, statement: Statement<'_>) -> Result<Option<PgRow>> {
        within(self.deadline, async {
            statement.fetch_optional(&mut self.connection).await.map_err(sql)
        })
        .await
    }

    /// The row of a query that always has one.
    pub(crate) async fn one(&mut self, statement: Statement<'_>) -> Result<PgRow> {
        self.optional(statement)
            .await?
            .ok_or_else(|| StoreError::Corrupt("a row that is always there is missing".into()))
    }

    /// Passes on each row as it arrives, so that a large answer is never in memory twice.
    pub(crate) async fn each(
        &mut self,
        statement: Statement<'_>,
        mut row: impl FnMut(&PgRow) -> Result<()>,
    ) -> Result<()> {
        let mut rows = statement.fetch(&mut self.connection);
        while let Some(next) = within(self.deadline, async { rows.try_next().await.map_err(sql) }).await? {
            row(&next)?;
        }
        Ok(())
    }

    /// Sends several statements without parameters in one round trip, and returns the rows of all
    /// of them.
    pub(crate) async fn script(&mut self, statements: impl SqlSafeStr) -> Result<Vec<PgRow>> {
        within(self.deadline, async {
            let all = sqlx::raw_sql(statements).fetch_all(&mut self.connection);
            all.await.map_err(sql)
        })
        .await
    }
}

/// Ends a wait at its deadline: a frozen database never answers.
pub(crate) async fn within<T>(deadline: Instant, work: impl Future<Output = Result<T>>) -> Result<T> {
    timeout_at(deadline, work)
        .await
        .unwrap_or_else(|_| Err(StoreError::Unreachable("it does not answer".into())))
}
