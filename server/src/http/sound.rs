//! `GET /sessions/{id}/sound`: the sound of a session as samples, 20 ms in a message, for its tab.
//!
//! The samples are those of [`Sound`]. Nothing is sent while nothing sounds. An application may write
//! anything, at any rate, and a tab may be slow: reading is paced, and what a tab has not received in
//! time is dropped, so neither memory nor delay grows.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use axum::{
    body::Bytes,
    extract::{
        Request, State,
        ws::{Message, WebSocket},
    },
    response::Response,
};
use control::{Close, Listening};
use environments::Sound;
use futures::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use parking_lot::Mutex;
use session::SessionId;
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    time::{Instant, interval, sleep_until, timeout, timeout_at},
};

use super::{
    AppState,
    authentication::Person,
    id::Id,
    problem::Refused,
    tab_socket::{Handshake, PING, goodbye, handshake, silence},
};

/// Bytes of one frame: two samples of 16 bits.
const FRAME: usize = 4;
/// Most bytes in a message: 20 ms of 48,000 frames a second.
const CHUNK: usize = 960 * FRAME;
/// Most bytes that are read in a second, 1.25 times as fast as they play: so what waits in the pipes
/// after a pause of the reader is soon gone.
const RATE: u64 = 240_000;
/// The sound that may be read at once. The server of sound writes up to 50 ms at once.
const BURST: Duration = Duration::from_millis(100);
/// Most bytes that waited in the pipes before anybody listened: two pipes of the kernel, and more.
const PAST: usize = 256 * 1024;
/// Longest time for discarding them.
const DISCARDING: Duration = Duration::from_millis(100);
/// A message is sent before it is full if nothing follows for this long.
const PAUSE: Duration = Duration::from_millis(60);
/// Most messages that the tab has not received yet, 500 ms. Further ones are dropped.
const MOST_WAITING: usize = 25;
/// The tab sends a message after it has received so many.
const RECEIPT: usize = 5;
/// Largest message of a tab, in bytes. It has none.
const LARGEST: usize = 128;
/// The code and the reason of the close frame when nothing can play any more.
const NO_SOUND: (u16, &str) = (4006, "no sound");
/// Those when the tab was closed, or has opened its sound again.
const CLOSED: (u16, &str) = (1000, "closed");

/// Opens the sound, beside the stream of the same tab.
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
    let listening = state.control.listen(&me, id)?;
    Ok(upgrade
        .max_message_size(LARGEST)
        .max_frame_size(LARGEST)
        .read_buffer_size(LARGEST)
        .write_buffer_size(0)
        .max_write_buffer_size(4 * CHUNK)
        .on_upgrade(move |socket| serve(listening, socket, silent)))
}

/// Sends sound until the tab ends, nothing can play any more, or the tab is silent for too long.
async fn serve(listening: Listening, socket: WebSocket, silent: Duration) {
    let (mut to_tab, mut from_tab) = socket.split();
    let last_received = Mutex::new(Instant::now());
    let waiting = AtomicUsize::new(0);
    let mut source = Source::new(listening.sound);
    let why = tokio::select! {
        // Check for the end of the tab first. After it, nothing more must be heard.
        biased;
        () = listening.ended.cancelled() => Some(CLOSED),
        () = silence(&last_received, silent) => Some(Close::Lost.code()),
        end = down(&mut source, &waiting, &mut to_tab) => end,
        () = up(&mut from_tab, &waiting, &last_received) => None,
    };
    if let Some(why) = why {
        goodbye(&mut to_tab, &mut from_tab, why).await;
    }
}

/// Sends sound and pings. Returns the reason for the tab if nothing can play any more, and `None` if
/// the connection fails.
async fn down(
    source: &mut Source<Sound>,
    waiting: &AtomicUsize,
    tab: &mut SplitSink<WebSocket, Message>,
) -> Option<(u16, &'static str)> {
    let mut pings = interval(PING);
    source.skip_past().await;
    loop {
        let message = tokio::select! {
            read = source.next() => match read {
                Some(samples) if is_audible(&samples) => samples,
                Some(_) => continue,
                None => return Some(NO_SOUND),
            },
            _ = pings.tick() => {
                tab.send(Message::Ping(Bytes::new())).await.ok()?;
                continue;
            }
        };
        // A tab on a slow link gets less sound, not late sound.
        if waiting.load(Ordering::Relaxed) < MOST_WAITING {
            waiting.fetch_add(1, Ordering::Relaxed);
            tab.send(Message::Binary(message)).await.ok()?;
        }
    }
}

