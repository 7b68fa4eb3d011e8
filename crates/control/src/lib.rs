//! The use-cases: launch, attach, expire, refresh, purge, and who may do them.
//!
//! Every mutation goes through here: authorise, commit with its event, announce, in that order. A server function, the
//! HTTP API, the command line and the timers call the same function, so none can skip a check or the log. This crate
//! reads no wall clock and no process environment: a [`Clock`] is passed in. It names no concrete store, environment or
//! HTTP type.
//!
//! To add a use-case: a method of [`Control`] in the file of its resource, whose first line asks [`authority`].

mod authority;
mod background;
mod batch;
mod catalogue;
mod clock;
mod coalesce;
mod columns;
mod commit;
mod drain;
mod drawn_passwords;
mod error;
mod events;
mod first_start;
mod health;
mod launches;
mod logins;
mod nodes;
mod passwords;
mod peers;
mod people;
mod refresh;
mod replica;
mod seed;
mod sessions;
mod streams;
mod tabs;
mod throttle;
mod watch;

use std::{collections::HashMap, num::NonZeroU32, sync::Arc, time::Duration};

use chrono::TimeDelta;
use environments::Environment;
use parking_lot::Mutex;
use session::{EnvironmentId, ONLY_NODE, Session, Status};
use store::{Answer, Changes, Committed, Store, Writer};
use tokio::sync::Notify;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use uuid::Uuid;

pub use clock::{Clock, ManualClock};
pub use error::{Error, Result};
pub use events::{Proof, Signed};
pub use first_start::FirstStart;
pub use nodes::{Host, PEER_TIMEOUT, Relay};
pub use passwords::{MIN_PASSWORD_CHARS, random_password};
pub use peers::{NoPeers, Peers};
pub use people::Client;
pub use refresh::SWEEP_INTERVAL;
pub use streams::{Close, LastUse};
pub use tabs::{Attachment, Tab};
pub use watch::{Message, Watch};

use replica::Replica;
use streams::Streams;

/// What can be chosen for a [`Control`].
#[derive(Clone, Debug)]
pub struct Options {
    /// How long a session counts as connected after its tab's stream ended: a reload is no disconnect.
    pub reload_grace: Duration,
    /// Password checks at a time.
    pub password_checks: usize,
    /// Password checks that may wait for their turn.
    pub password_queue: usize,
    /// A login that was not used for this long is over.
    pub login_idle: TimeDelta,
    /// A login is over this long after the sign-in, used or not.
    pub login_lifetime: TimeDelta,
    /// The name of this node among those that share the log.
    pub node: Arc<str>,
    /// Where the others reach it.
    pub node_url: Arc<str>,
    /// How this node reaches them.
    pub peers: Arc<dyn Peers>,
    /// Most launches a minute of one person, on this node; `None` = no limit.
    pub launches_per_minute: Option<NonZeroU32>,
    /// Most live sessions of one person, on all nodes together; `None` = no limit.
    pub live_sessions_per_user: Option<NonZeroU32>,
    /// Signs the head of the log of events; `None` = it is not signed.
    pub audit_key: Option<store::chain::Key>,
    /// How long the log may be away before tabs and watches are closed; `None` = they stay open.
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
            audit_key: None,
            lost_after: None,
        }
    }
}

/// The environments that this node can reach, by id.
pub type Environments = HashMap<EnvironmentId, Arc<dyn Environment>>;

/// Everything that can be done.
pub struct Control {
    store: Arc<dyn Store>,
    writer: Writer,
    replica: Arc<Replica>,
    streams: Arc<Streams>,
    environments: Environments,
    clock: Arc<dyn Clock>,
    options: Options,
    throttle: throttle::Throttle,
    passwords: passwords::PasswordPool,
    logins: logins::Logins,
    failed_sign_ins: coalesce::Coalescer<people::FailedSignIn>,
    catalogue: catalogue::Cache,
    launch_rate: launches::LaunchRate,
    refusals: launches::Refusals,
    seen_head: events::SeenHead,
    sweeps: refresh::Sweeps,
    nodes: nodes::Nodes,
    closing: Arc<Notify>,
    /// Sessions that failed, and that their environment has yet to stop.
    failed: Mutex<Vec<Session>>,
    /// Held from taking over what the log's tail says until its tabs are told: [`Control::catch_up`].
    closing_tabs: Mutex<()>,
    views: watch::Views,
    draining: CancellationToken,
    /// The tabs that are served here, each until it was told why it closes.
    tabs: TaskTracker,
}

