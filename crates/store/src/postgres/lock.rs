//! The right to be the node of a name: an advisory lock, held by a connection that does nothing else. Two servers of one name would
//! both run the same sessions.

use std::time::Duration;

use sqlx::{Connection, PgConnection, postgres::PgConnectOptions};
use tokio::time::{sleep, timeout};

use super::connections::{self, CONNECTING};
use crate::{Result, StoreError};

/// Names these locks among the database's advisory locks; the second half of the key is the node's name.
const KEY: i32 = 0x00c1_0dde;
/// How often the connection is asked whether it is still there.
const HEARTBEAT: Duration = Duration::from_secs(2);

/// Takes the lock. [`StoreError::NodeTaken`] where another server has it.
pub(super) async fn take(options: &PgConnectOptions, node: &str) -> Result<PgConnection> {
    let held = options.clone().application_name("cloud-delivery server lock");
    let mut connection = connections::connect(&held).await?;
    let free: bool = sqlx::query_scalar("SELECT pg_try_advisory_lock($1, hashtext($2))")
        .bind(KEY)
        .bind(node)
        .fetch_one(&mut connection)
        .await?;
    if free {
        Ok(connection)
    } else {
        Err(StoreError::NodeTaken(node.to_owned()))
    }
}

/// Keeps it for ever: a database that restarts forgets it, so it is taken again.
pub(super) async fn keep(options: PgConnectOptions, mut connection: PgConnection, node: String) {
    loop {
        sleep(HEARTBEAT).await;
        if let Ok(Ok(())) = timeout(CONNECTING, connection.ping()).await {
            continue;
        }
        match take(&options, &node).await {
            Ok(again) => connection = again,
            Err(StoreError::NodeTaken(_)) => {
                tracing::error!(node, "another server has taken this node's name: stop one of the two")
            }
            Err(error) => tracing::debug!(%error, "the server's lock waits for the database"),
        }
    }
}
