//! The lock on a node's name: an advisory lock, held by a connection of its own. Two servers with
//! one name would both run the same sessions.

use std::time::Duration;

use sqlx::{Connection, PgConnection, postgres::PgConnectOptions};
use store::{Result, StoreError};
use tokio::time::{Instant, sleep, timeout};

use crate::{
    connections::{self, CONNECTING, within},
    error::sql,
};

/// The first half of the key of these advisory locks; the second half is a hash of the node's name.
const KEY: i32 = 0x00c1_0dde;
/// The lock of the only server in versions without node names. All nodes share it, so it excludes
/// those versions.
const FIRST_KEY: i64 = 0x00c1_0dde_11fe_0001;
/// The interval of the pings on the connection.
const HEARTBEAT: Duration = Duration::from_secs(2);

/// Takes the lock. [`StoreError::NodeTaken`] if another server has it, [`StoreError::Locked`] if a
/// server of a version without node names is running.
pub(crate) async fn take(options: &PgConnectOptions, node: &str) -> Result<PgConnection> {
    let held = options.clone().application_name("cloud-delivery server lock");
    let mut connection = connections::connect(&held).await?;
    let asked = sqlx::query_as("SELECT pg_try_advisory_lock($1, hashtext($2)), pg_try_advisory_lock_shared($3)")
        .bind(KEY)
        .bind(node)
        .bind(FIRST_KEY)
        .fetch_one(&mut connection);
    match within(Instant::now() + CONNECTING, async { asked.await.map_err(sql) }).await? {
        (true, true) => Ok(connection),
        (false, _) => Err(StoreError::NodeTaken(node.to_owned())),
        (true, false) => Err(StoreError::Locked(options.get_host().to_owned())),
    }
}

/// Keeps the lock until the task is aborted. A database that restarts forgets it, so it is taken
/// again; that may fail for a while, until the database notices that the old connection is gone.
/// This task does not check if another server has become this node: each write and each heartbeat
/// finds that in the table of nodes.
pub(crate) async fn keep(options: PgConnectOptions, connection: PgConnection, node: String) {
    let mut held = Some(connection);
    loop {
        sleep(HEARTBEAT).await;
        if let Some(connection) = &mut held
            && let Ok(Ok(())) = timeout(CONNECTING, connection.ping()).await
        {
            continue;
        }
        // Closed first: its own lock must not exclude the new one.
        held = None;
        match take(&options, &node).await {
            Ok(again) => held = Some(again),
            Err(error) => tracing::debug!(%error, "could not take the node's lock; will retry"),
        }
    }
}
