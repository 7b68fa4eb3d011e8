//! `GET /sessions/{id}/stream`: pipes the tab's WebSocket to the application's byte stream.

use std::time::Duration;

use axum::{
    body::Bytes,
    extract::{
        Request, State,
        ws::{Message, WebSocket},
    },
    response::Response,
};
use control::{Attachment, Close, Desk, LastUse};
use environments::{
    Duplex, Prints, Windows,
    rfb::{Activity, ClientFilter, Copied, ServerFilter},
};
use futures::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use parking_lot::Mutex;
use session::{
    SessionId, Transfer,
    notice::{Notice, TabRequest},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf},
    sync::mpsc::{self, UnboundedReceiver},
    time::{Instant, interval, sleep_until, timeout},
};

use super::{
    AppState,
    authentication::Person,
    id::Id,
    problem::Refused,
    tab_socket::{Handshake, PING, goodbye, handshake, silence},
};

/// Most bytes of the application in one message.
const CHUNK: usize = 16 * 1024;
/// Largest message of a tab, in bytes: a paste of 1 MiB and its header.
const LARGEST: usize = (1 << 20) + 4096;
/// Size of the read buffer of each tab, in bytes. Most messages of a tab are small: keys and
/// positions of the pointer.
const READ: usize = 4 * 1024;
/// Largest request of a tab in a text message, in bytes. The longest has some 60.
const LARGEST_REQUEST: usize = 256;
/// Least time between two lists of windows: an application can change its windows at any rate.
const BETWEEN_LISTS: Duration = Duration::from_millis(100);
/// Least time between two notices of prints: an application can report prints at any rate.
const BETWEEN_PRINTS: Duration = Duration::from_secs(2);
/// Time for the log to record the end of a session whose application has ended.
const REASON: Duration = Duration::from_secs(1);

/// Opens the stream. Waits while the session starts, and refuses sessions that are not Active after
/// that.
pub async fn open(
    State(state): State<AppState>,
    Person(me): Person,
    Id(id): Id<SessionId>,
    request: Request,
) -> Result<Response, Refused> {
    let upgrade = match handshake(&state, &me, id, request).await? {
        Handshake::Here(upgrade) => upgrade,
        Handshake::Answered(answer) => return Ok(answer),
    };
    let silent = state.limits.silent_tab;
    let (attachment, application) = state.control.attach(&me, id).await?;
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
    let (from_application, mut to_application) = tokio::io::split(application);
    let clipboard = attachment.clipboard;
    let mut display = Display {
        stream: from_application,
        filter: ServerFilter::new(clipboard),
        chunk: vec![0; CHUNK],
    };
    let last_received = Mutex::new(Instant::now());
    let used = attachment.last_use.clone();
    // One answer waits; a tab that asks faster than it reads gets fewer.
    let (answers, mut answered) = mpsc::channel(1);
    let tab = Requests {
        used: &used,
        desk: &attachment.desk,
        answers,
    };
    let mut news = News {
        notices: &mut attachment.notices,
        lists: Lists {
            windows: attachment.windows.clone(),
            next_at: Instant::now(),
        },
        jobs: Jobs {
            prints: attachment.prints.clone(),
            download: attachment.prints_leave,
            next_at: Instant::now(),
        },
        answers: &mut answered,
    };
    let why = tokio::select! {
        // Check for the server's close first. After it, the tab must receive nothing more from the
        // application.
        biased;
        why = &mut attachment.closed => why.ok(),
        () = silence(&last_received, silent) => Some(Close::Lost),
        end = down(&mut display, &mut news, &mut to_tab) => Some(match end {
            // The session is about to end, and its reason then closes this tab. A tab that reloads
            // before would find a live session.
            End::Application => timeout(REASON, &mut attachment.closed).await.ok().and_then(Result::ok).unwrap_or(Close::Lost),
            End::Tab => Close::Lost,
        }),
        () = up(&mut from_tab, &mut to_application, &last_received, &tab, clipboard) => None,
    };
    if let Some(why) = why {
        goodbye(&mut to_tab, &mut from_tab, why.code()).await;
    }
}

/// The side that ended.
enum End {
    Application,
    Tab,
}

/// Messages to the tab beside the application's bytes.
struct News<'a> {
    notices: &'a mut UnboundedReceiver<Notice>,
    lists: Lists,
    jobs: Jobs,
    answers: &'a mut mpsc::Receiver<Notice>,
}

impl News<'_> {
    /// The next one. May be dropped and called again.
    async fn next(&mut self) -> Notice {
        tokio::select! {
            Some(notice) = self.notices.recv() => notice,
            Some(answer) = self.answers.recv() => answer,
            list = self.lists.next() => list,
            job = self.jobs.next() => job,
        }
    }
}

/// The lists of windows, with their least interval.
struct Lists {
    windows: Option<Windows>,
    next_at: Instant,
}

