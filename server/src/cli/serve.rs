//! `cloud-delivery serve`

use std::{net::SocketAddr, time::Duration};

use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};

use super::Outcome;
use crate::{composition, http, settings::Settings};

/// How long the background tasks have to end.
const DRAIN: Duration = Duration::from_secs(5);

/// Runs the server until it is told to stop.
pub async fn run(settings: Settings) -> Outcome {
    let listener = TcpListener::bind(settings.addr).await.map_err(|error| {
        let hint = "choose another with CLOUD_DELIVERY_ADDR, e.g. 127.0.0.1:3100";
        format!("can't listen on {}: {error}; {hint}", settings.addr)
    })?;
    let served = composition::serve(&settings).await?;
    if let Some(first) = &served.first_start {
        println!("First start. These passwords are shown once; change them with “cloud-delivery user set-password”:");
        for (username, password) in &first.people {
            println!("  {username:<8} {password}");
        }
    }
    let router = http::router(&served.control, &settings)?;
    println!("Cloud Delivery is ready: {}", settings.url());
    let stopped = stop()?;
    let server = axum::serve(listener, router.into_make_service_with_connect_info::<SocketAddr>());
    tokio::select! {
        ended = server => ended.map_err(|error| format!("the server ended: {error}"))?,
        // Streams and watches never end by themselves, so there is no waiting for all to end.
        () = stopped => {}
        () = served.control.broken() => return Err("the disk of the data directory failed; start again".into()),
    }
    drop(tokio::time::timeout(DRAIN, served.stop()).await);
    Ok(())
}

/// Resolves on Ctrl-C and on SIGTERM.
fn stop() -> Result<impl Future<Output = ()>, String> {
    let listen = |kind| signal(kind).map_err(|error| format!("signals can't be received: {error}"));
    let (mut interrupt, mut terminate) = (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
    })
}
