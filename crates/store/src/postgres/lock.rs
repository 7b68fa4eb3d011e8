//! The right to be the node of a name: an advisory lock, held by a connection that does nothing else. Two servers of one name would
//! both run the same sessions.

use std::time::Duration;

use sqlx::{Connection, PgConnection, postgres::PgConnectOptions};
use tokio::time::{Instant, sleep, timeout};

use super::connections::{self, CONNECTING, within};
use crate::{Result, StoreError};

/// Names these locks among the database's advisory locks; the second half of the key is the node's name.
const KEY: i32 = 0x00c1_0dde;
/// Before nodes had names, this was the lock of the only server. Shared by all of ours, it keeps that version out and is kept out by it.
const FIRST_KEY: i64 = 0x00c1_0dde_11fe_0001;
/// How often the connection is asked whether it is still there.
const HEARTBEAT: Duration = Duration::from_secs(2);

/// Takes the lock. [`StoreError::NodeTaken`] where another server has it, [`StoreError::Locked`] where one is there from before nodes
/// had names.
pub(super) async fn take(options: &PgConnectOptions, node: &str) -> Result<PgConnection> {
    let held = options.clone().application_name("cloud-delivery server lock");
    let mut connection = connections::connect(&held).await?;
    let asked = sqlx::query_as("SELECT pg_try_advisory_lock($1, hashtext($2)), pg_try_advisory_lock_shared($3)")
        .bind(KEY)
        .bind(node)
        .bind(FIRST_KEY)
        .fetch_one(&mut connection);
    match within(Instant::now() + CONNECTING, async { Ok(asked.await?) }).await? {
        (true, true) => Ok(connection),
        (false, _) => Err(StoreError::NodeTaken(node.to_owned())),
        (true, false) => Err(StoreError::Locked(options.get_host().to_owned())),
    }
}

/// Keeps it for ever: a database that restarts forgets it, so it is taken again. It may be refused for a while, until the database
/// knows that the connection is gone which has it. Whether another server is this node now is not asked here: that one has said so in
/// the database, and each write and each heartbeat finds it there.
pub(super) async fn keep(options: PgConnectOptions, connection: PgConnection, node: String) {
    let mut held = Some(connection);
    loop {
        sleep(HEARTBEAT).await;
        if let Some(connection) = &mut held
            && let Ok(Ok(())) = timeout(CONNECTING, connection.ping()).await
        {
            continue;
        }
        // First of all, so that it does not refuse itself.
        held = None;
        match take(&options, &node).await {
            Ok(again) => held = Some(again),
            Err(error) => tracing::debug!(%error, "the server's lock is not held yet"),
        }
    }
}
