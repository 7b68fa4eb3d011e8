//! Connections, each lent to one call at a time, and a limit of time on every word with the database.
//!
//! Not sqlx's pool: there a call that is given up leaves its connection to be tested without a limit of time, so a database
//! that is frozen or cut off would use up the pool. Here a connection goes back only when its call has ended well. In every
//! other case it is closed, which also undoes its transaction: so any future may be dropped at any time.

use std::{future::Future, sync::Arc, time::Duration};

use futures::TryStreamExt;
use parking_lot::Mutex;
use sqlx::{
    ConnectOptions, Connection, PgConnection, Postgres, SqlSafeStr,
    postgres::{PgArguments, PgConnectOptions, PgRow},
    query::Query,
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout_at},
};

use crate::{Result, StoreError};

/// A connection that nobody has used for so long is tested before it is used again.
const PING_AFTER_IDLE: Duration = Duration::from_secs(1);
/// Longest time to wait for a connection to be made.
pub(super) const CONNECTING: Duration = Duration::from_secs(3);

type Statement<'q> = Query<'q, Postgres, PgArguments>;

/// The connections of one purpose.
pub(super) struct Connections {
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
    /// At most `most` at a time; a call gets an answer within `query_timeout`, or none.
    pub(super) fn new(options: PgConnectOptions, most: usize, query_timeout: Duration) -> Self {
        Self {
            options,
            query_timeout,
            permits: Arc::new(Semaphore::new(most)),
            idle: Arc::default(),
        }
    }

    /// Lends a connection for a call.
    pub(super) async fn acquire(&self) -> Result<Lease> {
        self.acquire_for(self.query_timeout).await
    }

    /// The same, for a call that may take longer.
    pub(super) async fn acquire_for(&self, query_timeout: Duration) -> Result<Lease> {
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
            if within(by, async { Ok(idle.connection.ping().await?) }).await.is_ok() {
                return Ok(idle.connection);
            }
            // Where one is dead, so are those that nobody has used since: the database was restarted, or is cut off.
            self.idle.lock().clear();
        }
        connect(&self.options).await
    }

    /// The one that was used last, so that those that are not needed grow old.
    fn take(&self) -> Option<Idle> {
        self.idle.lock().pop()
    }
}

/// Makes a connection.
pub(super) async fn connect(options: &PgConnectOptions) -> Result<PgConnection> {
    within(Instant::now() + CONNECTING, async { Ok(options.connect().await?) }).await
}

/// A connection that is lent. Dropped without [`Lease::release`], it is closed.
pub(super) struct Lease {
    connection: PgConnection,
    deadline: Instant,
    idle: Arc<Mutex<Vec<Idle>>>,
    _permit: OwnedSemaphorePermit,
}

impl Lease {
    /// To be used by the next call. Only where nothing is left open on it.
    pub(super) fn release(self) {
        self.idle.lock().push(Idle {
            connection: self.connection,
            since: Instant::now(),
        });
    }

    /// Until when its call must be done.
    pub(super) const fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Executes a statement and says how many rows it touched.
    pub(super) async fn execute(&mut self, statement: Statement<'_>) -> Result<u64> {
        within(self.deadline, async {
            Ok(statement.execute(&mut self.connection).await?.rows_affected())
        })
        .await
    }

    /// The same, for a statement whose violated constraints mean something: see [`super::refused`].
    pub(super) async fn insert(&mut self, statement: Statement<'_>, name: &str, referred: &'static str) -> Result<u64> {
        within(self.deadline, async {
            let done = statement.execute(&mut self.connection).await;
            Ok(done
                .map_err(|error| super::refused(error, name, referred))?
                .rows_affected())
        })
        .await
    }

    /// Executes one statement that is a transaction of its own. Where its answer is lost, nobody knows whether it was done.
    pub(super) async fn write(mut self, statement: Statement<'_>, name: &str, referred: &'static str) -> Result<u64> {
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

    /// All rows of an answer.
    pub(super) async fn all(&mut self, statement: Statement<'_>) -> Result<Vec<PgRow>> {
        within(self.deadline, async {
            Ok(statement.fetch_all(&mut self.connection).await?)
        })
        .await
    }

    /// The row of an answer, if there is one.
    pub(super) async fn optional(&mut self, statement: Statement<'_>) -> Result<Option<PgRow>> {
        within(self.deadline, async {
            Ok(statement.fetch_optional(&mut self.connection).await?)
        })
        .await
    }

    /// The row of an answer.
    pub(super) async fn one(&mut self, statement: Statement<'_>) -> Result<PgRow> {
        self.optional(statement)
            .await?
            .ok_or_else(|| StoreError::Corrupt("a row that is always there is missing".into()))
    }

    /// Hands over each row as it comes, so that a large answer is never held twice.
    pub(super) async fn each(
        &mut self,
        statement: Statement<'_>,
        mut row: impl FnMut(&PgRow) -> Result<()>,
    ) -> Result<()> {
        let mut rows = statement.fetch(&mut self.connection);
        while let Some(next) = within(self.deadline, async { Ok(rows.try_next().await?) }).await? {
            row(&next)?;
        }
        Ok(())
    }

    /// Sends several statements without parameters in one go, and gives the rows of all their answers.
    pub(super) async fn script(&mut self, statements: impl SqlSafeStr) -> Result<Vec<PgRow>> {
        within(self.deadline, async {
            Ok(sqlx::raw_sql(statements).fetch_all(&mut self.connection).await?)
        })
        .await
    }
}

/// A frozen database never says no, so every wait has an end.
pub(super) async fn within<T>(deadline: Instant, work: impl Future<Output = Result<T>>) -> Result<T> {
    timeout_at(deadline, work)
        .await
        .unwrap_or_else(|_| Err(StoreError::Unreachable("it does not answer".into())))
}
