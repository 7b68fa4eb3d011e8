//! `cloud-delivery serve`

use std::{pin::pin, sync::Arc, time::Duration};

use anyhow::{Context, anyhow, bail};
use tokio::{
    net::TcpListener,
    signal::unix::{Signal, SignalKind, signal},
    time::timeout,
};

use super::first_passwords;
use crate::{
    composition::{self, Served},
    http::{
        self,
        connections::IsExempt,
        limits::{Limits, connections, raise_open_files},
        listener,
    },
    settings::Settings,
    supervisor,
};

/// Time for requests in progress to end after SIGTERM. With the three timeouts below it stays under
/// 10 s, after which a supervisor kills the process.
const REQUESTS: Duration = Duration::from_secs(5);
/// Time for open tabs to receive their close frame.
const TABS: Duration = Duration::from_secs(1);
/// Time for the background tasks to end.
const TASKS: Duration = Duration::from_secs(1);
/// Time for the last commit.
const FLUSH: Duration = Duration::from_secs(2);

/// Runs the server until a signal stops it.
pub async fn run(settings: Settings) -> anyhow::Result<()> {
    let limits = Limits {
        connections: connections(raise_open_files()),
        connections_per_address: settings.connections_per_address,
        ..Limits::default()
    };
    let listener = TcpListener::bind(settings.addr).await.map_err(|error| {
        let hint = "choose another with CLOUD_DELIVERY_ADDR, e.g. 127.0.0.1:3100";
        anyhow!("can't listen on {}: {error}; {hint}", settings.addr)
    })?;
    let served = composition::serve(&settings).await?;
    if let Some(first) = &served.first_start {
        first_passwords::show(first, &settings.data_dir)?;
    }
    let router = http::router(&served.control, &settings, limits)?;
    let mut signals = StopSignals::listen()?;
    println!("Cloud Delivery is ready: {}", settings.url());
    supervisor::ready(&served.control);
    let control = served.control.clone();
    // A reverse proxy carries the connections of all its clients.
    let proxies = settings.trusted_proxies.clone();
    let is_exempt: IsExempt = Arc::new(move |peer| peer.to_canonical().is_loopback() || proxies.contains(peer));
    let stop = async move { control.wait_for_shutdown().await };
    let mut server = pin!(listener::serve(listener, router, limits, is_exempt, stop));
    tokio::select! {
        () = &mut server => bail!("the HTTP server stopped unexpectedly"),
        () = signals.next() => {}
        () = served.control.wait_until_broken() => {
            bail!("the server can write nothing more (the log above has the reason); restart it");
        }
    }
    tokio::select! {
        () = shut_down(served, server) => tracing::info!("the server stopped"),
        () = signals.next() => tracing::warn!("received a second signal; stopped at once"),
    }
    Ok(())
}

/// Graceful shutdown: stops accepting work, asks tabs and watches to reconnect, and flushes the
/// write queue.
async fn shut_down(served: Served, server: impl Future<Output = ()>) {
    tracing::info!("shutting down; asking tabs and watches to reconnect");
    supervisor::stopping();
    let control = served.control.clone();
    control.begin_shutdown();
    if timeout(REQUESTS, server).await.is_err() {
        tracing::warn!("timed out waiting for requests; continuing the shutdown");
    }
    if timeout(TABS, control.wait_tabs_closed()).await.is_err() {
        tracing::warn!("timed out sending close frames to tabs; continuing the shutdown");
    }
    if timeout(TASKS, served.stop()).await.is_err() {
        tracing::warn!("timed out stopping background tasks; continuing the shutdown");
    }
    if timeout(FLUSH, control.flush()).await.is_err() {
        tracing::error!("timed out flushing the write queue; unacknowledged writes were dropped");
    }
}

/// The signals that stop the server: SIGINT (Ctrl-C) and SIGTERM.
struct StopSignals {
    interrupt: Signal,
    terminate: Signal,
}

impl StopSignals {
    fn listen() -> anyhow::Result<Self> {
        let listen = |kind| signal(kind).context("could not listen for signals");
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
        })
    }

    /// Waits for the next of them.
    async fn next(&mut self) {
        tokio::select! { _ = self.interrupt.recv() => {}, _ = self.terminate.recv() => {} }
    }
}
