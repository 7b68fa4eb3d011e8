//! `GET /sessions/{id}/stream`: the tab's WebSocket, relayed to the application's bytes.

use std::time::Duration;

use axum::{
    body::Bytes,
    extract::{
        FromRequest, Path, Request, State, WebSocketUpgrade,
        ws::{CloseFrame, Message, WebSocket},
    },
    http::Method,
    response::{IntoResponse, Response},
};
use control::{Attachment, Close, Host, LastUse};
use environments::{
    Duplex,
    rfb::{Activity, ClientFilter},
};
use futures::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use parking_lot::Mutex;
use session::{notice::Notice, wire::Problem};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf},
    sync::mpsc::UnboundedReceiver,
    time::{Instant, interval, sleep_until, timeout},
};

use super::{AppState, api::id, authentication::Person, problem::Refused, relay::relayed};

/// Bytes of the application in one message.
const CHUNK: usize = 16 * 1024;
/// Largest message of a tab: a paste of 1 MiB and its header.
const LARGEST: usize = (1 << 20) + 4096;
/// Bytes of a tab that are read at once; each tab holds so many. It mostly sends a few: keys, and where the pointer is.
const READ: usize = 4 * 1024;
/// How often a tab is pinged. [`Limits::silent_tab`](super::limits::Limits) is several times as long.
const PING: Duration = Duration::from_secs(10);
/// How long the close frame may take to be sent, and how long its answer.
const GOODBYE: Duration = Duration::from_millis(500);

/// Opens the stream: our own pages only, its user only, an Active session only. One that is starting is waited for. Where another
/// node hosts the session, it is handed on to that.
pub async fn open(
    State(state): State<AppState>,
    Person(me): Person,
    Path(text): Path<String>,
    request: Request,
) -> Result<Response, Refused> {
    // Who hands a tab on has looked at its page.
    let relayed = relayed(&state.control, request.headers()).is_some();
    if !relayed && !state.origins.ours(request.headers()) {
        let detail = "A session's stream is opened by this server's own pages only.";
        return Err(Refused(Problem::new(
            403,
            "wrong_origin",
            "The request came from another site",
            detail,
        )));
    }
    let id = id(&text)?;
    let (control, relays, silent) = (state.control, state.relays, state.limits.silent_tab);
    // What is no WebSocket is refused below.
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

/// Relays until one side ends, the tab is silent, or the server closes it; sends the reason, and drops the attachment.
async fn serve(mut attachment: Attachment, application: Box<dyn Duplex>, socket: WebSocket, silent: Duration) {
    let (mut to_tab, mut from_tab) = socket.split();
    let (mut from_application, mut to_application) = tokio::io::split(application);
    let heard = Mutex::new(Instant::now());
    let used = attachment.last_use.clone();
    let why = tokio::select! {
        // The server's close comes first: after it, nothing more of the application reaches the tab.
        biased;
        why = &mut attachment.closed => why.ok(),
        () = silence(&heard, silent) => Some(Close::Lost),
        () = down(&mut from_application, &mut attachment.notices, &mut to_tab) => Some(Close::Lost),
        () = up(&mut from_tab, &mut to_application, &heard, &used) => None,
    };
    if let Some(why) = why {
        let (code, reason) = why.code();
        let goodbye = Message::Close(Some(CloseFrame {
            code,
            reason: reason.into(),
        }));
        // A tab that reads nothing is cut without it.
        drop(timeout(GOODBYE, to_tab.send(goodbye)).await);
        drop(timeout(GOODBYE, heard_out(&mut from_tab)).await);
    }
}

/// Returns when the tab has sent nothing for this long, not even the answer to a ping. It has a timer of its own: a tab
/// that reads nothing blocks what is sent to it, the pings included.
async fn silence(heard: &Mutex<Instant>, limit: Duration) {
    loop {
        let deadline = *heard.lock() + limit;
        if deadline <= Instant::now() {
            return;
        }
        sleep_until(deadline).await;
    }
}

/// Reads what a tab sends until it closes. To close a connection with unread bytes is to reset it, and the tab may then lose the
/// close frame.
async fn heard_out(tab: &mut SplitStream<WebSocket>) {
    while let Some(Ok(_)) = tab.next().await {}
}

/// From the application and the server to the tab, with a ping every ten seconds. Ends with the application, or when the connection
/// fails: also because the tab reads nothing (see [`Connection`](super::connections::Connection)).
async fn down(
    application: &mut ReadHalf<Box<dyn Duplex>>,
    told: &mut UnboundedReceiver<Notice>,
    tab: &mut SplitSink<WebSocket, Message>,
) {
    let mut chunk = vec![0; CHUNK];
    let mut pings = interval(PING);
    loop {
        let message = tokio::select! {
            read = application.read(&mut chunk) => match read {
                Ok(count) if count > 0 => Message::Binary(Bytes::copy_from_slice(&chunk[..count])),
                _ => return,
            },
            Some(notice) = told.recv() => match serde_json::to_string(&notice) {
                Ok(text) => Message::Text(text.into()),
                Err(_) => continue,
            },
            _ = pings.tick() => Message::Ping(Bytes::new()),
        };
        if tab.send(message).await.is_err() {
            return;
        }
    }
}

/// From the tab to the application. Ends with the tab, or when it sends what is not RFB.
async fn up(
    tab: &mut SplitStream<WebSocket>,
    application: &mut WriteHalf<Box<dyn Duplex>>,
    heard: &Mutex<Instant>,
    used: &LastUse,
) {
    let mut filter = ClientFilter::default();
    let mut bytes = Vec::new();
    while let Some(Ok(message)) = tab.next().await {
        *heard.lock() = Instant::now();
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
            // The application has ended: the other direction says so.
            return std::future::pending().await;
        }
    }
}
