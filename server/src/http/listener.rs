//! Accepts connections and speaks HTTP/1.1 on them. `axum::serve` has no timeout for the head of a request, no limit of
//! connections, and no way to close those whose client reads nothing; so this is hyper's own server, put together here.

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

/// Largest head of a request, and most bytes of one connection that wait to be written.
const BUFFER: usize = 128 * 1024;
/// How long `accept` rests after it failed for a reason that only time mends.
const REST: Duration = Duration::from_millis(200);

/// Serves until `stop` is ready. Then it accepts nothing more, and returns when the requests in progress are answered.
/// Connections that were upgraded are not waited for: `control` tracks them.
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
            // That a client hangs up, or is cut, is nobody's error.
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

/// The next connection that has a slot.
async fn accept(listener: &TcpListener, slots: &Slots) -> (TcpStream, SocketAddr, Slot) {
    loop {
        let Some(permit) = slots.free().await else { continue };
        match listener.accept().await {
            Ok((stream, peer)) => {
                if let Some(slot) = slots.take(permit, peer.ip()) {
                    // A session's stream is many small messages that must not wait for each other.
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

/// Did the client go away before it was accepted?
fn is_of_the_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
