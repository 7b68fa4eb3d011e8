//! Several nodes on one log: heartbeats, relays, fencing, and the tabs of a node that is away.
//!
//! A node runs, expires and closes the sessions that were launched on it. Every node serves every
//! administrator, and relays a tab to the node that hosts its session.
//!
//! Each node increments a heartbeat counter in the database. If a node sees the counter of a peer
//! stand still for [`PEER_TIMEOUT`] by its own clock, it takes that peer for away: it marks the
//! tabs of the peer as disconnected and acts on the deadlines of its sessions. By then a peer that
//! only lost the log has closed its tabs ([`Options::lost_after`](crate::Options)).

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use chrono::TimeDelta;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use session::{Session, SessionId, Status, Timestamp, api::Me, lifecycle::Command};
use store::{Node, PeerHeartbeats, StoreError};
use subtle::ConstantTimeEq;
use tokio::sync::watch;

use crate::{Close, Control, Error, Result, passwords::random_password, sweep::Report};

/// A peer without a new heartbeat for this long is away.
pub const PEER_TIMEOUT: TimeDelta = TimeDelta::seconds(15);
/// If this node itself read no heartbeats for this long, its view of its peers is stale: it
/// restarts the timeout of every peer.
const OWN_GAP: TimeDelta = TimeDelta::seconds(5);
/// Fence this early, so that even a busy machine is done by the deadline.
const FENCE_MARGIN: TimeDelta = TimeDelta::seconds(1);
/// The log and the registry of tabs may disagree for this long while an attach or a detach is being
/// written.
const SETTLE_TIME: TimeDelta = TimeDelta::seconds(5);

/// The node that serves the tab of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// This node: no relay is needed.
    Here,
    /// Another node, to which the tab is relayed.
    There(Relay),
}

/// Everything that is needed to relay a tab to the node that hosts its session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relay {
    /// The `node` setting of the host.
    pub node: Arc<str>,
    /// The URL under which its peers reach it.
    pub url: Arc<str>,
    /// The secret of the host. It proves to the host that a peer relays: [`Control::is_node`].
    pub secret: Arc<str>,
}

/// The payload of a heartbeat, for the peers.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct HeartbeatPayload {
    secret: Arc<str>,
    sweep: Arc<Report>,
}

/// This node's view of its peers, and whether this node has lost the log.
pub struct Nodes {
    /// Generated at each start, and written only to the database.
    secret: Arc<str>,
    view: Mutex<View>,
    log_lost: watch::Sender<bool>,
    /// Changes whenever a peer comes, goes, or sends another payload.
    changes: watch::Sender<()>,
}

struct View {
    /// The moment from which this node has read heartbeats.
    since: Timestamp,
    /// The moment of the last read of heartbeats.
    read_at: Timestamp,
    peers: BTreeMap<Arc<str>, PeerState>,
    /// Sessions that are connected in the log but have no tab here, each with the moment at which
    /// this node noticed it.
    unattended: HashMap<SessionId, Timestamp>,
}

struct PeerState {
    /// The row of the peer at the last read.
    node: Node,
    /// The moment at which this node last saw the counter advance, by its own clock.
    advanced_at: Timestamp,
    /// Whether the peer was alive at the last read.
    alive: bool,
    payload: HeartbeatPayload,
}

/// Another node.
pub struct Peer {
    /// Its `node` setting, unique in the database.
    pub name: Arc<str>,
    /// False after [`PEER_TIMEOUT`] without a heartbeat.
    pub alive: bool,
    /// The result of its last sweep.
    pub report: Arc<Report>,
}

impl Nodes {
    /// No peer is known yet.
    pub fn new(now: Timestamp) -> Self {
        let view = View {
            since: now,
            read_at: now,
            peers: BTreeMap::new(),
            unattended: HashMap::new(),
        };
        Self {
            secret: random_password(),
            view: Mutex::new(view),
            log_lost: watch::Sender::new(false),
            changes: watch::Sender::new(()),
        }
    }

    /// Every peer in the database, alive or away, by name.
    pub fn peers(&self, now: Timestamp) -> Vec<Peer> {
        let view = self.view.lock();
        let peer = |(name, peer): (&Arc<str>, &PeerState)| Peer {
            name: name.clone(),
            alive: !view.is_away(name, now),
            report: peer.payload.sweep.clone(),
        };
        view.peers.iter().map(peer).collect()
    }

    /// The way to a node; `None` while it is away or has no URL.
    pub fn relay_to(&self, node: &str, now: Timestamp) -> Option<Relay> {
        let view = self.view.lock();
        let peer = view.peers.get(node).filter(|peer| !peer.node.url.is_empty())?;
        (!view.is_away(node, now)).then(|| Relay {
            node: peer.node.name.clone(),
            url: peer.node.url.clone(),
            secret: peer.payload.secret.clone(),
        })
    }