/// Reads the receipts of the tab until it ends.
async fn up(tab: &mut SplitStream<WebSocket>, waiting: &AtomicUsize, last_received: &Mutex<Instant>) {
    while let Some(Ok(message)) = tab.next().await {
        *last_received.lock() = Instant::now();
        if matches!(message, Message::Binary(_)) {
            let received = |waiting: usize| Some(waiting.saturating_sub(RECEIPT));
            let _ = waiting.fetch_update(Ordering::Relaxed, Ordering::Relaxed, received);
        }
    }
}

/// Programs that pause send zeros.
fn is_audible(samples: &[u8]) -> bool {
    samples.iter().any(|byte| *byte != 0)
}

/// Reads sound in whole messages, no faster than [`RATE`].
struct Source<S> {
    sound: S,
    chunk: Vec<u8>,
    /// The moment at which everything that was read would have been read at [`RATE`].
    paid_until: Instant,
}

impl<S: AsyncRead + Unpin> Source<S> {
    fn new(sound: S) -> Self {
        Self {
            sound,
            chunk: Vec::with_capacity(CHUNK),
            paid_until: Instant::now(),
        }
    }

    /// Discards the sound that nobody listened to.
    async fn skip_past(&mut self) {
        let until = Instant::now() + DISCARDING;
        let mut past = (&mut self.sound).take(PAST as u64);
        let discarding = async { tokio::io::copy(&mut past, &mut tokio::io::sink()).await };
        drop(timeout_at(until, discarding).await);
    }

    /// The next message. `None` at the end. May be dropped and called again.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            sleep_until(self.paid_until - BURST).await;
            let before = self.chunk.len();
            let mut rest = (&mut self.sound).take((CHUNK - before) as u64);
            let reading = rest.read_buf(&mut self.chunk);
            let read = if before == 0 {
                reading.await
            } else {
                // Without an answer in time, the rest of a frame is dropped, too.
                timeout(PAUSE, reading).await.unwrap_or(Ok(0))
            };
            let count = read.ok()?;
            let cost = Duration::from_nanos(count as u64 * 1_000_000_000 / RATE);
            self.paid_until = self.paid_until.max(Instant::now()) + cost;
            if count == 0 && before < FRAME {
                self.chunk.clear();
                if before == 0 {
                    return None;
                }
            } else if count == 0 || self.chunk.len() == CHUNK {
                self.chunk.truncate(self.chunk.len() / FRAME * FRAME);
                let next = Vec::with_capacity(CHUNK);
                return Some(std::mem::replace(&mut self.chunk, next).into());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncWriteExt, duplex};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_flood_is_read_at_the_pace_of_sound() {
        let (application, server) = duplex(64 * 1024);
        tokio::spawn(async move {
            let mut application = application;
            while application.write_all(&[7; 64 * 1024]).await.is_ok() {}
        });
        let mut source = Source::new(server);
        let began = Instant::now();
        source.skip_past().await;
        let mut bytes = 0;
        while began.elapsed() < Duration::from_secs(10) {
            bytes += source.next().await.unwrap().len();
        }
        // The pace, the burst, and a message that the burst and the clock may exceed each.
        assert!(bytes < 10 * 240_000 + 24_000 + 2 * CHUNK, "{bytes} bytes in 10 s");
        assert!(bytes > 9 * 192_000, "{bytes} bytes in 10 s");
    }

    #[tokio::test(start_paused = true)]
    async fn a_message_has_whole_frames_and_a_pause_ends_it() {
        let (mut application, server) = duplex(64 * 1024);
        let mut source = Source::new(server);
        application.write_all(&[1; CHUNK + 10]).await.unwrap();
        assert_eq!(source.next().await.unwrap(), vec![1; CHUNK]);
        assert_eq!(source.next().await.unwrap(), vec![1; 8], "a part of a frame is dropped");
        application.write_all(&[2; 3]).await.unwrap();
        let nothing = timeout(PAUSE * 2, source.next()).await;
        assert!(nothing.is_err(), "{nothing:?}");
        application.write_all(&[3; CHUNK]).await.unwrap();
        assert_eq!(source.next().await.unwrap(), vec![3; CHUNK]);
        drop(application);
        assert_eq!(source.next().await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn sound_of_the_past_is_not_sent() {
        let (mut application, server) = duplex(256 * 1024);
        let mut source = Source::new(server);
        application.write_all(&[1; 100_000]).await.unwrap();
        source.skip_past().await;
        application.write_all(&[2; CHUNK]).await.unwrap();
        assert_eq!(source.next().await.unwrap(), vec![2; CHUNK]);
    }

    #[test]
    fn silence_is_not_sent() {
        assert!(!is_audible(&[0; CHUNK]));
        assert!(is_audible(&[0, 0, 1, 0]));
    }
}
