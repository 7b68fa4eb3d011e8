//! Opening: from a URL to a database with the current layout, and connections with the right
//! settings.

use std::{str::FromStr, time::Duration};

use sqlx::{
    ConnectOptions, Connection, PgConnection,
    migrate::{Migrate, Migrator},
    postgres::PgConnectOptions,
};
use store::{Result, StoreError};
use tokio::time::timeout;

use crate::{
    Postgres, Settings, cluster, connections,
    error::{migration, sql},
    lock,
};

/// PostgreSQL 15, as the server reports its version.
const OLDEST: u32 = 150_000;
/// The time limit for the migrations, of this node or of another one before it.
const MIGRATING: Duration = Duration::from_secs(60);

static MIGRATIONS: Migrator = sqlx::migrate!();

impl Postgres {
    /// Opens the database of a URL (`postgres://user:password@host/database`) for a tool, beside
    /// servers that may be running. [`StoreError::Older`] if only a server may change its layout.
    pub async fn open(url: &str, settings: Settings) -> Result<Self> {
        let options = options(url, &settings)?;
        database(&options, false).await?;
        Ok(Self::new(options, settings))
    }

    /// Opens the database for the node of a name. [`StoreError::NodeTaken`] if another server has
    /// that name.
    pub async fn serve(url: &str, settings: Settings, node: &str) -> Result<Self> {
        let options = options(url, &settings)?;
        let lock = lock::take(&options, node).await?;
        database(&options, true).await?;
        let mut store = Self::new(options.clone(), settings);
        store.served = Some(cluster::claim_node(&store, node).await?);
        store.lock = Some(tokio::spawn(lock::keep(options, lock, node.to_owned())));
        Ok(store)
    }
}

/// The settings of every connection.
fn options(url: &str, settings: &Settings) -> Result<PgConnectOptions> {
    let query_timeout = settings.query_timeout;
    // The wait for a lock must outlast a dead node that holds it, and a statement must outlast the
    // wait for a lock. So the database reports the reason of a failure, and the client's own limit
    // is left for a database that does not answer.
    let (idle, lock, statement) = (query_timeout * 6 / 10, query_timeout * 8 / 10, query_timeout * 9 / 10);
    Ok(PgConnectOptions::from_str(url)
        .map_err(sql)?
        .application_name("cloud-delivery")
        .disable_statement_logging()
        .options([
            ("default_transaction_isolation", "read committed".to_owned()),
            ("idle_in_transaction_session_timeout", milliseconds(idle)),
            ("lock_timeout", milliseconds(lock)),
            ("statement_timeout", milliseconds(statement)),
            // The database must notice a lost connection, or it keeps its locks for hours. The
            // client needs none of these, because each of its waits has an end.
            ("client_connection_check_interval", milliseconds(query_timeout / 5)),
            ("tcp_keepalives_idle", "5".to_owned()),
            ("tcp_keepalives_interval", "2".to_owned()),
            ("tcp_keepalives_count", "3".to_owned()),
            ("tcp_user_timeout", "10000".to_owned()),
        ]))
}

fn milliseconds(duration: Duration) -> String {
    duration.as_millis().max(1).to_string()
}

/// Checks the database. A server migrates its layout, several nodes possibly at once; a tool
/// refuses an older one, because servers of that version may be running.
async fn database(options: &PgConnectOptions, migrate: bool) -> Result<()> {
    // A migration may take longer than a query.
    let patient = options
        .clone()
        .options([("statement_timeout", "0"), ("lock_timeout", "0")]);
    let mut connection = connections::connect(&patient).await?;
    check_version(connection.server_version_num())?;
    let migrated = async {
        if !migrate {
            // Under the lock of the migrations: a layout that is being made at this moment is not
            // an older one.
            connection.lock().await.map_err(migration)?;
            let older = older_layout(&mut connection).await;
            connection.unlock().await.map_err(migration)?;
            if let Some(version) = older.map_err(sql)? {
                return Err(StoreError::Older(version));
            }
        }
        // Under an advisory lock of sqlx.
        MIGRATIONS
            .run_direct(None, &mut connection, false)
            .await
            .map_err(migration)?;
        warn_if_not_durable(&mut connection).await.map_err(sql)?;
        connection.close().await.map_err(sql)
    };
    timeout(MIGRATING, migrated)
        .await
        .unwrap_or_else(|_| Err(StoreError::Unreachable("its layout can't be brought up to date".into())))
}

/// The last migration of a database that lacks one; `None` if it lacks none, and for an empty
/// database.
async fn older_layout(connection: &mut PgConnection) -> sqlx::Result<Option<i64>> {
    let known: bool = sqlx::query_scalar("SELECT to_regclass('_sqlx_migrations') IS NOT NULL")
        .fetch_one(&mut *connection)
        .await?;
    if !known {
        return Ok(None);
    }
    let found: Vec<i64> = sqlx::query_scalar("SELECT version FROM _sqlx_migrations ORDER BY version")
        .fetch_all(connection)
        .await?;
    let lacks_one = MIGRATIONS.iter().any(|known| !found.contains(&known.version));
    Ok(found.last().copied().filter(|_| lacks_one))
}

fn check_version(version: Option<u32>) -> Result<()> {
    match version {
        Some(version) if version < OLDEST => {
            // From 10 on: the major version, then four digits of the minor. Before: two digits
            // each.
            let major = version / 10_000;
            let minor = if major < 10 {
                version / 100 % 100
            } else {
                version % 10_000
            };
            Err(StoreError::OldPostgres(format!("{major}.{minor}"), OLDEST / 10_000))
        }
        _ => Ok(()),
    }
}

/// Warns of settings with which an acknowledged write may not survive a power cut.
async fn warn_if_not_durable(connection: &mut PgConnection) -> sqlx::Result<()> {
    for (statement, weak) in [
        ("SHOW fsync", "off"),
        ("SHOW synchronous_commit", "off"),
        ("SHOW full_page_writes", "off"),
    ] {
        let value: String = sqlx::query_scalar(statement).fetch_one(&mut *connection).await?;
        if value == weak {
            tracing::warn!("the database may lose acknowledged writes in a power cut: `{statement}` is {value}");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
