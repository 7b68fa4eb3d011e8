//! From a URL to a database whose layout is up to date and connections whose settings are in force.

use std::{str::FromStr, time::Duration};

use sqlx::{
    ConnectOptions, Connection, PgConnection,
    migrate::{Migrate, Migrator},
    postgres::PgConnectOptions,
};
use tokio::time::timeout;

use super::{Settings, connections, earlier};
use crate::{Result, StoreError};

/// PostgreSQL 15, as it tells its version.
const OLDEST: u32 = 150_000;
/// Longest time to bring the layout up to date, or to wait while another node does.
const MIGRATING: Duration = Duration::from_secs(60);

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/postgres");

/// What every connection is opened with.
pub(super) fn options(url: &str, settings: &Settings) -> Result<PgConnectOptions> {
    let query_timeout = settings.query_timeout;
    // Who waits for a lock must outlast a node that died with it, and a statement whoever waits for a lock: then each
    // failure is told by the one who knows the reason, and the client's own limit is for a database that says nothing.
    let (idle, lock, statement) = (query_timeout * 6 / 10, query_timeout * 8 / 10, query_timeout * 9 / 10);
    Ok(PgConnectOptions::from_str(url)?
        .application_name("cloud-delivery")
        .disable_statement_logging()
        .options([
            ("default_transaction_isolation", "read committed".to_owned()),
            ("idle_in_transaction_session_timeout", milliseconds(idle)),
            ("lock_timeout", milliseconds(lock)),
            ("statement_timeout", milliseconds(statement)),
            // The server's side of a connection that was cut: without these it would keep locks for hours. The client's
            // side needs none, because every wait there has an end.
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

/// Checks the database. For a server, brings its layout up to date, which several nodes may do at once; a tool refuses an earlier
/// one, for servers of that version may be running.
pub(super) async fn database(options: &PgConnectOptions, migrate: bool) -> Result<()> {
    // Beside the layout, nothing here is bound to be quick.
    let patient = options
        .clone()
        .options([("statement_timeout", "0"), ("lock_timeout", "0")]);
    let mut connection = connections::connect(&patient).await?;
    check_version(connection.server_version_num())?;
    let migrated = async {
        if !migrate {
            // Under the lock that migrations hold: a layout that is just being made is not an older one.
            connection.lock().await?;
            let older = earlier::version(&mut connection, &MIGRATIONS).await;
            connection.unlock().await?;
            if let Some(version) = older? {
                return Err(StoreError::Older(version));
            }
        }
        earlier::adopt(&mut connection, &MIGRATIONS).await?;
        // Under an advisory lock of sqlx's own.
        MIGRATIONS.run_direct(None, &mut connection, false).await?;
        check_durability(&mut connection).await?;
        Ok::<_, StoreError>(connection.close().await?)
    };
    timeout(MIGRATING, migrated)
        .await
        .unwrap_or_else(|_| Err(StoreError::Unreachable("its layout can't be brought up to date".into())))
}

fn check_version(version: Option<u32>) -> Result<()> {
    match version {
        Some(version) if version < OLDEST => {
            // From 10 on: the major version, then four digits. Before: twice two.
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

/// An acknowledged write must survive a power cut. That is the operator's to promise, but not to break by accident.
async fn check_durability(connection: &mut PgConnection) -> Result<()> {
    for (question, weak) in [
        ("SHOW fsync", "off"),
        ("SHOW synchronous_commit", "off"),
        ("SHOW full_page_writes", "off"),
    ] {
        let value: String = sqlx::query_scalar(question).fetch_one(&mut *connection).await?;
        if value == weak {
            tracing::warn!("the database may lose acknowledged writes in a power cut: {question} says {value}");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fifteen_is_the_oldest() {
        for version in [Some(150_000), Some(150_018), Some(180_001), None] {
            assert!(check_version(version).is_ok(), "{version:?}");
        }
        for (version, named) in [(140_019, "14.19"), (90_624, "9.6"), (130_000, "13.0")] {
            let refused = check_version(Some(version)).unwrap_err();
            assert!(
                matches!(&refused, StoreError::OldPostgres(old, 15) if old == named),
                "{refused:?}"
            );
            assert!(refused.to_string().contains("at least 15 is needed"), "{refused}");
        }
    }
}
