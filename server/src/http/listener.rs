//! Accepts connections and serves HTTP/1.1 on them. This uses hyper directly, because
//! `axum::serve` has no timeout for the head of a request, no limit of connections, and no timeout
//! for clients that read nothing.

use std::{io, net::SocketAddr, pin::pin, time::Duration};

use axum::{Router, body::Body, extract::ConnectInfo};
use http::Request;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    time::sleep,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt;

use super::{
    connections::{Connection, IsExempt, Slot, Slots},
    limits::Limits,
};

/// Largest head of a request and largest write buffer of a connection, in bytes.
const BUFFER: usize = 128 * 1024;
/// Delay before the next `accept` after an error that may be temporary.
const REST: Duration = Duration::from_millis(200);

/// Serves until `stop` is ready. Then it accepts no more connections, and returns once the requests
/// in progress are answered. It does not wait for upgraded connections, which `control` tracks.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    is_exempt: IsExempt,
    stop: impl Future<Output = ()>,
) {
    let slots = Slots::new(&limits, is_exempt);
    let (tasks, stopping) = (TaskTracker::new(), CancellationToken::new());
    let mut stop = pin!(stop);
    loop {
        let (stream, peer, slot) = tokio::select! {
            biased;
            () = &mut stop => break,
            accepted = accept(&listener, &slots) => accepted,
        };
        let connection = Connection::new(stream, slot, limits.stalled);
        let router = router.clone();
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(ConnectInfo::<SocketAddr>(peer));
            router.clone().oneshot(request.map(Body::new))
        });
        let stopping = stopping.clone();
        tasks.spawn(async move {
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(limits.request_head)
                .max_buf_size(BUFFER)
                .serve_connection(TokioIo::new(connection), service)
                .with_upgrades();
            let mut connection = pin!(connection);
            let ended = tokio::select! {
                ended = &mut connection => ended,
                () = stopping.cancelled() => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            };
            // Clients hang up or are cut off all the time, so this is no warning.
            if let Err(error) = ended {
                tracing::debug!(%error, %peer, "a connection ended with an error");
            }
        });
    }
    drop(listener);
    stopping.cancel();
    tasks.close();
    tasks.wait().await;
}

/// Waits for the next connection that gets a slot.
async fn accept(listener: &TcpListener, slots: &Slots) -> (TcpStream, SocketAddr, Slot) {
    loop {
        let Some(permit) = slots.free().await else { continue };
        match listener.accept().await {
            Ok((stream, peer)) => {
                if let Some(slot) = slots.take(permit, peer.ip()) {
                    // Nagle's algorithm would delay the small messages of a session's stream.
                    let _ = stream.set_nodelay(true);
                    return (stream, peer, slot);
                }
            }
            Err(error) if is_of_the_client(&error) => {}
            Err(error) => {
                tracing::error!(%error, "could not accept a connection; will retry");
                sleep(REST).await;
            }
        }
    }
}

/// Did the client disconnect before its connection was accepted?
fn is_of_the_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
