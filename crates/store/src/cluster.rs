//! Several nodes on one database: heartbeats, wake-ups and the turn to sweep.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::TimeDelta;
use session::Timestamp;

use crate::Result;

/// The answer to a request to sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// The caller sweeps. Nobody else may until the interval is over.
    Granted,
    /// Not before this moment.
    Wait(Timestamp),
}

/// A server among those that share a database, as its last heartbeat shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// The name that its settings give it.
    pub name: Arc<str>,
    /// The address for the other nodes.
    pub url: Arc<str>,
    /// The number of its heartbeats. A number that stands still shows that the node is away,
    /// independently of the clocks.
    pub beats: u64,
    /// Its report to the other nodes, as JSON.
    pub report: Arc<str>,
}

/// The heartbeats of all nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PeerHeartbeats {
    /// Every known node, by name; empty if the database can't be shared.
    pub nodes: Vec<Node>,
    /// The time of the last granted sweep.
    pub sweep_granted_at: Option<Timestamp>,
}

/// The nodes that share the database. A database that can't be shared only implements
/// [`Cluster::claim_sweep`].
#[async_trait]
pub trait Cluster: Send + Sync + 'static {
    /// Waits for a sign that something changed, for example a write of another node: then read
    /// [`Sessions::changes`](crate::Sessions::changes). May wake spuriously and may miss changes:
    /// poll as well. Made for one waiter, who may drop the future at any time: the next call
    /// returns at once if a sign came in between.
    async fn changed(&self) {
        std::future::pending().await
    }
    /// The time of the database's clock, if several nodes share it; `None` = use this machine's
    /// clock.
    async fn now(&self) -> Result<Option<Timestamp>> {
        Ok(None)
    }
    /// Reserves a sweep: at most one per `interval` over all nodes, also if a request arrives late.
    /// If the clock was set back, everybody waits for one interval; if it was set back by less than
    /// an interval, for up to two.
    async fn claim_sweep(&self, now: Timestamp, interval: TimeDelta) -> Result<Claim>;
    /// Counts up this node's heartbeat and reads the others'. No part of the log, and lost in a
    /// power cut. [`StoreError::NodeTaken`](crate::StoreError::NodeTaken) once another server has
    /// this node's name: then this server must end.
    async fn heartbeat(&self, name: &str, url: &str, report: &str) -> Result<PeerHeartbeats> {
        let _ = (name, url, report);
        Ok(PeerHeartbeats::default())
    }
}
