//! A tab whose session another node hosts: its WebSocket is relayed as it is, byte by byte. The node that hosts the session
//! authenticates the tab, limits its time and closes it, as if the tab had connected there.

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

/// Says that a node hands a tab on: the secret of the node that it goes to, and the tab's own address.
const RELAYED: HeaderName = HeaderName::from_static("x-cloud-delivery-relayed");
/// How long it may take to let the tab in: it waits while the session starts. A tab that has waited for longer asks again.
const ANSWERING: Duration = Duration::from_secs(600);
/// Bytes of the node that are handed on at once.
const CHUNK: usize = 16 * 1024;
/// How long a tab may take nothing: as long as the node lets it be silent.
const STALLED: Duration = Duration::from_secs(30);

/// Hands tabs on. Clones share its connections.
#[derive(Clone)]
pub struct Relays(NodeClient);

impl Relays {
    /// None is open yet.
    pub fn new() -> Result<Self, String> {
        Ok(Self(node_client()?))
    }

    /// Hands a tab on, and answers it with what the other node says.
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
            tracing::warn!(node = %to.node, %error, "could not relay a tab to the host of its session; the tab gets an error");
            away()
        })?;
        if answer.status() == StatusCode::SWITCHING_PROTOCOLS {
            let onto = hyper::upgrade::on(&mut answer);
            tokio::spawn(async move {
                if let (Ok(tab), Ok(node)) = tokio::join!(from, onto) {
                    tokio::select! {
                        () = hand_on(TokioIo::new(tab), TokioIo::new(node)) => {}
                        // What is cut in between needs no word.
                        () = control.wait_until_relay_ends(&to.node) => {}
                    }
                }
            });
        }
        Ok(answer.map(Body::new))
    }
}

/// Hands the bytes of a tab on, and the node's back, until the node has said its last word: that reaches the tab also where the node
/// reads no more. A tab that is gone is told to the node, which then ends its side; one that takes nothing is cut.
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

/// The request as the other node gets it: the same, with a word that it can trust.
fn onward(to: &Relay, request: &Request) -> Option<Request> {
    let peer = request.extensions().get::<Client>()?.address;
    let uri: Uri = format!("{}{}", to.url, request.uri().path()).parse().ok()?;
    let word = HeaderValue::from_str(&format!("{} {peer}", to.secret)).ok()?;
    let mut onward = Request::builder().uri(uri).body(Body::empty()).ok()?;
    *onward.headers_mut() = request.headers().clone();
    // There is no body, whatever the tab says of one.
    for body in [header::CONTENT_LENGTH, header::TRANSFER_ENCODING, header::EXPECT] {
        onward.headers_mut().remove(body);
    }
    onward.headers_mut().insert(RELAYED, word);
    Some(onward)
}

/// Does somebody say that a node hands this on? Where the word is not good, a node's `node_url` leads somewhere else.
fn claimed(headers: &HeaderMap) -> bool {
    headers.contains_key(RELAYED)
}

/// The address of a tab that another node hands on. `None` where nobody, or nobody who is trusted, says so.
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
        let mut heard = Vec::new();
        tab.read_to_end(&mut heard).await.unwrap();
        assert_eq!(heard, b"the last word");
        handed_on.await.unwrap();
    }

    #[tokio::test]
    async fn a_node_hears_that_a_tab_is_gone_and_has_the_last_word_all_the_same() {
        let (mut tab, from_tab) = duplex(64);
        let (to_node, mut node) = duplex(64);
        tab.write_all(b"good-bye").await.unwrap();
        drop(tab);
        let handed_on = tokio::spawn(hand_on(from_tab, to_node));
        let mut heard = Vec::new();
        node.read_to_end(&mut heard).await.unwrap();
        assert_eq!(heard, b"good-bye");
        drop(node);
        handed_on.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_tab_that_takes_nothing_is_cut_when_its_time_is_over() {
        let (mut tab, from_tab) = duplex(64);
        let (to_node, mut node) = duplex(64);
        let began = tokio::time::Instant::now();
        let handed_on = tokio::spawn(hand_on(from_tab, to_node));
        // More than fits, and then the node ends: nothing of that can reach the tab.
        node.write_all(&[7; 100]).await.unwrap();
        drop(node);
        handed_on.await.unwrap();
        assert_eq!(began.elapsed(), STALLED);
        let mut heard = Vec::new();
        tab.read_to_end(&mut heard).await.unwrap();
        assert_eq!(heard.len(), 64);
    }
}
