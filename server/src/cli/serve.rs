//! `cloud-delivery serve`

use std::{net::SocketAddr, pin::pin, time::Duration};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::{
    net::TcpListener,
    signal::unix::{Signal, SignalKind, signal},
    time::timeout,
};

use super::{Outcome, first_passwords};
use crate::{
    composition::{self, Served},
    http,
    settings::Settings,
    supervisor,
};

/// How long requests that are under way have to end, after the server was told to stop. Together with the others below
/// 10 s: what waits for the server waits no longer.
const REQUESTS: Duration = Duration::from_secs(5);
/// How long open tabs have to take the last word.
const TABS: Duration = Duration::from_secs(1);
/// How long the background tasks have to end.
const TASKS: Duration = Duration::from_secs(1);
/// How long the last commit may take.
const FLUSH: Duration = Duration::from_secs(2);

/// Runs the server until it is told to stop.
pub async fn run(settings: Settings) -> Outcome {
    allow_open_files();
    let listener = TcpListener::bind(settings.addr).await.map_err(|error| {
        let hint = "choose another with CLOUD_DELIVERY_ADDR, e.g. 127.0.0.1:3100";
        format!("can't listen on {}: {error}; {hint}", settings.addr)
    })?;
    let served = composition::serve(&settings).await?;
    if let Some(first) = &served.first_start {
        first_passwords::show(first, &settings.data_dir)?;
    }
    let router = http::router(&served.control, &settings)?;
    let mut told = Stop::listen()?;
    println!("Cloud Delivery is ready: {}", settings.url());
    supervisor::ready(&served.control);
    let control = served.control.clone();
    let mut server = pin!(
        axum::serve(listener, router.into_make_service_with_connect_info::<SocketAddr>())
            .with_graceful_shutdown(async move { control.draining().await })
            .into_future()
    );
    tokio::select! {
        ended = &mut server => return Err(format!("the server ended by itself: {ended:?}")),
        () = told.signalled() => {}
        () = served.control.broken() => return Err("nothing more can be written, as the log says above; start again".into()),
    }
    tokio::select! {
        () = go_down(served, server) => tracing::info!("stopped"),
        () = told.signalled() => tracing::warn!("told to stop a second time: stopped at once"),
    }
    Ok(())
}

/// Each tab is an open file. A shell gives a process 1,024 of them at first, and lets it have many more.
fn allow_open_files() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let all = Rlimit {
        current: maximum,
        maximum,
    };
    if let Err(error) = setrlimit(Resource::Nofile, all) {
        tracing::warn!(%error, "no more files can be open than at the start");
    }
}

/// Lets nobody in, tells everybody who is there to come back, and writes what is queued.
async fn go_down(served: Served, server: impl Future<Output = std::io::Result<()>>) {
    tracing::info!("stopping: tabs and watchers are told to come back");
    supervisor::stopping();
    let control = served.control.clone();
    control.drain();
    if timeout(REQUESTS, server).await.is_err() {
        tracing::warn!("some requests did not end in time");
    }
    if timeout(TABS, control.tabs_told()).await.is_err() {
        tracing::warn!("some tabs did not take the last word in time");
    }
    if timeout(TASKS, served.stop()).await.is_err() {
        tracing::warn!("some background tasks did not end in time");
    }
    if timeout(FLUSH, control.flush()).await.is_err() {
        tracing::error!("what was queued could not be written in time; nobody was told that it was");
    }
}

/// Ctrl-C and SIGTERM.
struct Stop {
    interrupt: Signal,
    terminate: Signal,
}

impl Stop {
    fn listen() -> Result<Self, String> {
        let listen = |kind| signal(kind).map_err(|error| format!("signals can't be received: {error}"));
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
        })
    }

    /// Returns with the next of them.
    async fn signalled(&mut self) {
        tokio::select! { _ = self.interrupt.recv() => {}, _ = self.terminate.recv() => {} }
    }
}
