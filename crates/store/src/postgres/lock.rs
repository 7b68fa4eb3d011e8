//! The right to be the server of a database: an advisory lock, held by a connection that does nothing else.
//!
//! Until several servers can share the sessions' environments and tabs, there is one at a time.

use std::time::Duration;

use sqlx::{Connection, PgConnection, postgres::PgConnectOptions};
use tokio::time::{sleep, timeout};

use super::connections::{self, CONNECTING};
use crate::{Result, StoreError};

/// Names the lock among the database's advisory locks.
const KEY: i64 = 0x00c1_0dde_11fe_0001;
/// How often the connection is asked whether it is still there.
const HEARTBEAT: Duration = Duration::from_secs(2);

/// Takes the lock. [`StoreError::Locked`] where another server has it.
pub(super) async fn take(options: &PgConnectOptions) -> Result<PgConnection> {
    let held = options.clone().application_name("cloud-delivery server lock");
    let mut connection = connections::connect(&held).await?;
    let free: bool = sqlx::query_scalar("SELECT pg_try_advisory_lock($1)")
        .bind(KEY)
        .fetch_one(&mut connection)
        .await?;
    if free {
        Ok(connection)
    } else {
        Err(StoreError::Locked(options.get_host().to_owned()))
    }
}

/// Keeps it for ever: a database that restarts forgets it, so it is taken again.
pub(super) async fn keep(options: PgConnectOptions, mut connection: PgConnection) {
    loop {
        sleep(HEARTBEAT).await;
        if let Ok(Ok(())) = timeout(CONNECTING, connection.ping()).await {
            continue;
        }
        match take(&options).await {
            Ok(again) => connection = again,
            Err(StoreError::Locked(_)) => {
                tracing::error!("another server has taken over the database: stop one of the two")
            }
            Err(error) => tracing::debug!(%error, "the server's lock waits for the database"),
        }
    }
}
