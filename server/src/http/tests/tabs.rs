//! A session's tab over a real socket, with the simulated environment.

use std::{sync::Arc, time::Duration};

use session::{SessionId, api::Me, view::View};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::{Instant, sleep, timeout},
};

use super::{Limits, PASSWORD};
use crate::{
    composition::{self, Served},
    http::listener::serve,
    settings::Settings,
};

const DEADLINE: Duration = Duration::from_secs(20);

struct Desktop {
    served: Served,
    me: Me,
    token: String,
    session: SessionId,
    address: std::net::SocketAddr,
    _folder: TempDir,
}

impl Desktop {
    /// Starts a server, and launches the simulated desktop as `admin`.
    async fn launch(limits: Limits) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("hash.txt"), "js: a\nwasm: b\ncss: c\n").unwrap();
        let settings = Settings {
            data_dir: folder.path().join("data"),
            site_dir: Some(folder.path().to_owned()),
            simulated: true,
            reload_grace_ms: 0,
            admin_password: Some(PASSWORD.to_owned()),
            ..Settings::default()
        };
        let served = composition::serve(&settings).await.unwrap();
        let control = &served.control;
        let router = crate::http::router(control, &settings, limits).unwrap();
        let token = control.sign_in("admin", PASSWORD, &super::home()).await.unwrap();
        let me = control.authenticate(&token).await.unwrap().unwrap();
        let applications = control.my_applications(&me).await.unwrap();
        let simulated = applications
            .iter()
            .find(|app| &*app.name == "Simulated desktop")
            .unwrap();
        let session = control.launch(&me, simulated.id).await.unwrap().id;
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(serve(
            listener,
            router,
            limits,
            Arc::new(|_| true),
            std::future::pending(),
        ));
        Self {
            served,
            me,
            token,
            session,
            address,
            _folder: folder,
        }
    }

    /// Opens the stream, and reads only the HTTP answer.
    async fn open(&self) -> TcpStream {
        let mut tab = TcpStream::connect(self.address).await.unwrap();
        let (session, token) = (self.session, &self.token);
        let request = format!(
            "GET /sessions/{session}/stream HTTP/1.1\r\nhost: 127.0.0.1:3000\r\norigin: http://127.0.0.1:3000\r\n\
             cookie: cloud-delivery-login={token}\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: c2l4dGVlbiBieXRlcyBvaw==\r\n\r\n"
        );
        tab.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            answer.push(timeout(DEADLINE, tab.read_u8()).await.unwrap().unwrap());
        }
        assert!(
            answer.starts_with(b"HTTP/1.1 101 "),
            "{}",
            String::from_utf8_lossy(&answer)
        );
        tab
    }

    async fn until_connected_is(&self, expected: bool) {
        let connected = || {
            let list = self.served.control.list(&self.me, &View::default()).unwrap();
            list.items
                .iter()
                .find(|row| row.id == self.session)
                .is_some_and(|row| row.connected)
        };
        let settled = async {
            while connected() != expected {
                sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(DEADLINE, settled)
            .await
            .unwrap_or_else(|_| panic!("connected is not {expected}"));
    }
}

#[tokio::test]
async fn a_tab_that_answers_no_ping_is_soon_no_longer_connected() {
    let silent_tab = Duration::from_millis(800);
    let desktop = Desktop::launch(Limits {
        silent_tab,
        ..Limits::default()
    })
    .await;
    let began = Instant::now();
    let mut tab = desktop.open().await;
    desktop.until_connected_is(true).await;
    desktop.until_connected_is(false).await;
    assert!(began.elapsed() >= silent_tab);
    let mut rest = Vec::new();
    let _ = timeout(DEADLINE, tab.read_to_end(&mut rest)).await.unwrap();
    desktop.served.stop().await;
}

#[tokio::test]
async fn a_tab_that_sends_but_reads_nothing_is_soon_no_longer_connected() {
    let stalled = Duration::from_millis(800);
    let desktop = Desktop::launch(Limits {
        stalled,
        ..Limits::default()
    })
    .await;
    let mut tab = desktop.open().await;
    desktop.until_connected_is(true).await;
    // The simulated screen answers each update request with a full frame.
    let mut messages: Vec<u8> = b"RFB 003.008\n\x01\x01".to_vec();
    let update = [3, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff];
    messages.extend(update.repeat(100));
    let sending = async {
        while tab.write_all(&frame(&messages)).await.is_ok() {
            messages = update.repeat(100);
        }
    };
    tokio::select! {
        () = desktop.until_connected_is(false) => {}
        () = sending => desktop.until_connected_is(false).await,
    }
    desktop.served.stop().await;
}

/// A binary message of a client, masked with zeros.
fn frame(payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len()).unwrap().to_be_bytes();
    [&[0x82, 0x80 | 126, length[0], length[1], 0, 0, 0, 0], payload].concat()
}
