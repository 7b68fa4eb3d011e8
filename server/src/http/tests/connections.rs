//! The limits of connections over real sockets: timeouts, numbers, and graceful shutdown.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, Bytes},
    routing::{get, post},
};
use futures::{StreamExt, stream};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
    time::{Instant, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::http::{
    limits::{Limits, raise_open_files},
    listener::serve,
    request_body,
};

/// Timeout of a test, far longer than any test here takes.
const DEADLINE: Duration = Duration::from_secs(20);
/// A short timeout.
const SOON: Duration = Duration::from_millis(600);

struct Running {
    address: SocketAddr,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Running {
    async fn start(limits: Limits, router: Router) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let stopped = stop.clone().cancelled_owned();
        let task = tokio::spawn(serve(listener, router, limits, Arc::new(|_| false), stopped));
        Self { address, stop, task }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    async fn send(&self, text: &str) -> TcpStream {
        let mut stream = self.connect().await;
        stream.write_all(text.as_bytes()).await.unwrap();
        stream
    }
}

/// Reads to the end of the connection. The server may close it with an end of stream or a reset.
async fn rest(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let _ = timeout(DEADLINE, stream.read_to_end(&mut answer))
        .await
        .expect("the connection stays open");
    String::from_utf8_lossy(&answer).into_owned()
}

fn hello() -> Router {
    Router::new().route("/", get(|| async { "hello" }))
}

const REQUEST: &str = "GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";

#[tokio::test]
async fn a_thousand_half_requests_are_cut_and_a_whole_one_is_answered_beside_them() {
    raise_open_files();
    let limits = Limits {
        request_head: Duration::from_secs(3),
        connections: 2000,
        ..Limits::default()
    };
    let server = Running::start(limits, hello()).await;
    let began = Instant::now();
    let mut halves = Vec::new();
    for _ in 0..1000 {
        halves.push(server.send("GET / HTTP/1.1\r\nhost: ").await);
    }
    let answer = rest(&mut server.send(REQUEST).await).await;
    assert!(answer.ends_with("hello"), "{answer}");
    assert!(
        began.elapsed() < limits.request_head,
        "answered while the others still wait"
    );
    for half in &mut halves {
        assert_eq!(rest(half).await, "");
    }
    assert!(began.elapsed() >= limits.request_head);
}

#[tokio::test]
async fn a_slow_body_is_answered_with_408() {
    let limits = Limits {
        request_body: SOON,
        ..Limits::default()
    };
    let body = axum::middleware::from_fn_with_state(limits, request_body::read);
    let router = Router::new()
        .route("/", post(|body: Bytes| async move { body }))
        .layer(body);
    let server = Running::start(limits, router).await;
    let head = "POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 5\r\n\r\n";
    let whole = rest(&mut server.send(&format!("{head}hello")).await).await;
    assert!(whole.ends_with("hello"), "{whole}");
    let mut slow = server.send(&format!("{head}hel")).await;
    let answer = rest(&mut slow).await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
}

#[tokio::test]
async fn a_client_that_stops_reading_an_endless_answer_is_cut() {
    let limits = Limits {
        stalled: SOON,
        ..Limits::default()
    };
    let alive = Arc::new(());
    let body = alive.clone();
    let endless = move || async move {
        let chunk = Bytes::from_static(&[b'x'; 16 * 1024]);
        Body::from_stream(stream::repeat(body).map(move |_| Ok::<_, std::io::Error>(chunk.clone())))
    };
    let server = Running::start(limits, Router::new().route("/", get(endless))).await;
    let mut client = server.send(REQUEST).await;
    let mut first = [0; 1000];
    client.read_exact(&mut first).await.unwrap();
    // The handler in the router and the test hold one reference each, the answer a third.
    let answers = || Arc::strong_count(&alive) > 2;
    assert!(answers());
    timeout(DEADLINE, async {
        while answers() {
            tokio::task::yield_now().await
        }
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn one_address_has_so_many_connections_and_gets_another_when_one_ends() {
    let limits = Limits {
        connections_per_address: 2,
        ..Limits::default()
    };
    let server = Running::start(limits, hello()).await;
    let first = server.connect().await;
    let second = server.connect().await;
    assert_eq!(
        rest(&mut server.connect().await).await,
        "",
        "the third is closed at once"
    );
    drop(first);
    let served = async { while !rest(&mut server.send(REQUEST).await).await.ends_with("hello") {} };
    timeout(DEADLINE, served).await.unwrap();
    drop(second);
}

#[tokio::test]
async fn when_it_stops_a_request_in_progress_is_answered_and_idle_connections_are_closed() {
    let (go, went) = (CancellationToken::new(), CancellationToken::new());
    let (gone, arrived) = (go.clone(), went.clone());
    let slow = move || async move {
        arrived.cancel();
        gone.cancelled().await;
        "at last"
    };
    let server = Running::start(Limits::default(), hello().route("/slow", get(slow))).await;
    let mut idle = server.connect().await;
    let mut busy = server.send("GET /slow HTTP/1.1\r\nhost: x\r\n\r\n").await;
    timeout(DEADLINE, went.cancelled()).await.unwrap();
    server.stop.cancel();
    assert_eq!(rest(&mut idle).await, "");
    assert!(
        TcpStream::connect(server.address).await.is_err(),
        "no new connection is accepted"
    );
    assert!(!server.task.is_finished());
    go.cancel();
    let answer = rest(&mut busy).await;
    assert!(answer.ends_with("at last"), "{answer}");
    timeout(DEADLINE, server.task).await.unwrap().unwrap();
}
