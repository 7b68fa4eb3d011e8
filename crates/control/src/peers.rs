//! What the nodes say to each other directly: that there is something in the log to look into now. They would find it by themselves,
//! but whoever ended a session is answered when its tab is closed, on whichever node that is (SPEC.md §5).

use std::{collections::BTreeSet, fmt::Debug, future::ready, time::Duration};

use futures::future::{BoxFuture, join_all};
use session::Session;
use tokio::time::timeout;

use crate::{Control, Relay, Result};

/// How long an answer waits for the other nodes' tabs.
const TELLING: Duration = Duration::from_secs(1);

/// How a node has another one look into the log at once.
pub trait Peers: Debug + Send + Sync {
    /// Returns when it has looked, and closed the tabs of what has ended; or when it can't be reached.
    fn wake(&self, at: Relay) -> BoxFuture<'static, ()>;
}

/// Nobody is asked: the others hear of it from the log.
#[derive(Debug)]
pub struct NoPeers;

impl Peers for NoPeers {
    fn wake(&self, _: Relay) -> BoxFuture<'static, ()> {
        Box::pin(ready(()))
    }
}

impl Control {
    /// Has the nodes that host these sessions close their tabs, as far as they have ended. Whoever ended them is answered after that,
    /// but waits for no node for longer than a moment: one that is cut off finds it in the log, or loses the log and its tabs.
    pub(crate) async fn closed_elsewhere(&self, sessions: impl IntoIterator<Item = &Session>) {
        let ended = sessions.into_iter().filter(|session| !session.status.is_live());
        let hosts: BTreeSet<_> = ended
            .filter(|session| !self.mine(session))
            .map(|session| &session.node)
            .collect();
        let now = self.clock.now();
        self.looked_into(hosts.into_iter().filter_map(|host| self.nodes.reach(host, now)))
            .await;
    }

    /// The same for every node, where it is not known what has ended.
    pub(crate) async fn closed_everywhere(&self) {
        self.looked_into(self.nodes.reachable(self.clock.now())).await;
    }

    async fn looked_into(&self, hosts: impl IntoIterator<Item = Relay>) {
        let looking = hosts.into_iter().map(|host| {
            let node = host.node.clone();
            let look = self.options.peers.wake(host);
            async move {
                if timeout(TELLING, look).await.is_err() {
                    tracing::warn!(
                        node = &*node,
                        "a node did not say in time that it has closed the tabs of what has ended"
                    );
                }
            }
        });
        join_all(looking).await;
    }

    /// Looks into the log at once: another node has ended what this one may host.
    pub async fn read_log_now(&self) -> Result<()> {
        self.catch_up().await
    }
}