impl Lists {
    /// The next list. May be dropped and called again.
    async fn next(&mut self) -> Notice {
        sleep_until(self.next_at).await;
        if let Some(known) = &mut self.windows
            && known.changed().await.is_ok()
        {
            self.next_at = Instant::now() + BETWEEN_LISTS;
            let windows = known.borrow_and_update().clone();
            return Notice::Windows { windows };
        }
        // The environment knows no windows, or the session has ended, and `down` notices that.
        std::future::pending().await
    }
}

/// The prints, with the least interval of their notices.
struct Jobs {
    prints: Option<Prints>,
    download: bool,
    next_at: Instant,
}

impl Jobs {
    /// The last print since the notice before. May be dropped and called again.
    async fn next(&mut self) -> Notice {
        sleep_until(self.next_at).await;
        if let Some(prints) = &mut self.prints {
            while prints.changed().await.is_ok() {
                if let Some(print) = prints.borrow_and_update().clone() {
                    self.next_at = Instant::now() + BETWEEN_PRINTS;
                    let download = self.download;
                    return Notice::Printed { print, download };
                }
            }
        }
        std::future::pending().await
    }
}

/// The filtered stream of an application's display.
struct Display {
    stream: ReadHalf<Box<dyn Duplex>>,
    filter: ServerFilter,
    chunk: Vec<u8>,
}

impl Display {
    /// The next bytes for the tab, and a notice about a text among them. `None` at the end, and if
    /// the display sends invalid RFB. May be dropped and called again.
    async fn read(&mut self) -> Option<(Vec<u8>, Option<Notice>)> {
        let count = self
            .stream
            .read(&mut self.chunk)
            .await
            .ok()
            .filter(|count| *count > 0)?;
        let mut bytes = Vec::with_capacity(count);
        match self.filter.feed(&self.chunk[..count], &mut bytes) {
            Ok(Copied::Passed) => Some((bytes, None)),
            Ok(Copied::Kept) => Some((bytes, Some(Notice::ClipboardKept))),
            Ok(Copied::TooLong) => Some((bytes, Some(Notice::ClipboardTooLong))),
            Err(error) => {
                tracing::warn!(%error, "a session's display sent invalid RFB; closed the connection of its tab");
                None
            }
        }
    }
}

/// Sends the application's bytes, notices and pings to the tab. Returns when the application ends,
/// its display sends invalid RFB, or the connection fails, which includes a tab that reads nothing (see
/// [`Connection`](super::connections::Connection)).
async fn down(display: &mut Display, news: &mut News<'_>, tab: &mut SplitSink<WebSocket, Message>) -> End {
    let mut pings = interval(PING);
    loop {
        let (message, notice) = tokio::select! {
            read = display.read() => match read {
                Some((bytes, notice)) => (Some(Message::Binary(bytes.into())), notice),
                None => return End::Application,
            },
            notice = news.next() => (None, Some(notice)),
            _ = pings.tick() => (Some(Message::Ping(Bytes::new())), None),
        };
        let notice = notice.and_then(|notice| serde_json::to_string(&notice).ok());
        for message in message.into_iter().chain(notice.map(|text| Message::Text(text.into()))) {
            if tab.send(message).await.is_err() {
                return End::Tab;
            }
        }
    }
}

/// The handlers of a tab's text messages.
struct Requests<'a> {
    used: &'a LastUse,
    desk: &'a Desk,
    answers: mpsc::Sender<Notice>,
}

impl Requests<'_> {
    /// Only an action on a window is a use by a person.
    fn handle(&self, text: &str) {
        let request = if text.len() <= LARGEST_REQUEST {
            serde_json::from_str(text).ok()
        } else {
            None
        };
        match request {
            // A full queue drops the answer.
            Some(TabRequest::Ping { at }) => drop(self.answers.try_send(Notice::Pong { at })),
            Some(TabRequest::Titles) => self.desk.refresh_titles(),
            Some(TabRequest::Window { id, action }) => {
                self.used.touch();
                self.desk.act_on_window(id, action);
            }
            None => tracing::debug!("ignored an invalid request of a tab"),
        }
    }
}

/// Sends the tab's bytes to the application. Returns when the tab ends or sends invalid RFB.
async fn up(
    tab: &mut SplitStream<WebSocket>,
    application: &mut WriteHalf<Box<dyn Duplex>>,
    last_received: &Mutex<Instant>,
    requests: &Requests<'_>,
    clipboard: Transfer,
) {
    let mut filter = ClientFilter::new(clipboard);
    let mut bytes = Vec::new();
    while let Some(Ok(message)) = tab.next().await {
        *last_received.lock() = Instant::now();
        let input = match message {
            Message::Binary(input) => input,
            Message::Text(text) => {
                requests.handle(&text);
                continue;
            }
            _ => continue,
        };
        bytes.clear();
        match filter.feed(&input, &mut bytes) {
            Ok(Activity::User) => requests.used.touch(),
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
