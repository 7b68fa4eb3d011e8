//! The settings of a [`Control`](crate::Control).

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use chrono::TimeDelta;
use session::{ONLY_NODE, Transfer};

use crate::{NoPeers, Peers};

/// The settings of a [`Control`](crate::Control).
#[derive(Clone, Debug)]
pub struct Options {
    /// A session counts as connected for this long after its tab's stream ended: a reload is no
    /// disconnect.
    pub reload_grace: Duration,
    /// Password checks that run at a time.
    pub password_checks: usize,
    /// Password checks that may wait in the queue.
    pub password_queue: usize,
    /// A login ends after this long without use.
    pub login_idle: TimeDelta,
    /// A login ends this long after the sign-in, used or not.
    pub login_lifetime: TimeDelta,
    /// The name of this node. It is unique among the nodes that share the log.
    pub node: Arc<str>,
    /// The URL under which the other nodes reach this one; empty = they can't.
    pub node_url: Arc<str>,
    /// The client that wakes the other nodes.
    pub peers: Arc<dyn Peers>,
    /// Most launches a minute of one person, on this node; `None` = no limit.
    pub launches_per_minute: Option<NonZeroU32>,
    /// Most live sessions of one person, over all nodes; `None` = no limit.
    pub live_sessions_per_user: Option<NonZeroU32>,
    /// Directions of files on the page Files.
    pub files: Transfer,
    /// The largest file of an upload, in bytes; `None` = as large as the home allows.
    pub largest_upload: Option<u64>,
    /// The key that signs the head of the log of events; `None` = it is not signed.
    pub audit_key: Option<store::chain::Key>,
    /// Tabs and watches are closed after this long without the log; `None` = they stay open.
    pub lost_after: Option<TimeDelta>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            reload_grace: Duration::from_secs(2),
            password_checks: 2,
            password_queue: 64,
            login_idle: TimeDelta::hours(8),
            login_lifetime: TimeDelta::hours(24),
            node: ONLY_NODE.into(),
            node_url: "".into(),
            peers: Arc::new(NoPeers),
            launches_per_minute: None,
            live_sessions_per_user: None,
            files: Transfer::Both,
            largest_upload: None,
            audit_key: None,
            lost_after: None,
        }
    }
}
