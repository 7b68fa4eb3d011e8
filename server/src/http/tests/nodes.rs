//! Wake-ups between nodes. A wake-up makes the server read its log, so only nodes may send one.

use serde_json::Value;
use store::Cluster;
use store_testing::Memory;
use tokio::sync::mpsc;

use super::*;

const NODE: &str = "x-cloud-delivery-node";

/// Sends a wake-up and returns the status.
async fn wake(server: &TestServer, secret: Option<&str>, cookie: Option<&str>) -> StatusCode {
    let answer = server.ask(Method::POST, "/nodes/wake", cookie, |request| {
        if let Some(secret) = secret {
            request.headers_mut().insert(NODE, secret.parse().unwrap());
        }
    });
    answer.await.status()
}

/// The secret of the server, as a peer reads it from the database.
async fn secret_of(server: &TestServer, store: &Memory) -> String {
    let (_environments, signals) = mpsc::unbounded_channel();
    // The server writes its heartbeat first. Without its tasks it does not poll the log.
    drop(server.control.start(signals).await);
    let rows = store.heartbeat("peer", "", "").await.unwrap().nodes;
    let row = rows.iter().find(|row| &*row.name == session::ONLY_NODE).unwrap();
    let report: Value = serde_json::from_str(&row.report).unwrap();
    report["secret"].as_str().unwrap().to_owned()
}

/// The revision of the log that the list of sessions shows.
async fn revision(server: &TestServer, admin: &str) -> u64 {
    let answer = server.get("/api/v1/sessions", Some(admin)).await;
    let body = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
    let list: Value = serde_json::from_slice(&body).unwrap();
    list["revision"].as_u64().unwrap()
}

#[tokio::test]
async fn only_a_node_with_the_secret_makes_the_server_read_the_log() {
    let store = Arc::new(Memory::new());
    let server = TestServer::on(store.clone()).await;
    let secret = secret_of(&server, &store).await;
    let admin = server.cookie(Role::SystemAdmin).await;
    let before = revision(&server, &admin).await;
    // Another node changes the log.
    let options = Options {
        node: "peer".into(),
        ..Options::default()
    };
    let clock = Arc::new(SystemClock);
    let peer = Control::open(store, HashMap::new(), clock, options).await.unwrap();
    peer.add_user("rita", PASSWORD, Role::Reporter).await.unwrap();

    let almost = &secret[..secret.len() - 1];
    let longer = format!("{secret}x");
    for wrong in [None, Some(""), Some("guess"), Some(almost), Some(&longer)] {
        assert_eq!(wake(&server, wrong, None).await, StatusCode::FORBIDDEN, "{wrong:?}");
        assert_eq!(
            wake(&server, wrong, Some(&admin)).await,
            StatusCode::FORBIDDEN,
            "an administrator is no node"
        );
    }
    assert_eq!(revision(&server, &admin).await, before, "the server read the log");

    assert_eq!(wake(&server, Some(&secret), None).await, StatusCode::NO_CONTENT);
    assert!(revision(&server, &admin).await > before);
}
