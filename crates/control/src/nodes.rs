//! The nodes that share one log. Each runs, minds and closes the sessions that it launched; any serves any administrator, and
//! relays a tab to the node that hosts its session.
//!
//! A node counts up its heartbeats in the database. Whoever sees them stand still for [`PEER_TIMEOUT`] by its own clock takes over what
//! must not wait: the tabs of that node are no longer connected, and its sessions' deadlines are acted on. A node that has lost
//! the log for [`Options::lost_after`](crate::Options) has closed its tabs by then.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use chrono::TimeDelta;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use session::{Actor, Session, SessionId, Status, Timestamp, lifecycle::Command, wire::Me};
use store::{Heard, Node, StoreError};
use subtle::ConstantTimeEq;
use tokio::sync::watch;

use crate::{Close, Control, Error, Result, passwords::random_password, refresh::Report};

/// A node that has not been heard of for so long is away.
pub const PEER_TIMEOUT: TimeDelta = TimeDelta::seconds(15);
/// Who has heard nothing for so long knows nothing of the others: everybody has a new [`PEER_TIMEOUT`] from then on.
const OWN_GAP: TimeDelta = TimeDelta::seconds(5);
/// So long before the limit a lost log has its consequences: on a busy machine too, they are over when it comes.
const FENCE_MARGIN: TimeDelta = TimeDelta::seconds(1);
/// A tab that the log knows nothing of, or that only the log knows of, is on its way for a moment. After this long it is not.
const SETTLED: TimeDelta = TimeDelta::seconds(5);

/// Where a session's tab is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// By this node.
    Here,
    /// By another.
    There(Relay),
}

/// How a tab is handed on to the node that hosts its session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relay {
    /// The node's name.
    pub node: Arc<str>,
    /// Where it is reached.
    pub url: Arc<str>,
    /// By this it knows that one of the nodes asks: [`Control::is_node`].
    pub secret: Arc<str>,
}

/// What a node tells the others with each heartbeat.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Told {
    secret: Arc<str>,
    sweep: Arc<Report>,
}

/// What is known of the nodes, and whether this one can still reach the log.
pub struct Nodes {
    /// Drawn anew at each start, and told to nobody but the database.
    secret: Arc<str>,
    known: Mutex<Known>,
    lost: watch::Sender<bool>,
    /// Changes whenever another node came, went, or told something new.
    news: watch::Sender<()>,
}

struct Known {
    /// Since when this node listens.
    since: Timestamp,
    /// When it last heard of the others.
    heard_at: Timestamp,
    others: BTreeMap<Arc<str>, Other>,
    /// Sessions that only the log says are connected here, since when.
    unattended: HashMap<SessionId, Timestamp>,
}

struct Other {
    /// As it was last heard of.
    node: Node,
    /// When this node last saw its beats go on.
    moved_at: Timestamp,
    /// Was it there when last looked at?
    alive: bool,
    told: Told,
}

/// Another node, as others see it.
pub struct OtherNode {
    /// Its name.
    pub name: Arc<str>,
    /// Is it there?
    pub alive: bool,
    /// What its last sweep found.
    pub report: Arc<Report>,
}

impl Nodes {
    /// Nobody is known yet.
    pub fn new(now: Timestamp) -> Self {
        let known = Known {
            since: now,
            heard_at: now,
            others: BTreeMap::new(),
            unattended: HashMap::new(),
        };
        Self {
            secret: random_password(),
            known: Mutex::new(known),
            lost: watch::Sender::new(false),
            news: watch::Sender::new(()),
        }
    }

    /// Every other node that ever was, by name.
    pub fn others(&self, now: Timestamp) -> Vec<OtherNode> {
        let known = self.known.lock();
        let other = |(name, other): (&Arc<str>, &Other)| OtherNode {
            name: name.clone(),
            alive: !known.away(name, now),
            report: other.told.sweep.clone(),
        };
        known.others.iter().map(other).collect()
    }

    /// How a node is reached; `None` while it is away.
    pub fn reach(&self, node: &str, now: Timestamp) -> Option<Relay> {
        let known = self.known.lock();
        let other = known.others.get(node).filter(|other| !other.node.url.is_empty())?;
        (!known.away(node, now)).then(|| Relay {
            node: other.node.name.clone(),
            url: other.node.url.clone(),
            secret: other.told.secret.clone(),
        })
    }

