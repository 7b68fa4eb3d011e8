//! Hearing that another node has written. Only a wake-up: what was written is read by its revision.

use std::{sync::Arc, time::Duration};

use sqlx::{
    Executor, Pool, Postgres,
    postgres::{PgConnectOptions, PgListener, PgPoolOptions},
};
use tokio::{
    sync::Notify,
    time::{MissedTickBehavior, interval, sleep, timeout},
};

use super::connections::CONNECTING;
use crate::Result;

/// The channel that each commit calls on.
pub(super) const CHANNEL: &str = "cloud_delivery";
/// A connection that was cut says nothing, so it is asked.
const HEARTBEAT: Duration = Duration::from_secs(5);
/// Between two tries to listen.
const AGAIN: Duration = Duration::from_millis(250);

/// Listens for ever and wakes whoever waits: after each notification, and whenever something may have been missed.
pub(super) async fn listen(options: PgConnectOptions, wakeups: Arc<Notify>) {
    loop {
        // Each time with a new listener: one whose connection is lost may be in the middle of anything.
        if let Err(error) = listen_once(&options, &wakeups).await {
            tracing::debug!(%error, "listening to the database");
        }
        // Whatever was said meanwhile, nobody wakeups.
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
        .await?;
    let mut listener = PgListener::connect_with(&pool).await?;
    listener.eager_reconnect(false);
    listener.listen(CHANNEL).await?;
    // From here on nothing is missed; what was written before is found by whoever looks now.
    wakeups.notify_one();
    let mut heartbeat = interval(HEARTBEAT);
    heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            said = listener.try_recv() => match said? {
                Some(_) => wakeups.notify_one(),
                None => return Ok(()),
            },
            _ = heartbeat.tick() => match timeout(CONNECTING, listener.execute("SELECT 1")).await {
                Ok(done) => {
                    done?;
                }
                Err(_) => return Ok(()),
            },
        }
    }
}