impl Control {
    /// Loads the log and starts the writer. Nothing runs in the background until [`Control::start`].
    pub async fn open(
        store: Arc<dyn Store>,
        environments: Environments,
        clock: Arc<dyn Clock>,
        options: Options,
    ) -> Result<Arc<Self>> {
        let loaded = store.load().await?;
        Ok(Self::with(store, loaded, environments, clock, options))
    }

    /// The same for a tool that looks at no session: none is loaded, however many there are. What changes from now on is seen.
    pub async fn open_without_sessions(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        options: Options,
    ) -> Result<Arc<Self>> {
        let none = Changes {
            revision: store.revision().await?,
            ..Changes::default()
        };
        Ok(Self::with(store, none, Environments::new(), clock, options))
    }

    fn with(
        store: Arc<dyn Store>,
        loaded: Changes,
        environments: Environments,
        clock: Arc<dyn Clock>,
        options: Options,
    ) -> Arc<Self> {
        let replica = Arc::new(Replica::new(loaded));
        let streams = Arc::new(Streams::default());
        let closing = Arc::new(Notify::new());
        let writer = {
            let (replica, streams, closing) = (replica.clone(), streams.clone(), closing.clone());
            Writer::spawn(store.clone(), move |committed| {
                take_over(&replica, &streams, &closing, committed)
            })
        };
        let sweeps = refresh::Sweeps::new(clock.now());
        let nodes = nodes::Nodes::new(clock.now());
        let passwords = passwords::PasswordPool::new(options.password_checks, options.password_queue);
        let launch_rate = launches::LaunchRate::new(options.launches_per_minute, clock.clone());
        Arc::new(Self {
            store,
            writer,
            replica,
            streams,
            environments,
            clock,
            options,
            throttle: throttle::Throttle::new(),
            passwords,
            logins: logins::Logins::default(),
            failed_sign_ins: coalesce::Coalescer::new(),
            catalogue: catalogue::Cache::default(),
            launch_rate,
            refusals: launches::Refusals::default(),
            seen_head: events::SeenHead::default(),
            sweeps,
            nodes,
            closing,
            failed: Mutex::default(),
            closing_tabs: Mutex::new(()),
            views: watch::Views::default(),
            draining: CancellationToken::new(),
            tabs: TaskTracker::new(),
        })
    }

    /// The time as this node counts it.
    pub fn now(&self) -> session::Timestamp {
        self.clock.now()
    }

    /// A new version-7 id: sorts by time.
    fn new_id(&self) -> Uuid {
        let now = self.clock.now();
        let seconds = u64::try_from(now.timestamp()).unwrap_or(0);
        Uuid::new_v7(uuid::Timestamp::from_unix(
            uuid::NoContext,
            seconds,
            now.timestamp_subsec_nanos(),
        ))
    }
}

/// What follows each commit, before anybody is answered: the replica shows it, and the tabs of what ended are closed. That goes
/// for what another node wrote as well, as far as an answer shows it.
fn take_over(replica: &Replica, streams: &Streams, closing: &Notify, committed: &Committed) {
    let (mut shown, mut purged, mut wrote) = (Vec::new(), Vec::new(), false);
    for answer in &committed.answers {
        match answer {
            Answer::Launched(session, _) | Answer::Stepped { session, changed: true } => {
                wrote = true;
                shown.push(session.clone());
            }
            Answer::Stepped {
                session,
                changed: false,
            }
            | Answer::Resumed(session)
            | Answer::Refused(_, session) => {
                shown.push(session.clone());
            }
            Answer::Purged(ids) => {
                wrote |= !ids.is_empty();
                purged.extend_from_slice(ids);
            }
            Answer::Denied(_) | Answer::Unknown | Answer::Noted => {}
        }
    }
    let ended: Vec<_> = shown
        .iter()
        .filter_map(|session| Some((session.id, close_reason(session)?)))
        .collect();
    // A batch that changed no row does not tell whether this revision is its own or another node's, whose rows are yet to be read.
    let own = wrote.then_some(committed.revision);
    replica.committed(own, shown, &purged);
    for (id, why) in ended {
        streams.close(id, why);
        closing.notify_one();
    }
}

/// Why no tab may keep this session open; `None` while one may.
const fn close_reason(session: &Session) -> Option<Close> {
    match session.status {
        Status::Expired => Some(Close::Expired),
        Status::Error => Some(Close::Lost),
        Status::Pending | Status::Active => None,
    }
}
