//! The nodes that share one log. Each runs, minds and closes the sessions that it launched; any serves any administrator, and
//! relays a tab to the node that hosts its session.
//!
//! A node counts up its heartbeats in the database. Whoever sees them stand still for [`SILENT`] by its own clock takes over what
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
use tokio::sync::watch;

use crate::{Close, Control, Error, Result, people::random_password, refresh::Report};

/// A node that has not been heard of for so long is away.
pub const SILENT: TimeDelta = TimeDelta::seconds(15);
/// Who has heard nothing for so long knows nothing of the others: everybody has a new [`SILENT`] from then on.
const DEAF: TimeDelta = TimeDelta::seconds(5);
/// So long before the limit a lost log has its consequences: on a busy machine too, they are over when it comes.
const AHEAD: TimeDelta = TimeDelta::seconds(1);
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

impl Other {
    fn away(&self, now: Timestamp) -> bool {
        now - self.moved_at >= SILENT
    }
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
        }
    }

    /// Every other node that ever was, by name.
    pub fn others(&self, now: Timestamp) -> Vec<OtherNode> {
        let known = self.known.lock();
        let other = |(name, other): (&Arc<str>, &Other)| OtherNode {
            name: name.clone(),
            alive: !other.away(now),
            report: other.told.sweep.clone(),
        };
        known.others.iter().map(other).collect()
    }

    /// The log is lost where nothing was heard since `latest`. True where that is new.
    fn lose(&self, latest: Timestamp) -> bool {
        // Under its lock, so that a heartbeat that gets through at this moment is not overruled.
        let known = self.known.lock();
        known.heard_at <= latest && !self.lost.send_replace(true)
    }

    /// Takes over what a heartbeat heard. True where something is new.
    fn heard(&self, me: &str, heard: Vec<Node>, now: Timestamp) -> bool {
        let mut known = self.known.lock();
        let deaf = now - known.heard_at > DEAF;
        known.heard_at = now;
        self.lost.send_if_modified(std::mem::take);
        let mut news = false;
        for node in heard.into_iter().filter(|node| *node.name != *me) {
            let before = known.others.remove(&node.name);
            let mut other = Other {
                moved_at: match &before {
                    Some(before) if before.node.beats == node.beats && !deaf => before.moved_at,
                    _ => now,
                },
                alive: true,
                // One of another version may tell what is not understood here.
                told: serde_json::from_str(&node.report).unwrap_or_default(),
                node,
            };
            other.alive = !other.away(now);
            news |= before.is_none_or(|before| before.alive != other.alive || before.node.report != other.node.report);
            known.others.insert(other.node.name.clone(), other);
        }
        news
    }
}

impl Control {
    /// Is it this node that runs, minds and closes the session?
    pub(crate) fn mine(&self, session: &Session) -> bool {
        session.node == self.options.node
    }

    /// Where the tab of a session is served. Its owner only.
    pub async fn host(&self, me: &Me, id: SessionId) -> Result<Host> {
        let session = self.found(me, id).await?;
        if self.mine(&session) {
            return Ok(Host::Here);
        }
        let (known, now) = (self.nodes.known.lock(), self.clock.now());
        match known.others.get(&session.node) {
            Some(other) if !other.away(now) && !other.node.url.is_empty() => Ok(Host::There(Relay {
                node: other.node.name.clone(),
                url: other.node.url.clone(),
                secret: other.told.secret.clone(),
            })),
            _ => Err(Error::NodeAway(session.node.clone())),
        }
    }

    /// Is this what only the other nodes know of this one?
    pub fn is_node(&self, secret: &str) -> bool {
        secret == &*self.nodes.secret
    }

    /// Returns when what is relayed to a node must be cut: that node is away, or this one may not go on.
    pub async fn unlinked(&self, node: &str) {
        let mut changes = self.replica.subscribe();
        let here = || {
            let now = self.clock.now();
            self.nodes
                .known
                .lock()
                .others
                .get(node)
                .is_some_and(|other| !other.away(now))
        };
        tokio::select! {
            () = self.draining() => {}
            () = self.losing() => {}
            // That a node is away is news, which is announced.
            () = async { while here() && changes.changed().await.is_ok() {} } => {}
        }
    }

    /// Has this node lost the log for so long that nothing it says can be trusted?
    pub fn lost(&self) -> bool {
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
                // Two that run the same sessions would end each other's: see `Control::broken`.
                self.writer.close().await;
                return Err(StoreError::NodeTaken(name).into());
            }
            heard => heard?,
        };
        // Who can beat but not read knows as little as who can do neither, and what it shows after a gap must be new.
        self.catch_up().await?;
        let news = self.nodes.heard(name, nodes, asked_at);
        if news {
            self.replica.announce();
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
        let latest = self.clock.now() + AHEAD - limit;
        if self.nodes.lose(latest) {
            tracing::error!("the database has been away for too long: tabs and watches are closed until it is back");
        }
        if self.lost() {
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
        for id in self.left_behind(now) {
            self.settle(id, Command::Detach).await;
        }
        Ok(())
    }

    async fn settle(&self, id: SessionId, command: Command) {
        if let Err(error) = self.step(id, command, Actor::System).await {
            tracing::warn!(session = %id, %error, "whether a tab has it open could not be recorded yet");
        }
    }

    /// Sessions that the log calls connected and no tab has open.
    fn left_behind(&self, now: Timestamp) -> Vec<SessionId> {
        let grace = TimeDelta::from_std(self.options.reload_grace).unwrap_or_default() + SETTLED;
        let connected = self.replica.unended().into_iter().filter(|session| session.connected());
        let (mine, others): (Vec<_>, Vec<_>) = connected.partition(|session| self.mine(session));
        let mut known = self.nodes.known.lock();
        let before = std::mem::take(&mut known.unattended);
        let mut left: Vec<_> = others
            .iter()
            .filter(|session| known.away(&session.node, now))
            .map(|session| session.id)
            .collect();
        for session in mine.iter().filter(|session| !self.streams.open(session.id)) {
            let since = before.get(&session.id).copied().unwrap_or(now);
            known.unattended.insert(session.id, since);
            if now - since >= grace {
                left.push(session.id);
            }
        }
        left
    }

    /// Must this node act on the session's deadlines? On its own ones', and where their node is away.
    pub(crate) fn minds(&self, session: &Session, now: Timestamp) -> bool {
        self.mine(session) || self.nodes.known.lock().away(&session.node, now)
    }
}

impl Known {
    /// Is the node away? One that was never heard of has as long to come as one that was there.
    fn away(&self, node: &str, now: Timestamp) -> bool {
        match self.others.get(node) {
            Some(other) => other.away(now),
            None => now - self.since >= SILENT,
        }
    }
}
