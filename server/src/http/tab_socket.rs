//! The WebSockets of a session's tab: their beginning and their end.

use std::time::Duration;

use axum::{
    extract::{
        FromRequest, Request, WebSocketUpgrade,
        ws::{CloseFrame, Message, WebSocket},
    },
    http::Method,
    response::{IntoResponse, Response},
};
use control::Host;
use futures::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use parking_lot::Mutex;
use session::{
    SessionId,
    api::{Me, Problem},
};
use tokio::time::{Instant, sleep_until, timeout};

use super::{AppState, problem::Refused, relay::relayed};

/// Interval between pings. [`Limits::silent_tab`](super::limits::Limits) is several times as long.
pub const PING: Duration = Duration::from_secs(10);
/// Timeout for sending the close frame, and for its answer.
const GOODBYE: Duration = Duration::from_millis(500);

/// The outcome of a handshake.
pub enum Handshake {
    /// This node serves the tab.
    Here(WebSocketUpgrade),
    /// The answer: another node serves the tab, or the request is no WebSocket.
    Answered(Response),
}

/// Admits this server's own pages and the session's user only. Relays the tab if another node hosts
/// the session.
pub async fn handshake(state: &AppState, me: &Me, id: SessionId, request: Request) -> Result<Handshake, Refused> {
    // A node that relays a tab has checked its Origin.
    let relayed = relayed(&state.control, request.headers()).is_some();
    if !relayed && !state.origins.is_own(request.headers()) {
        let detail = "A session's stream is opened by this server's own pages only.";
        return Err(Refused(Problem::new(
            403,
            "wrong_origin",
            "The request came from another site",
            detail,
        )));
    }
    // The extractor below refuses requests that are no WebSocket.
    if request.method() == Method::GET
        && let Host::There(node) = state.control.host(me, id).await?
    {
        let answer = state.relays.open(state.control.clone(), node, request).await?;
        return Ok(Handshake::Answered(answer));
    }
    Ok(match WebSocketUpgrade::from_request(request, &()).await {
        Ok(upgrade) => Handshake::Here(upgrade),
        Err(refused) => Handshake::Answered(refused.into_response()),
    })
}

/// Returns when the tab has sent nothing for this long, not even the answer to a ping. It needs its
/// own timer, since a tab that reads nothing blocks the sending side, pings included.
pub async fn silence(last_received: &Mutex<Instant>, limit: Duration) {
    loop {
        let deadline = *last_received.lock() + limit;
        if deadline <= Instant::now() {
            return;
        }
        sleep_until(deadline).await;
    }
}

/// Sends the reason of an end. A tab that reads nothing is cut off without it.
pub async fn goodbye(
    to_tab: &mut SplitSink<WebSocket, Message>,
    from_tab: &mut SplitStream<WebSocket>,
    (code, reason): (u16, &'static str),
) {
    let goodbye = Message::Close(Some(CloseFrame {
        code,
        reason: reason.into(),
    }));
    drop(timeout(GOODBYE, to_tab.send(goodbye)).await);
    // Closing a connection with unread bytes resets it, and the tab may then lose the close frame.
    let closed = async { while let Some(Ok(_)) = from_tab.next().await {} };
    drop(timeout(GOODBYE, closed).await);
}