    /// Every other node that is there.
    pub fn reachable(&self, now: Timestamp) -> Vec<Relay> {
        let names: Vec<_> = self.known.lock().others.keys().cloned().collect();
        names.iter().filter_map(|name| self.reach(name, now)).collect()
    }

    fn alone(&self) -> bool {
        self.known.lock().others.is_empty()
    }

    /// The log is lost where nothing was heard since `latest`. True where that is new.
    fn lose(&self, latest: Timestamp) -> bool {
        // Under its lock, so that a heartbeat that gets through at this moment is not overruled.
        let known = self.known.lock();
        known.heard_at <= latest && !self.lost.send_replace(true)
    }

    /// Takes over what a heartbeat heard that began at `asked_at`. True where something is new.
    fn heard(&self, me: &str, heard: Vec<Node>, asked_at: Timestamp, now: Timestamp) -> bool {
        let mut known = self.known.lock();
        let deaf = known.deaf(asked_at);
        known.heard_at = asked_at;
        self.lost.send_if_modified(std::mem::take);
        let (mut news, mut others) = (false, BTreeMap::new());
        for node in heard.into_iter().filter(|node| *node.name != *me) {
            let before = known.others.remove(&node.name);
            let moved_at = match &before {
                Some(before) if before.node.beats == node.beats && !deaf => before.moved_at,
                _ => now,
            };
            let other = Other {
                moved_at,
                alive: now - moved_at < PEER_TIMEOUT,
                // One of another version may tell what is not understood here.
                told: serde_json::from_str(&node.report).unwrap_or_default(),
                node,
            };
            news |= before.is_none_or(|before| before.alive != other.alive || before.node.report != other.node.report);
            others.insert(other.node.name.clone(), other);
        }
        // Those that are left were forgotten.
        news |= !known.others.is_empty();
        known.others = others;
        drop(known);
        if news {
            self.news.send_replace(());
        }
        news
    }
}

impl Control {
    /// Is it this node that runs, minds and closes the session?
    pub(crate) fn mine(&self, session: &Session) -> bool {
        session.node == self.options.node
    }

    /// Where the tab of a session is served. Its owner only. That one has ended, each node can say.
    pub async fn host(&self, me: &Me, id: SessionId) -> Result<Host> {
        let session = self.found(me, id).await?;
        if self.mine(&session) || !session.status.is_live() {
            return Ok(Host::Here);
        }
        let there = self.nodes.reach(&session.node, self.clock.now()).map(Host::There);
        there.ok_or_else(|| Error::NodeAway(session.node.clone()))
    }

    /// Is this the secret that only the other nodes know of this one? Compared in constant time: how long a comparison of
    /// strings takes says how many letters of a guess are right.
    pub fn is_node(&self, secret: &str) -> bool {
        secret.as_bytes().ct_eq(self.nodes.secret.as_bytes()).into()
    }

    /// Returns when what is relayed to a node must be cut: that node is away, or this one may not go on.
    pub async fn wait_until_relay_ends(&self, node: &str) {
        let mut news = self.nodes.news.subscribe();
        let here = || !self.nodes.known.lock().away(node, self.clock.now());
        tokio::select! {
            () = self.draining() => {}
            () = self.losing() => {}
            // That a node is away is news.
            () = async { while here() && news.changed().await.is_ok() {} } => {}
        }
    }

    /// Has this node lost the log for so long that nothing it says can be trusted?
    pub fn has_lost_log(&self) -> bool {
        *self.nodes.lost.borrow()
    }

    /// Returns when the log is lost.
    pub(crate) async fn losing(&self) {
        let mut lost = self.nodes.lost.subscribe();
        // The sender lives as long as `self`.
        let _ = lost.wait_for(|lost| *lost).await;
    }