    /// The way to every peer that is alive.
    pub fn relays(&self, now: Timestamp) -> Vec<Relay> {
        let names: Vec<_> = self.view.lock().peers.keys().cloned().collect();
        names.iter().filter_map(|name| self.relay_to(name, now)).collect()
    }

    fn has_no_peers(&self) -> bool {
        self.view.lock().peers.is_empty()
    }

    /// Marks the log as lost if this node has read no heartbeats since `latest`. Returns true if
    /// that is new.
    fn mark_log_lost(&self, latest: Timestamp) -> bool {
        // The lock is held across both steps: a heartbeat that succeeds right now must win.
        let view = self.view.lock();
        view.read_at <= latest && !self.log_lost.send_replace(true)
    }

    /// Stores the heartbeats that a read returned which began at `asked_at`. Returns true if
    /// anything changed.
    fn record_heartbeats(&self, me: &str, rows: Vec<Node>, asked_at: Timestamp, now: Timestamp) -> bool {
        let mut view = self.view.lock();
        let stale = view.is_stale(asked_at);
        view.read_at = asked_at;
        self.log_lost.send_if_modified(std::mem::take);
        let (mut changed, mut peers) = (false, BTreeMap::new());
        for node in rows.into_iter().filter(|node| *node.name != *me) {
            let before = view.peers.remove(&node.name);
            let advanced_at = match &before {
                Some(before) if before.node.beats == node.beats && !stale => before.advanced_at,
                _ => now,
            };
            let peer = PeerState {
                advanced_at,
                alive: now - advanced_at < PEER_TIMEOUT,
                // A peer of another version may send a payload that this version cannot parse.
                payload: serde_json::from_str(&node.report).unwrap_or_default(),
                node,
            };
            changed |= before.is_none_or(|before| before.alive != peer.alive || before.node.report != peer.node.report);
            peers.insert(peer.node.name.clone(), peer);
        }
        // The database no longer has the peers that are left over.
        changed |= !view.peers.is_empty();
        view.peers = peers;
        drop(view);
        if changed {
            self.changes.send_replace(());
        }
        changed
    }
}

impl Control {
    /// Does this node host the session? Only its host runs and closes it.
    pub(crate) fn hosts(&self, session: &Session) -> bool {
        session.node == self.options.node
    }

    /// The node that serves the tab of a session, for the owner of the session only. Every node
    /// serves the tab of an ended session: it only shows that the session has ended.
    pub async fn host(&self, me: &Me, id: SessionId) -> Result<Host> {
        let session = self.own_session_fresh(me, id).await?;
        if self.hosts(&session) || !session.status.is_live() {
            return Ok(Host::Here);
        }
        let relay = self.nodes.relay_to(&session.node, self.clock.now()).map(Host::There);
        relay.ok_or_else(|| Error::NodeAway(session.node.clone()))
    }

    /// Is this the secret of this node, which only its peers can read? Compared in constant time:
    /// the duration of a plain comparison reveals the number of correct leading characters.
    pub fn is_node(&self, secret: &str) -> bool {
        secret.as_bytes().ct_eq(self.nodes.secret.as_bytes()).into()
    }

    /// Returns when a relay to `node` must end: the node is away, or this one shuts down or has
    /// lost the log.
    pub async fn wait_until_relay_ends(&self, node: &str) {
        let mut changes = self.nodes.changes.subscribe();
        let is_alive = || !self.nodes.view.lock().is_away(node, self.clock.now());
        tokio::select! {
            () = self.wait_for_shutdown() => {}
            () = self.wait_until_log_lost() => {}
            // A peer that goes away is a change.
            () = async { while is_alive() && changes.changed().await.is_ok() {} } => {}
        }
    }

    /// Has this node lost the log for so long that its replica may be wrong?
    pub fn has_lost_log(&self) -> bool {
        *self.nodes.log_lost.borrow()
    }

    /// Returns when this node has lost the log.
    pub(crate) async fn wait_until_log_lost(&self) {
        let mut lost = self.nodes.log_lost.subscribe();
        // This cannot fail: the sender lives as long as `self`.
        let _ = lost.wait_for(|lost| *lost).await;
    }

