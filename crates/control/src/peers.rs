//! Node-to-node wake-ups: tells a peer to read the log now.
//!
//! A peer would find the change by itself within a second. But the caller of an expire gets the
//! answer only when the tab is closed, on any node (docs/spec.md §5), so the wake-up comes first.

use std::{collections::BTreeSet, fmt::Debug, future::ready, time::Duration};

use futures::future::{BoxFuture, join_all};
use session::Session;
use tokio::time::timeout;

use crate::{Control, Relay, Result};

/// An answer waits this long for the tabs on other nodes.
const WAKE_TIMEOUT: Duration = Duration::from_secs(1);

/// Wakes other nodes.
pub trait Peers: Debug + Send + Sync {
    /// Returns when the node has read the log and closed the tabs of ended sessions, or when the
    /// node can't be reached.
    fn wake(&self, at: Relay) -> BoxFuture<'static, ()>;
}

/// Wakes no node. The other nodes poll the log.
#[derive(Debug)]
pub struct NoPeers;

impl Peers for NoPeers {
    fn wake(&self, _: Relay) -> BoxFuture<'static, ()> {
        Box::pin(ready(()))
    }
}

impl Control {
    /// Has the hosts of these sessions close the tabs of those that have ended. The answer to the
    /// caller waits for that, but at most [`WAKE_TIMEOUT`]: a node that is cut off finds the change
    /// in the log later, or loses the log and closes its tabs.
    pub(crate) async fn close_on_hosts(&self, sessions: impl IntoIterator<Item = &Session>) {
        let ended = sessions.into_iter().filter(|session| !session.status.is_live());
        let hosts: BTreeSet<_> = ended
            .filter(|session| !self.hosts(session))
            .map(|session| &session.node)
            .collect();
        let now = self.clock.now();
        self.wake(hosts.into_iter().filter_map(|host| self.nodes.relay_to(host, now)))
            .await;
    }

    /// Has every node close the tabs of ended sessions. For a change that may have ended sessions
    /// anywhere.
    pub(crate) async fn close_on_all_nodes(&self) {
        self.wake(self.nodes.relays(self.clock.now())).await;
    }

    async fn wake(&self, hosts: impl IntoIterator<Item = Relay>) {
        let wakes = hosts.into_iter().map(|host| {
            let node = host.node.clone();
            let wake = self.options.peers.wake(host);
            async move {
                if timeout(WAKE_TIMEOUT, wake).await.is_err() {
                    tracing::warn!(
                        node = &*node,
                        "a node did not confirm in time that it closed the tabs of ended sessions; it finds them in the log"
                    );
                }
            }
        });
        join_all(wakes).await;
    }

    /// Reads the log now: a peer has ended sessions that this node may host.
    pub async fn read_log_now(&self) -> Result<()> {
        self.catch_up().await
    }
}