    /// Says that this node lives, and hears of the others.
    pub(crate) async fn beat(&self) -> Result<()> {
        let asked_at = self.clock.now();
        let told = Told {
            secret: self.nodes.secret.clone(),
            sweep: self.sweeps.report(),
        };
        let report = serde_json::to_string(&told).map_err(|error| Error::Internal(error.to_string()))?;
        let (name, url) = (&self.options.node, &self.options.node_url);
        let Heard {
            nodes,
            sweep_granted_at,
        } = match self.store.beat(name, url, &report).await {
            Err(StoreError::NodeTaken(name)) => {
                tracing::error!("{}", StoreError::NodeTaken(name.clone()));
                // Two that run the same sessions would end each other's: see `Control::wait_until_broken`.
                self.writer.close().await;
                return Err(StoreError::NodeTaken(name).into());
            }
            heard => heard?,
        };
        // Who can beat but not read knows as little as who can do neither, and what it shows after a gap must be new.
        self.catch_up().await?;
        let alone = self.nodes.alone();
        if self.nodes.heard(name, nodes, asked_at, self.clock.now()) {
            self.replica.announce();
        }
        if alone && !self.nodes.alone() && url.is_empty() {
            tracing::warn!("there are other nodes, and they can't reach this one: set CLOUD_DELIVERY_NODE_URL");
        }
        if let Some(granted_at) = sweep_granted_at {
            self.sweeps.granted(granted_at);
        }
        Ok(())
    }

    /// Closes every tab and every watch once the log has been lost for too long: somebody else may have ended any of these
    /// sessions. Before that moment rather than after it.
    pub(crate) async fn mind_the_log(&self) -> Result<()> {
        let Some(limit) = self.options.lost_after else {
            return Ok(());
        };
        let latest = self.clock.now() + FENCE_MARGIN - limit;
        if self.nodes.lose(latest) {
            tracing::error!("the database has been away for too long: tabs and watches are closed until it is back");
        }
        if self.has_lost_log() {
            self.streams.close_all(Close::LogLost);
        }
        Ok(())
    }

    /// Makes the log and the tabs agree, where an attach or a detach was lost, or a node with its tabs.
    pub(crate) async fn settle_tabs(&self) -> Result<()> {
        let now = self.clock.now();
        for tab in self.streams.all() {
            let session = self.replica.get(tab.id);
            // Unattended in the log, say because this node was taken for dead. The tab was let in under this very epoch.
            if let Some(session) = session
                && session.status == Status::Active
                && !session.connected()
                && now - tab.opened_at >= SETTLED
                && self.streams.open(tab.id)
            {
                let epoch = session.access_epoch;
                self.settle(tab.id, Command::Attach { epoch }).await;
            }
        }
        for session in self.left_behind(now) {
            // Its node, or its tab, may have come back while those before it were settled.
            if self.is_left(&session, self.clock.now()) {
                self.settle(session.id, Command::Detach).await;
            }
        }
        Ok(())
    }

    async fn settle(&self, id: SessionId, command: Command) {
        if let Err(error) = self.step(id, command, Actor::System).await {
            tracing::warn!(session = %id, %error, "whether a tab has it open could not be recorded yet");
        }
    }

    /// Sessions that the log calls connected and no tab has open; those of this node for a while now.
    fn left_behind(&self, now: Timestamp) -> Vec<Arc<Session>> {
        let grace = TimeDelta::from_std(self.options.reload_grace).unwrap_or_default() + SETTLED;
        let mut left = self.replica.unended();
        left.retain(|session| session.connected() && self.is_left(session, now));
        let mut known = self.nodes.known.lock();
        let before = std::mem::take(&mut known.unattended);
        left.retain(|session| {
            if !self.mine(session) {
                return true;
            }
            let since = before.get(&session.id).copied().unwrap_or(now);
            known.unattended.insert(session.id, since);
            now - since >= grace
        });
        left
    }

    /// Has no tab the session open, as far as this node can say?
    fn is_left(&self, session: &Session, now: Timestamp) -> bool {
        if self.mine(session) {
            !self.streams.open(session.id)
        } else {
            self.nodes.known.lock().away(&session.node, now)
        }
    }

    /// Must this node act on the session's deadlines? On its own ones', and where their node is away.
    pub(crate) fn minds(&self, session: &Session, now: Timestamp) -> bool {
        self.mine(session) || self.nodes.known.lock().away(&session.node, now)
    }
}

impl Known {
    /// Is the node away? One that was never heard of has as long to come as one that was there. Who hears nothing can't say so of
    /// anybody.
    fn away(&self, node: &str, now: Timestamp) -> bool {
        let moved_at = self.others.get(node).map_or(self.since, |other| other.moved_at);
        !self.deaf(now) && now - moved_at >= PEER_TIMEOUT
    }

    fn deaf(&self, now: Timestamp) -> bool {
        now - self.heard_at > OWN_GAP
    }
}
