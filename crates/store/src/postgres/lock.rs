//! The right to be the node of a name: an advisory lock, held by a connection that does nothing else. Two servers of one name would
//! both run the same sessions.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use sqlx::{Connection, PgConnection, postgres::PgConnectOptions};
use tokio::time::{Instant, sleep, timeout};

use super::connections::{self, CONNECTING};
use crate::{Result, StoreError};

/// Names these locks among the database's advisory locks; the second half of the key is the node's name.
const KEY: i32 = 0x00c1_0dde;
/// Before nodes had names, this was the lock of the only server. Shared by all of ours, it keeps that version out and is kept out by it.
const FIRST_KEY: i64 = 0x00c1_0dde_11fe_0001;
/// How often the connection is asked whether it is still there.
const HEARTBEAT: Duration = Duration::from_secs(2);

/// How long the database may hold the lock for a connection that was cut, until its keep-alives find out (`open::options`).
const LINGERS: Duration = Duration::from_secs(15);

/// Takes the lock. [`StoreError::NodeTaken`] where another server has it.
pub(super) async fn take(options: &PgConnectOptions, node: &str) -> Result<PgConnection> {
    let held = options.clone().application_name("cloud-delivery server lock");
    let mut connection = connections::connect(&held).await?;
    let free: bool =
        sqlx::query_scalar("SELECT pg_try_advisory_lock($1, hashtext($2)) AND pg_try_advisory_lock_shared($3)")
            .bind(KEY)
            .bind(node)
            .bind(FIRST_KEY)
            .fetch_one(&mut connection)
            .await?;
    if free {
        Ok(connection)
    } else {
        Err(StoreError::NodeTaken(node.to_owned()))
    }
}

/// Keeps it for ever: a database that restarts forgets it, so it is taken again. Where another server has taken it meanwhile, says so
/// by `taken` and ends.
pub(super) async fn keep(options: PgConnectOptions, connection: PgConnection, node: String, taken: Arc<AtomicBool>) {
    let mut held = Some(connection);
    let mut refused: Option<Instant> = None;
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
            Ok(again) => (held, refused) = (Some(again), None),
            Err(StoreError::NodeTaken(_)) => {
                let since = *refused.get_or_insert_with(Instant::now);
                if since.elapsed() >= LINGERS {
                    tracing::error!(node, "another server has taken this node's name");
                    taken.store(true, Ordering::Release);
                    return;
                }
            }
            Err(error) => tracing::debug!(%error, "the server's lock waits for the database"),
        }
    }
}