    /// Writes this node's heartbeat and reads those of its peers.
    pub(crate) async fn send_heartbeat(&self) -> Result<()> {
        let asked_at = self.clock.now();
        let payload = HeartbeatPayload {
            secret: self.nodes.secret.clone(),
            sweep: self.sweeps.report(),
        };
        let payload = serde_json::to_string(&payload).map_err(|error| Error::Internal(error.to_string()))?;
        let (name, url) = (&self.options.node, &self.options.node_url);
        let PeerHeartbeats {
            nodes,
            sweep_granted_at,
        } = match self.store.heartbeat(name, url, &payload).await {
            Err(StoreError::NodeTaken(name)) => {
                tracing::error!("{}", StoreError::NodeTaken(name.clone()));
                // Two servers that host the same sessions would end them for each other: see
                // `Control::wait_until_broken`.
                self.writer.close().await;
                return Err(StoreError::NodeTaken(name).into());
            }
            heartbeats => heartbeats?,
        };
        // This comes before the record of the heartbeats. A node that can write its heartbeat but
        // cannot read the log counts as cut off, and a node that returns after a gap must not show
        // an old list.
        self.catch_up().await?;
        let had_no_peers = self.nodes.has_no_peers();
        if self.nodes.record_heartbeats(name, nodes, asked_at, self.clock.now()) {
            self.replica.announce();
        }
        if had_no_peers && !self.nodes.has_no_peers() && url.is_empty() {
            tracing::warn!("other nodes share this log but cannot reach this one; set CLOUD_DELIVERY_NODE_URL");
        }
        if let Some(granted_at) = sweep_granted_at {
            self.sweeps.record_grant(granted_at);
        }
        Ok(())
    }

    /// Closes every tab and ends every watch once this node has lost the log for
    /// [`Options::lost_after`](crate::Options), less [`FENCE_MARGIN`]: from then on a peer may end
    /// these sessions unseen.
    pub(crate) async fn fence_if_log_lost(&self) -> Result<()> {
        let Some(limit) = self.options.lost_after else {
            return Ok(());
        };
        let latest = self.clock.now() + FENCE_MARGIN - limit;
        if self.nodes.mark_log_lost(latest) {
            tracing::error!(
                "the database has been unreachable for too long; closed all tabs and watches until it is back"
            );
        }
        if self.has_lost_log() {
            self.tabs.close_all(Close::LogLost);
        }
        Ok(())
    }

    /// Makes the log agree with the registry of tabs: an attach or a detach may have been lost, or
    /// a node with all its tabs.
    pub(crate) async fn reconcile_tabs(&self) -> Result<()> {
        let now = self.clock.now();
        for tab in self.tabs.all() {
            let session = self.replica.get(tab.id);
            // The log has no tab for it, for example because a peer took this node for dead. The
            // epoch is still the one under which the tab was attached, because every expire closes
            // the tab.
            if let Some(session) = session
                && session.status == Status::Active
                && !session.connected()
                && now - tab.opened_at >= SETTLE_TIME
                && self.tabs.is_open(tab.id)
            {
                let epoch = session.access_epoch;
                self.apply_or_warn(tab.id, Command::Attach { epoch }).await;
            }
        }
        for session in self.unattended(now) {
            // Its node or its tab may have come back while this loop wrote the others.
            if self.is_unattended(&session, self.clock.now()) {
                self.apply_or_warn(session.id, Command::Detach).await;
            }
        }
        Ok(())
    }

    /// Sessions that are connected in the log and have no open tab. Those of this node only after a
    /// grace period.
    fn unattended(&self, now: Timestamp) -> Vec<Arc<Session>> {
        let grace = TimeDelta::from_std(self.options.reload_grace).unwrap_or_default() + SETTLE_TIME;
        let mut unattended = self.replica.unended();
        unattended.retain(|session| session.connected() && self.is_unattended(session, now));
        let mut view = self.nodes.view.lock();
        let before = std::mem::take(&mut view.unattended);
        unattended.retain(|session| {
            if !self.hosts(session) {
                return true;
            }
            let since = before.get(&session.id).copied().unwrap_or(now);
            view.unattended.insert(session.id, since);
            now - since >= grace
        });
        unattended
    }

    /// Does no tab have the session open, as far as this node knows?
    fn is_unattended(&self, session: &Session, now: Timestamp) -> bool {
        if self.hosts(session) {
            !self.tabs.is_open(session.id)
        } else {
            self.nodes.view.lock().is_away(&session.node, now)
        }
    }

    /// Must this node act on the deadlines of the session? It must if it hosts the session, or if
    /// the host is away.
    pub(crate) fn is_responsible_for(&self, session: &Session, now: Timestamp) -> bool {
        self.hosts(session) || self.nodes.view.lock().is_away(&session.node, now)
    }
}

impl View {
    /// Is the node away? A node that never sent a heartbeat gets the same timeout, from the start
    /// of this node. While the view is stale, no node counts as away.
    fn is_away(&self, node: &str, now: Timestamp) -> bool {
        let advanced_at = self.peers.get(node).map_or(self.since, |peer| peer.advanced_at);
        !self.is_stale(now) && now - advanced_at >= PEER_TIMEOUT
    }

    fn is_stale(&self, now: Timestamp) -> bool {
        now - self.read_at > OWN_GAP
    }
}
