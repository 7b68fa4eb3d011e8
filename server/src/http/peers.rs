//! `POST /nodes/wake`: a wake-up, which makes a peer read the log at once. So the answer to an
//! expire means that the tab is closed, on any node. Without the wake-up, the peer would read the
//! log at its next poll.

use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, HeaderName, StatusCode},
};
use control::{Peers, Relay};
use futures::future::BoxFuture;
use session::api::Problem;

use super::{
    AppState,
    node_client::{NodeClient, node_client},
    problem::Refused,
};

/// The path on every node.
pub const WAKE: &str = "/nodes/wake";
/// Request header that authenticates a node: the secret of the node that receives the request.
const NODE: HeaderName = HeaderName::from_static("x-cloud-delivery-node");

/// Wakes peers over HTTP.
#[derive(Debug)]
pub struct HttpPeers(NodeClient);

impl HttpPeers {
    /// Creates the client, without connections.
    pub fn new() -> anyhow::Result<Self> {
        Ok(Self(node_client()?))
    }
}

impl Peers for HttpPeers {
    fn wake(&self, at: Relay) -> BoxFuture<'static, ()> {
        let client = self.0.clone();
        Box::pin(async move {
            let request = Request::post(format!("{}{WAKE}", at.url)).header(NODE, &*at.secret);
            let Ok(request) = request.body(Body::empty()) else {
                return;
            };
            match client.request(request).await {
                Ok(answer) if answer.status().is_success() => {}
                Ok(answer) if answer.status().is_server_error() => {
                    tracing::warn!(
                        node = &*at.node,
                        "a peer cannot read the log now; it will retry at its next poll"
                    );
                }
                Ok(answer) => {
                    tracing::warn!(
                        node = &*at.node,
                        status = %answer.status(),
                        "a server rejected a wake-up: not the expected node (check its `node_url`)"
                    );
                }
                Err(error) => {
                    let node = &*at.node;
                    tracing::warn!(node, %error, "could not wake a peer; it reads the log at its next poll");
                }
            }
        })
    }
}

/// Reads the log at once, since a peer has ended sessions that this node may host. The answer means
/// that this node has closed their tabs.
pub async fn wake(State(state): State<AppState>, headers: HeaderMap) -> Result<StatusCode, Refused> {
    let secret = headers.get(NODE).and_then(|secret| secret.to_str().ok());
    if !secret.is_some_and(|secret| state.control.is_node(secret)) {
        let detail = "Only the other nodes of this server ask that.";
        return Err(Refused(Problem::new(
            403,
            "not_a_node",
            "This is for nodes only",
            detail,
        )));
    }
    state.control.read_log_now().await?;
    Ok(StatusCode::NO_CONTENT)
}
