//! Notifications of other nodes' commits. They are only wake-ups: a node finds the change by its
//! revision.

use std::{sync::Arc, time::Duration};

use sqlx::{
    Executor, Pool, Postgres,
    postgres::{PgConnectOptions, PgListener, PgPoolOptions},
};
use store::Result;
use tokio::{
    sync::Notify,
    time::{MissedTickBehavior, interval, sleep, timeout},
};

use crate::{connections::CONNECTING, error::sql};

/// The channel of the notifications.
const CHANNEL: &str = "cloud_delivery";
/// The interval of the pings on the connection: a lost one reports nothing.
const HEARTBEAT: Duration = Duration::from_secs(5);
/// The pause between two attempts to listen.
const AGAIN: Duration = Duration::from_millis(250);

/// Wakes the waiter after each notification, and whenever one may have been missed. Runs until the
/// task is aborted.
pub(crate) async fn listen(options: PgConnectOptions, wakeups: Arc<Notify>) {
    loop {
        // A new listener each time: the state of one that lost its connection is unknown.
        if let Err(error) = listen_once(&options, &wakeups).await {
            tracing::debug!(%error, "lost the connection for notifications; will retry");
        }
        // Notifications may have been missed.
        wakeups.notify_one();
        sleep(AGAIN).await;
    }
}

/// Returns when the connection is lost.
async fn listen_once(options: &PgConnectOptions, wakeups: &Notify) -> Result<()> {
    let pool: Pool<Postgres> = PgPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(CONNECTING)
        .max_lifetime(None)
        .idle_timeout(None)
        .connect_with(options.clone().application_name("cloud-delivery listening"))
        .await
        .map_err(sql)?;
    let mut listener = PgListener::connect_with(&pool).await.map_err(sql)?;
    listener.eager_reconnect(false);
    listener.listen(CHANNEL).await.map_err(sql)?;
    // No notification is missed from here on. The waiter finds earlier commits when it reads now.
    wakeups.notify_one();
    let mut heartbeat = interval(HEARTBEAT);
    heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            received = listener.try_recv() => match received.map_err(sql)? {
                Some(_) => wakeups.notify_one(),
                None => return Ok(()),
            },
            _ = heartbeat.tick() => match timeout(CONNECTING, listener.execute("SELECT 1")).await {
                Ok(done) => {
                    done.map_err(sql)?;
                }
                Err(_) => return Ok(()),
            },
        }
    }
}
