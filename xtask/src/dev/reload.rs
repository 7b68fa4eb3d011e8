//! Tells open pages to reload: the other end of leptos's `AutoReload`, one WebSocket a page.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use tungstenite::{Message, WebSocket};

type Open = Arc<Mutex<Vec<WebSocket<TcpStream>>>>;

/// A peer that says nothing must not hold its thread for ever.
const HANDSHAKE_TIME: Duration = Duration::from_secs(5);

/// The pages that are open at the moment.
pub struct Pages {
    open: Open,
}

impl Pages {
    /// Listens for pages on a port of this machine only.
    pub fn listen(port: u16) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
            .with_context(|| format!("port {port}, on which pages wait for a reload, can't be used"))?;
        let open = Open::default();
        let pages = Self { open: open.clone() };
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let open = open.clone();
                std::thread::spawn(move || admit(stream, &open));
            }
        });
        Ok(pages)
    }

    /// Each page comes back with a new connection, so the old ones are let go.
    pub fn reload(&self) {
        for mut page in self.open.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            // A page that has been closed meanwhile needs no reload.
            let _ = page.send(Message::text(r#"{"all":true}"#));
        }
    }
}

fn admit(stream: TcpStream, open: &Open) {
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
    fn an_open_page_is_told_to_reload() {
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
        // The answer is sent a moment before the page is put into the list.
        while pages.open.lock().unwrap().is_empty() {
            std::thread::yield_now();
        }
        pages.reload();
        let mut frame = [0; 14];
        page.read_exact(&mut frame).unwrap();
        assert_eq!(&frame[2..], br#"{"all":true}"#);
    }
}
