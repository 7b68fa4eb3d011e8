//! `GET /sessions/{id}/stream`: pipes the tab's WebSocket to the application's byte stream.

use std::time::Duration;

use axum::{
    body::Bytes,
    extract::{
        FromRequest, Request, State, WebSocketUpgrade,
        ws::{CloseFrame, Message, WebSocket},
    },
    http::Method,
    response::{IntoResponse, Response},
};
use control::{Attachment, Close, Host, LastUse};
use environments::{
    Duplex,
    rfb::{Activity, ClientFilter, Copied, ServerFilter},
};
use futures::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use parking_lot::Mutex;
use session::{SessionId, Transfer, api::Problem, notice::Notice};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf},
    sync::mpsc::UnboundedReceiver,
    time::{Instant, interval, sleep_until, timeout},
};

use super::{AppState, authentication::Person, id::Id, problem::Refused, relay::relayed};

/// Most bytes of the application in one message.
const CHUNK: usize = 16 * 1024;
/// Largest message of a tab, in bytes: a paste of 1 MiB and its header.
const LARGEST: usize = (1 << 20) + 4096;
/// Size of the read buffer of each tab, in bytes. Most messages of a tab are small: keys and
/// positions of the pointer.
const READ: usize = 4 * 1024;
/// Interval between pings. [`Limits::silent_tab`](super::limits::Limits) is several times as long.
const PING: Duration = Duration::from_secs(10);
/// Timeout for sending the close frame, and for its answer.
const GOODBYE: Duration = Duration::from_millis(500);

/// Opens the stream, for this server's own pages and the session's user only. Waits while the
/// session starts, and refuses sessions that are not Active after that. Relays the tab if another
/// node hosts the session.
pub async fn open(
    State(state): State<AppState>,
    Person(me): Person,
    Id(id): Id<SessionId>,
    request: Request,
) -> Result<Response, Refused> {
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
    let (control, relays, silent) = (state.control, state.relays, state.limits.silent_tab);
    // The extractor below refuses requests that are no WebSocket.
    if request.method() == Method::GET
        && let Host::There(node) = control.host(&me, id).await?
    {
        return relays.open(control, node, request).await;
    }
    let upgrade = WebSocketUpgrade::from_request(request, &()).await;
    let upgrade: WebSocketUpgrade = match upgrade {
        Ok(upgrade) => upgrade,
        Err(refused) => return Ok(refused.into_response()),
    };
    let (attachment, application) = control.attach(&me, id).await?;
    Ok(upgrade
        .max_message_size(LARGEST)
        .max_frame_size(LARGEST)
        .read_buffer_size(READ)
        .write_buffer_size(0)
        .max_write_buffer_size(4 * LARGEST)
        .on_upgrade(move |socket| serve(attachment, application, socket, silent)))
}

/// Pipes until one side ends, the tab is silent for too long, or the server closes the tab. Then
/// sends the reason and drops the attachment.
async fn serve(mut attachment: Attachment, application: Box<dyn Duplex>, socket: WebSocket, silent: Duration) {
    let (mut to_tab, mut from_tab) = socket.split();
    let (mut from_application, mut to_application) = tokio::io::split(application);
    let last_received = Mutex::new(Instant::now());
    let used = attachment.last_use.clone();
    let clipboard = attachment.clipboard;
    let why = tokio::select! {
        // Check for the server's close first. After it, the tab must receive nothing more from the
        // application.
        biased;
        why = &mut attachment.closed => why.ok(),
        () = silence(&last_received, silent) => Some(Close::Lost),
        () = down(&mut from_application, &mut attachment.notices, &mut to_tab, clipboard) => Some(Close::Lost),
        () = up(&mut from_tab, &mut to_application, &last_received, &used, clipboard) => None,
    };
    if let Some(why) = why {
        let (code, reason) = why.code();
        let goodbye = Message::Close(Some(CloseFrame {
            code,
            reason: reason.into(),
        }));
        // A tab that reads nothing is cut off without a close frame.
        drop(timeout(GOODBYE, to_tab.send(goodbye)).await);
        drop(timeout(GOODBYE, discard_until_closed(&mut from_tab)).await);
    }
}

/// Returns when the tab has sent nothing for this long, not even the answer to a ping. It needs its
/// own timer, since a tab that reads nothing blocks the sending side, pings included.
async fn silence(last_received: &Mutex<Instant>, limit: Duration) {
    loop {
        let deadline = *last_received.lock() + limit;
        if deadline <= Instant::now() {
            return;
        }
        sleep_until(deadline).await;
    }
}

/// Reads and discards messages until the tab closes. Closing a connection with unread bytes resets
/// it, and the tab may then lose the close frame.
async fn discard_until_closed(tab: &mut SplitStream<WebSocket>) {
    while let Some(Ok(_)) = tab.next().await {}
}

/// Sends the application's bytes, notices and pings to the tab. Returns when the application ends,
/// its display sends invalid RFB, or the connection fails, which includes a tab that reads nothing (see
/// [`Connection`](super::connections::Connection)).
async fn down(
    application: &mut ReadHalf<Box<dyn Duplex>>,
    notices: &mut UnboundedReceiver<Notice>,
    tab: &mut SplitSink<WebSocket, Message>,
    clipboard: Transfer,
) {
    let mut filter = ServerFilter::new(clipboard);
    let mut chunk = vec![0; CHUNK];
    let mut pings = interval(PING);
    loop {
        let (message, after) = tokio::select! {
            read = application.read(&mut chunk) => {
                let Some(count @ 1..) = read.ok() else { return };
                let mut bytes = Vec::with_capacity(count);
                let copied = match filter.feed(&chunk[..count], &mut bytes) {
                    Ok(copied) => copied,
                    Err(error) => {
                        tracing::warn!(%error, "a session's display sent invalid RFB; closed the connection of its tab");
                        return;
                    }
                };
                let notice = match copied {
                    Copied::Passed => None,
                    Copied::Kept => Some(Notice::ClipboardKept),
                    Copied::TooLong => Some(Notice::ClipboardTooLong),
                };
                (Message::Binary(bytes.into()), notice.as_ref().map(text))
            }
            Some(notice) = notices.recv() => (text(&notice), None),
            _ = pings.tick() => (Message::Ping(Bytes::new()), None),
        };
        for message in std::iter::once(message).chain(after) {
            if tab.send(message).await.is_err() {
                return;
            }
        }
    }
}

fn text(notice: &Notice) -> Message {
    Message::Text(serde_json::to_string(notice).unwrap_or_default().into())
}

/// Sends the tab's bytes to the application. Returns when the tab ends or sends invalid RFB.
async fn up(
    tab: &mut SplitStream<WebSocket>,
    application: &mut WriteHalf<Box<dyn Duplex>>,
    last_received: &Mutex<Instant>,
    used: &LastUse,
    clipboard: Transfer,
) {
    let mut filter = ClientFilter::new(clipboard);
    let mut bytes = Vec::new();
    while let Some(Ok(message)) = tab.next().await {
        *last_received.lock() = Instant::now();
        let Message::Binary(input) = message else { continue };
        bytes.clear();
        match filter.feed(&input, &mut bytes) {
            Ok(Activity::User) => used.touch(),
            Ok(Activity::None) => {}
            Err(error) => {
                tracing::info!(%error, "a tab sent invalid RFB; closed its connection");
                return;
            }
        }
        if application.write_all(&bytes).await.is_err() {
            // The application has ended, and `down` notices that.
            return std::future::pending().await;
        }
    }
}
