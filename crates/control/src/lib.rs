//! The use-cases: launch, attach, expire, sweep, purge, and the check of the role before each.
//!
//! Every mutation goes through this crate, in three steps: authorise, commit the change with its
//! event, announce it. A server function, the HTTP API, the command line and the timers call the
//! same function, so no caller can skip a check or the log. This crate reads no wall clock and no
//! environment variables: the caller passes a [`Clock`] in. It names no concrete store, no concrete
//! environment and no HTTP type.
//!
//! To add a use-case, write a method of [`Control`] in the file of its resource. Its first line
//! calls [`authorization`].

mod archives;
mod authorization;
mod background;
mod batch;
mod catalogue;
mod clock;
mod coalesce;
mod columns;
mod commit;
mod error;
mod events;
mod files;
mod first_start;
mod health;
mod homes;
mod launches;
mod logins;
mod my_applications;
mod nodes;
mod options;
mod passwords;
mod peers;
mod people;
mod replica;
mod seed;
mod sessions;
mod shutdown;
mod sound;
mod sweep;
mod tab_registry;
mod tabs;
mod temporary_passwords;
mod throttle;
mod uploads;
mod watch;

use std::{collections::HashMap, sync::Arc};

use environments::Environment;
use parking_lot::Mutex;
use session::{EnvironmentId, Session};
use store::{Changes, Store, Writer};
use tokio::sync::Notify;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use uuid::Uuid;

pub use clock::{Clock, ManualClock};
pub use error::{Error, Result};
pub use events::{Proof, Signed};
pub use files::{Folder, Restriction, Upload};
pub use first_start::FirstStart;
pub use launches::Launch;
pub use nodes::{Host, PEER_TIMEOUT, Relay};
pub use options::Options;
pub use passwords::{MIN_PASSWORD_CHARS, random_password};
pub use peers::{NoPeers, Peers};
pub use people::Client;
pub use replica::InvalidList;
pub use sound::Listening;
pub use sweep::SWEEP_INTERVAL;
pub use tab_registry::{Close, LastUse};
pub use tabs::{Attachment, Desk, Tab};
pub use uploads::ClaimedUpload;
pub use watch::{Message, Watch};

use coalesce::Coalescer;
use replica::Replica;
use tab_registry::TabRegistry;

/// The environments that this node can reach, by id.
pub type Environments = HashMap<EnvironmentId, Arc<dyn Environment>>;

/// All use-cases, over one store and the environments of one node.
pub struct Control {
    store: Arc<dyn Store>,
    writer: Writer,
    replica: Arc<Replica>,
    tabs: Arc<TabRegistry>,
    environments: Environments,
    clock: Arc<dyn Clock>,
    options: Options,
    throttle: throttle::Throttle,
    passwords: passwords::PasswordPool,
    logins: logins::Logins,
    failed_sign_ins: Coalescer<people::FailedSignIn>,
    catalogue: catalogue::Cache,
    own: my_applications::OwnApplications,
    decoders: catalogue::Decoders,
    launch_rate: launches::LaunchRate,
    refusals: Coalescer<launches::RefusalKey>,
    seen_head: events::SeenHead,
    sweeps: sweep::Sweeps,
    uploads: uploads::Uploads,
    archives: archives::Archives,
    nodes: nodes::Nodes,
    /// Wakes the task that closes ended and failed sessions in their environments.
    closing: Arc<Notify>,
    /// Failed sessions that their environment has yet to stop.
    failed: Mutex<Vec<Session>>,
    /// Held while [`Control::catch_up`] applies changes and closes the tabs of ended sessions.
    closing_tabs: Mutex<()>,
    views: watch::Views,
    shutdown: CancellationToken,
    /// One token for each tab that this node serves. The relay holds it until it has sent the
    /// reason for the close.
    tab_tracker: TaskTracker,
}

impl Control {
    /// Loads the log and starts the writer. Nothing runs in the background until
    /// [`Control::start`].
    pub async fn open(
        store: Arc<dyn Store>,
        environments: Environments,
        clock: Arc<dyn Clock>,
        options: Options,
    ) -> Result<Arc<Self>> {
        let loaded = store.load().await?;
        Ok(Self::with(store, loaded, environments, clock, options))
    }

    /// Opens the log for a tool that shows no sessions: it loads none, so it starts fast on a large
    /// log. It does see every change from now on.
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
        let tabs = Arc::new(TabRegistry::default());
        let closing = Arc::new(Notify::new());
        let writer = {
            let (replica, tabs, closing) = (replica.clone(), tabs.clone(), closing.clone());
            Writer::spawn(store.clone(), move |committed| {
                commit::publish_commit(&replica, &tabs, &closing, committed)
            })
        };
        let sweeps = sweep::Sweeps::new(clock.now());
        let nodes = nodes::Nodes::new(clock.now());
        let passwords = passwords::PasswordPool::new(options.password_checks, options.password_queue);
        let launch_rate = launches::LaunchRate::new(options.launches_per_minute, clock.clone());
        Arc::new(Self {
            store,
            writer,
            replica,
            tabs,
            environments,
            clock,
            options,
            throttle: throttle::Throttle::new(),
            passwords,
            logins: logins::Logins::default(),
            failed_sign_ins: Coalescer::new(people::MAX_FAILED_SIGN_INS),
            catalogue: catalogue::Cache::default(),
            own: my_applications::OwnApplications::default(),
            decoders: catalogue::Decoders::default(),
            launch_rate,
            // A launch is refused for few reasons, each for one person and one existing
            // application: that bounds the keys.
            refusals: Coalescer::new(usize::MAX),
            seen_head: events::SeenHead::default(),
            sweeps,
            uploads: uploads::Uploads::default(),
            archives: archives::Archives::default(),
            nodes,
            closing,
            failed: Mutex::default(),
            closing_tabs: Mutex::new(()),
            views: watch::Views::default(),
            shutdown: CancellationToken::new(),
            tab_tracker: TaskTracker::new(),
        })
    }

    /// The time of this node's clock.
    pub fn now(&self) -> session::Timestamp {
        self.clock.now()
    }

    /// A new id of version 7, which sorts by time.
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
