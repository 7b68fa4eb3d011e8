//! Relays the WebSocket of a tab to the host of its session, byte by byte. The host authenticates
//! the tab, applies its timeouts and closes it, as if the tab had connected there.

use std::{future::pending, net::IpAddr, sync::Arc, time::Duration};

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header},
    response::Response,
};
use control::{Client, Control, Error, Relay};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy, split},
    time::timeout,
};

use super::{
    node_client::{NodeClient, node_client},
    problem::Refused,
};

/// Request header of a relayed tab: the secret of the host and the address of the tab.
const RELAYED: HeaderName = HeaderName::from_static("x-cloud-delivery-relayed");
/// Timeout for the host's answer, which comes once the session has started. After it, the tab
/// connects again.
const ANSWERING: Duration = Duration::from_secs(600);
/// Bytes from the host in one write to the tab.
const CHUNK: usize = 16 * 1024;
/// Time after which a tab is cut off that reads nothing. It equals the default of
/// [`Limits::silent_tab`](super::limits::Limits).
const STALLED: Duration = Duration::from_secs(30);

/// Relays tabs. Clones share its connections.
#[derive(Clone)]
pub struct Relays(NodeClient);

impl Relays {
    /// Creates the client, without connections.
    pub fn new() -> anyhow::Result<Self> {
        Ok(Self(node_client()?))
    }

    /// Relays a tab to the host of its session, and returns the host's answer.
    pub async fn open(&self, control: Arc<Control>, to: Relay, mut request: Request) -> Result<Response, Refused> {
        let away = || Refused::from(Error::NodeAway(to.node.clone()));
        if claimed(request.headers()) {
            tracing::warn!(node = %to.node, "rejected a relayed tab: not the expected node (check its `node_url`)");
            return Err(away());
        }
        let from = hyper::upgrade::on(&mut request);
        let onward = onward(&to, &request).ok_or_else(away)?;
        let asked = tokio::select! {
            asked = timeout(ANSWERING, self.0.request(onward)) => asked.map_err(|_| away())?,
            () = control.wait_until_relay_ends(&to.node) => return Err(away()),
        };
        let mut answer = asked.map_err(|error| {
            let node = &to.node;
            tracing::warn!(%node, %error, "could not relay a tab to its session's host; the tab gets an error");
            away()
        })?;
        if answer.status() == StatusCode::SWITCHING_PROTOCOLS {
            let onto = hyper::upgrade::on(&mut answer);
            tokio::spawn(async move {
                if let (Ok(tab), Ok(node)) = tokio::join!(from, onto) {
                    tokio::select! {
                        () = hand_on(TokioIo::new(tab), TokioIo::new(node)) => {}
                        // Cut the connection without a close frame. The tab connects again.
                        () = control.wait_until_relay_ends(&to.node) => {}
                    }
                }
            });
        }
        Ok(answer.map(Body::new))
    }
}

/// Copies bytes in both directions until the host ends its side. The host's last bytes reach the
/// tab even if the host no longer reads. If the tab ends its side, the host gets an end of stream
/// and then ends its own. A tab that reads nothing is cut off.
async fn hand_on(tab: impl AsyncRead + AsyncWrite, node: impl AsyncRead + AsyncWrite) {
    let (mut from_tab, mut to_tab) = split(tab);
    let (mut from_node, mut to_node) = split(node);
    let onward = async {
        let _ = copy(&mut from_tab, &mut to_node).await;
        let _ = to_node.shutdown().await;
        pending::<()>().await;
    };
    let back = async {
        let mut chunk = vec![0; CHUNK];
        while let Ok(count @ 1..) = from_node.read(&mut chunk).await
            && let Ok(Ok(())) = timeout(STALLED, to_tab.write_all(&chunk[..count])).await
        {}
        let _ = timeout(STALLED, to_tab.shutdown()).await;
    };
    tokio::select! {
        () = back => {}
        () = onward => {}
    }
}

/// The request to the host: the tab's request with the header [`RELAYED`].
fn onward(to: &Relay, request: &Request) -> Option<Request> {
    let peer = request.extensions().get::<Client>()?.address;
    let uri: Uri = format!("{}{}", to.url, request.uri().path()).parse().ok()?;
    let word = HeaderValue::from_str(&format!("{} {peer}", to.secret)).ok()?;
    let mut onward = Request::builder().uri(uri).body(Body::empty()).ok()?;
    *onward.headers_mut() = request.headers().clone();
    // The relayed request has no body, so drop the tab's headers about one.
    for body in [header::CONTENT_LENGTH, header::TRANSFER_ENCODING, header::EXPECT] {
        onward.headers_mut().remove(body);
    }
    onward.headers_mut().insert(RELAYED, word);
    Some(onward)
}

/// Does the request claim to be relayed already? Then a node's `node_url` is wrong or the header is
/// forged.
fn claimed(headers: &HeaderMap) -> bool {
    headers.contains_key(RELAYED)
}

/// The address of a tab that another node relays. `None` without the header or with a wrong secret.
pub fn relayed(control: &Control, headers: &HeaderMap) -> Option<IpAddr> {
    let (secret, address) = headers.get(RELAYED)?.to_str().ok()?.split_once(' ')?;
    control.is_node(secret).then(|| address.parse().ok())?
}

#[cfg(test)]
mod tests {
    use tokio::io::duplex;

    use super::*;

    #[tokio::test]
    async fn the_last_word_of_a_node_reaches_a_tab_that_goes_on_sending() {
        let (mut tab, from_tab) = duplex(64);
        let (to_node, mut node) = duplex(64);
        node.write_all(b"the last word").await.unwrap();
        drop(node);
        tab.write_all(b"still typing").await.unwrap();
        let handed_on = tokio::spawn(hand_on(from_tab, to_node));
        let mut received = Vec::new();
        tab.read_to_end(&mut received).await.unwrap();
        assert_eq!(received, b"the last word");
        handed_on.await.unwrap();
    }

    #[tokio::test]
    async fn a_node_reads_the_end_of_a_tab_and_its_last_bytes_still_arrive() {
        let (mut tab, from_tab) = duplex(64);
        let (to_node, mut node) = duplex(64);
        tab.write_all(b"good-bye").await.unwrap();
        drop(tab);
        let handed_on = tokio::spawn(hand_on(from_tab, to_node));
        let mut received = Vec::new();
        node.read_to_end(&mut received).await.unwrap();
        assert_eq!(received, b"good-bye");
        drop(node);
        handed_on.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_tab_that_takes_nothing_is_cut_when_its_time_is_over() {
        let (mut tab, from_tab) = duplex(64);
        let (to_node, mut node) = duplex(64);
        let began = tokio::time::Instant::now();
        let handed_on = tokio::spawn(hand_on(from_tab, to_node));
        // More than the buffer holds, and then the node ends its side. The tab reads none of it.
        node.write_all(&[7; 100]).await.unwrap();
        drop(node);
        handed_on.await.unwrap();
        assert_eq!(began.elapsed(), STALLED);
        let mut received = Vec::new();
        tab.read_to_end(&mut received).await.unwrap();
        assert_eq!(received.len(), 64);
    }
}
