//! Reloads open pages: the server side of leptos's `AutoReload`, with one WebSocket per page.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use tungstenite::{Message, WebSocket};

type Open = Arc<Mutex<Vec<WebSocket<TcpStream>>>>;

/// The limit for a handshake, so that a silent peer does not block its thread.
const HANDSHAKE_TIME: Duration = Duration::from_secs(5);

/// The open pages.
pub struct Pages {
    open: Open,
}

impl Pages {
    /// Accepts connections of pages on a loopback port.
    pub fn listen(port: u16) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
            .with_context(|| format!("the reload port {port} can't be used"))?;
        let open = Open::default();
        let pages = Self { open: open.clone() };
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let open = open.clone();
                std::thread::spawn(move || accept(stream, &open));
            }
        });
        Ok(pages)
    }

    /// Sends the signal to all open pages. Each page connects again, so this drops the old connections.
    pub fn reload(&self) {
        for mut page in self.open.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            // A send fails if the page was closed, which needs no reload.
            let _ = page.send(Message::text(r#"{"all":true}"#));
        }
    }
}

fn accept(stream: TcpStream, open: &Open) {
    let _ = stream.set_read_timeout(Some(HANDSHAKE_TIME));
    if let Ok(page) = tungstenite::accept(stream) {
        open.lock().unwrap_or_else(PoisonError::into_inner).push(page);
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use super::*;

    #[test]
    fn an_open_page_receives_the_signal_to_reload() {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let pages = Pages::listen(port).unwrap();
        let mut page = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
        page.write_all(
            b"GET /live_reload HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
              Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        )
        .unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            page.read_exact(&mut byte).unwrap();
            answer.extend(byte);
        }
        assert!(
            answer.starts_with(b"HTTP/1.1 101"),
            "{}",
            String::from_utf8_lossy(&answer)
        );
        // The page is added to the list a moment after the handshake.
        while pages.open.lock().unwrap().is_empty() {
            std::thread::yield_now();
        }
        pages.reload();
        let mut frame = [0; 14];
        page.read_exact(&mut frame).unwrap();
        assert_eq!(&frame[2..], br#"{"all":true}"#);
    }
}
