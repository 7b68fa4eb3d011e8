//! The durable log. SQL keeps what must survive a power cut: people and their logins, the catalogue of environments and
//! applications, sessions, and one event for each change in the transaction of that change.
//!
//! This crate decides nothing: which edges a session has is [`session::lifecycle`]'s, who may do what is `control`'s. It
//! never reads a clock and draws no id. It answers no list of the page: the replica in `control` does.
//!
//! To add a database: a module that implements [`Store`], one test that runs [`mod@conformance`] on it, one arm in the
//! server's composition root.

use std::{num::NonZeroU32, sync::Arc};

use async_trait::async_trait;
use session::{
    Actor, ApplicationId, BatchId, EnvironmentId, Event, Origin, Policy, Role, Session, SessionId, Timestamp, UserId,
    audit::Numbered,
    catalogue::{Admission, ApplicationSpec},
    lifecycle,
};

pub mod chain;
pub mod conformance;
mod decide;
mod error;
pub mod memory;
pub mod postgres;
mod scan;
pub mod sqlite;
pub mod throwaway;
mod values;
pub mod writer;

pub use chain::{Checkpoint, Hash, Head, Verified};
pub use error::StoreError;
pub use scan::EventScan;
pub use session::refusal::LaunchRefusal;
pub use writer::Writer;

/// The result of every call.
pub type Result<T> = std::result::Result<T, StoreError>;

/// A person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Id.
    pub id: UserId,
    /// Unique, case-insensitive name.
    pub username: Arc<str>,
    /// argon2id in PHC form.
    pub password_hash: String,
    /// What they may do.
    pub role: Role,
    /// Since when.
    pub created_at: Timestamp,
    /// May they not sign in?
    pub blocked: bool,
    /// Must they change the password before anything else? So where it was drawn.
    pub must_change_password: bool,
}

/// A sign-in: only the SHA-256 of its token is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// SHA-256 of the token in the cookie.
    pub token_hash: [u8; 32],
    /// Whose.
    pub user_id: UserId,
    /// When they signed in.
    pub created_at: Timestamp,
    /// Last time it was used (kept to the minute).
    pub seen_at: Timestamp,
}

/// A sign-in whose password was verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewLogin {
    /// The login to keep.
    pub login: Login,
    /// The hash that the password was verified against. The login is kept only while the account still has it.
    pub verified_hash: String,
    /// The network that the person signed in from: an IPv4 address or an IPv6 /64 prefix.
    pub network: Arc<str>,
    /// The person, with the origin of the request.
    pub by: Actor,
}

/// A place where sessions run, as the catalogue knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvironmentRow {
    /// Id.
    pub id: EnvironmentId,
    /// Name that administrators see.
    pub name: Arc<str>,
    /// Which code runs it, e.g. `local`.
    pub kind: Arc<str>,
    /// Open to launches?
    pub open: bool,
}

/// What a user launches, with its delivery method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Application {
    /// Id.
    pub id: ApplicationId,
    /// Unique name.
    pub name: Arc<str>,
    /// Text of its launch button.
    pub launch_text: Arc<str>,
    /// Where it runs.
    pub environment_id: EnvironmentId,
    /// Program and arguments.
    pub command: Vec<String>,
    /// Limits of its sessions.
    pub policy: Policy,
    /// Sessions that may be live at once; `None` = as many as come.
    pub seats: Option<u32>,
    /// Open to launches?
    pub open: bool,
}

impl Application {
    /// An application as it was set.
    pub fn new(id: ApplicationId, spec: ApplicationSpec, open: bool) -> Self {
        Self {
            id,
            name: spec.name,
            launch_text: spec.launch_text,
            environment_id: spec.environment_id,
            command: spec.command,
            policy: spec.policy,
            seats: spec.seats,
            open,
        }
    }

    /// All that was set.
    pub fn spec(&self) -> ApplicationSpec {
        ApplicationSpec {
            name: self.name.clone(),
            launch_text: self.launch_text.clone(),
            environment_id: self.environment_id,
            command: self.command.clone(),
            seats: self.seats,
            policy: self.policy,
        }
    }
}

/// What became of an edit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edited {
    /// The application is now as it should be. Nothing was written where it was so already.
    Done(Application),
    /// It is no longer what the edit started from; as it is now. Nothing was written.
    Conflict(Application),
    /// There is no application of that id.
    NotFound,
}

/// One thing to write. A batch of them is one transaction; each is decided on the rows as that transaction sees them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WriteRequest {
    /// Start a session, resume the user's live one of that application, or keep the refusal.
    Launch {
        /// Id for the new session.
        session_id: SessionId,
        /// What to launch.
        application_id: ApplicationId,
        /// For whom.
        user_id: UserId,
        /// The node that will run it.
        node: Arc<str>,
        /// Where the request came from.
        origin: Option<Origin>,
        /// Most live sessions that the user may have; `None` = no limit.
        most: Option<NonZeroU32>,
        /// Refusals that the log already has: one equal to them is answered and not written again.
        recorded: Vec<LaunchRefusal>,
        /// When.
        at: Timestamp,
    },
    /// Record a refusal that no [`WriteRequest::Launch`] has written.
    RecordRefusal {
        /// Whose launch.
        user_id: UserId,
        /// Of what; `None` where it was not of one application.
        application_id: Option<ApplicationId>,
        /// Why it was refused.
        refusal: LaunchRefusal,
        /// How many equal launches were refused since the log's last event of it; `None` = this is the first.
        more: Option<NonZeroU32>,
        /// Where the request came from.
        origin: Option<Origin>,
        /// When.
        at: Timestamp,
    },
    /// Apply [`lifecycle::step`].
    Step {
        /// To which session.
        session_id: SessionId,
        /// What.
        command: lifecycle::Command,
        /// Who.
        by: Actor,
        /// When.
        at: Timestamp,
    },
    /// Note that sessions are expired together: one event for the batch, however often it is noted.
    Batch {
        /// Which.
        batch: BatchId,
        /// How many sessions were chosen.
        size: u32,
        /// What the administrator wrote.
        note: Option<Arc<str>>,
        /// Who.
        by: Actor,
        /// When.
        at: Timestamp,
    },
    /// Remove the sessions that are [`lifecycle::purgeable`], at most 1,000 at a time.
    Purge {
        /// When.
        at: Timestamp,
    },
}

/// What became of a [`WriteRequest`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WriteOutcome {
    /// A new session, Pending, and the program to start for it.
    Launched(Session, Vec<String>),
    /// The user's live session of that application; nothing was written.
    Resumed(Session),
    /// The launch was refused, and the refusal kept as an event unless it was named as recorded.
    Denied(LaunchRefusal),
    /// The session after the command. `changed` is false where the command was already so.
    Stepped {
        /// As it is now.
        session: Session,
        /// Was anything written?
        changed: bool,
    },
    /// [`lifecycle::step`] refused; the session as it is.
    Refused(lifecycle::Refusal, Session),
    /// There is no session of that id.
    NotFound,
    /// The batch, or the refusal, is in the log.
    Noted,
    /// These were removed.
    Purged(Vec<SessionId>),
}

/// A committed batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// The log's revision after it; unchanged where nothing was written.
    pub revision: u64,
    /// One answer for each request, in order.
    pub outcomes: Vec<WriteOutcome>,
}

/// What changed after some revision: the newest state of each session, once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// The revision these changes lead to.
    pub revision: u64,
    /// Sessions that are new or differ.
    pub sessions: Vec<Session>,
    /// Sessions that were removed.
    pub purged: Vec<SessionId>,
    /// Events that change who may do what: of people, sign-outs, applications and environments. In order.
    pub access: Vec<Event>,
}

/// May a sweep start?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// Yes, and nobody else may until the interval is over.
    Granted,
    /// Not before this moment.
    Wait(Timestamp),
}

/// A server among those that share a database, as it was last heard of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// The name that it was given.
    pub name: Arc<str>,
    /// Where the others reach it.
    pub url: Arc<str>,
    /// Its heartbeats so far: whoever sees that they stand still knows that it is away, whatever the clocks say.
    pub beats: u64,
    /// What it wants the others to know, as JSON.
    pub report: Arc<str>,
}

/// What a heartbeat hears.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PeerHeartbeats {
    /// Every node that ever was, by name; none where nobody shares the database.
    pub nodes: Vec<Node>,
    /// When the last sweep was granted.
    pub sweep_granted_at: Option<Timestamp>,
}

/// A login with its user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedIn {
    /// Who.
    pub user: User,
    /// The login.
    pub login: Login,
}

/// The durable log. Every call that writes, but [`Store::seed`], is one transaction, and on return it is on the disk.
/// [`StoreError::NotFound`] where a call names a person or an environment that is not there.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Every session, and the revision that they show.
    async fn load(&self) -> Result<Changes>;
    /// What changed after `revision`.
    async fn changes(&self, after: u64) -> Result<Changes>;
    /// The log's revision.
    async fn revision(&self) -> Result<u64>;
    /// Returns when the store has heard that something may have changed, as when another node writes: then catch up by
    /// [`Store::changes`]. It also returns for nothing, and not for every change, so look now and then in any case. Made for one
    /// waiter, who may drop the future at any time: what was heard meanwhile, the next call tells at once.
    async fn changed(&self) {
        std::future::pending().await
    }
    /// The time by the database's clock, where several nodes share one; `None` = this machine's own counts.
    async fn now(&self) -> Result<Option<Timestamp>> {
        Ok(None)
    }
    /// Writes a batch. Call it only from [`Writer`]: one batch at a time, and never in a future that may be dropped.
    async fn write(&self, batch: &[WriteRequest]) -> Result<Committed>;
    /// The events of a session, oldest first. Also of one that was purged.
    async fn events(&self, id: SessionId) -> Result<Vec<Event>>;
    /// A part of all events, in order: newest first, or oldest first from [`session::audit::Place::After`] on.
    async fn scan_events(&self, scan: &EventScan) -> Result<Vec<Numbered>>;
    /// Reads every event and checks that each is chained to the one before it; and finds the events of these hashes.
    async fn verify_events(&self, heads: &[Hash]) -> Result<Verified>;
    /// The last event.
    async fn head(&self) -> Result<Head>;
    /// The hash of an event; `None` where there is no event of that number.
    async fn event_hash(&self, number: u64) -> Result<Option<Hash>>;
    /// Keeps a checkpoint. One of the same event is kept as it is.
    async fn add_checkpoint(&self, checkpoint: &Checkpoint) -> Result<()>;
    /// Every checkpoint, oldest event first.
    async fn checkpoints(&self) -> Result<Vec<Checkpoint>>;
    /// Reserves a sweep: at most one each `interval`, whoever asks, also where a request comes late. A clock that was set back
    /// makes everybody wait for one interval, and by less than that for two.
    async fn claim_sweep(&self, now: Timestamp, interval: chrono::TimeDelta) -> Result<Claim>;
    /// Says that a node lives, and hears of the others. Not kept in the log, and lost in a power cut.
    /// [`StoreError::NodeTaken`] once another server has its name: then this one must end.
    async fn heartbeat(&self, name: &str, url: &str, report: &str) -> Result<PeerHeartbeats> {
        let _ = (name, url, report);
        Ok(PeerHeartbeats::default())
    }
    /// Adds synthetic sessions as they are, but for their version, in transactions of some thousand: a server beside it
    /// gets its turn. [`StoreError::NotEmpty`] where there are sessions already.
    async fn seed(&self, sessions: &[Session]) -> Result<()>;

    /// Everybody, by name.
    async fn users(&self) -> Result<Vec<User>>;
    /// One person by name, case-insensitively.
    async fn user_named(&self, username: &str) -> Result<Option<User>>;
    /// Adds a person, with its event. [`StoreError::AlreadyExists`] where the name is in use.
    async fn add_user(&self, user: &User, by: &Actor, at: Timestamp) -> Result<()>;
    /// Changes a role, with its event. [`StoreError::LastSystemAdmin`] where nobody would be left.
    async fn set_role(&self, id: UserId, role: Role, by: &Actor, at: Timestamp) -> Result<()>;
    /// Changes a password and ends all logins of that person, with its event.
    async fn set_password(
        &self,
        id: UserId,
        password_hash: &str,
        must_change: bool,
        by: &Actor,
        at: Timestamp,
    ) -> Result<()>;
    /// Blocks a person or lets them in again, with its event; writes nothing where it is so already. Blocking ends their
    /// logins and their sessions, each with its event, in the same transaction. [`StoreError::LastSystemAdmin`] where nobody
    /// would be left.
    async fn block_user(&self, id: UserId, blocked: bool, by: &Actor, at: Timestamp) -> Result<()>;
    /// Removes a person with their logins and preferences, and ends their sessions, each with its event, in the same
    /// transaction. What they did stays in the log. [`StoreError::LastSystemAdmin`] where nobody would be left.
    async fn remove_user(&self, id: UserId, by: &Actor, at: Timestamp) -> Result<()>;

    /// Keeps a login, with its event and the network that it came from. False, and nothing is written, where the account is gone,
    /// is blocked, or no longer has the hash that the password was verified against.
    async fn add_login(&self, new: &NewLogin) -> Result<bool>;
    /// The login of a token, if it exists. Whether it is still valid is decided in `control`.
    async fn login(&self, token_hash: &[u8; 32]) -> Result<Option<SignedIn>>;
    /// All logins of these people, in no order.
    async fn logins_of(&self, users: &[UserId]) -> Result<Vec<SignedIn>>;
    /// Raises the time of last use of many logins. Those that are gone are skipped.
    async fn touch_logins(&self, used: &[([u8; 32], Timestamp)]) -> Result<()>;
    /// Ends a login, with its event. Ending one that is gone is success and writes nothing.
    async fn end_login(&self, token_hash: &[u8; 32], by: &Actor, at: Timestamp) -> Result<()>;
    /// Ends all logins of a person, with its event.
    async fn end_logins(&self, id: UserId, by: &Actor, at: Timestamp) -> Result<()>;
    /// Removes the logins last used before a moment or made before another, and the networks last signed in from before a third.
    async fn remove_old_logins(
        &self,
        seen_before: Timestamp,
        created_before: Timestamp,
        networks_before: Timestamp,
    ) -> Result<()>;
    /// Did this person sign in from this network before?
    async fn signed_in_from(&self, username: &str, network: &str) -> Result<bool>;
    /// Records that an account's failed sign-ins are to be forgotten. Every node reads it from [`Changes::access`].
    async fn unlock_user(&self, id: UserId, by: &Actor, at: Timestamp) -> Result<()>;
    /// Adds an event that changes nothing else, such as a failed sign-in.
    async fn log_event(&self, event: &Event) -> Result<()>;

    /// All environments, by name.
    async fn environments(&self) -> Result<Vec<EnvironmentRow>>;
    /// Adds an environment, with its event. [`StoreError::AlreadyExists`] where the name is in use.
    async fn add_environment(&self, row: &EnvironmentRow, by: &Actor, at: Timestamp) -> Result<()>;
    /// Opens or closes it to launches, with its event; writes nothing where it is so already. Also ends its sessions where
    /// that is asked for, each with its event, in the same transaction. False where there is none of that id.
    async fn set_environment_launches(
        &self,
        id: EnvironmentId,
        to: Admission,
        by: &Actor,
        at: Timestamp,
    ) -> Result<bool>;
    /// All applications, by name.
    async fn applications(&self) -> Result<Vec<Application>>;
    /// Adds an application, with its event. [`StoreError::AlreadyExists`] where the name is in use.
    async fn add_application(&self, application: &Application, by: &Actor, at: Timestamp) -> Result<()>;
    /// Makes an application `wanted`, with its event, provided that it is still `seen`. [`StoreError::AlreadyExists`] where the
    /// name is in use.
    async fn update_application(
        &self,
        id: ApplicationId,
        seen: &ApplicationSpec,
        wanted: &ApplicationSpec,
        by: &Actor,
        at: Timestamp,
    ) -> Result<Edited>;
    /// Opens or closes it to launches, with its event; writes nothing where it is so already. Also ends its sessions where
    /// that is asked for, each with its event, in the same transaction. False where there is none of that id.
    async fn set_application_launches(
        &self,
        id: ApplicationId,
        to: Admission,
        by: &Actor,
        at: Timestamp,
    ) -> Result<bool>;

    /// A choice that a person made, as text.
    async fn preference(&self, user_id: UserId, name: &str) -> Result<Option<String>>;
    /// Keeps it; `None` forgets it.
    async fn set_preference(&self, user_id: UserId, name: &str, value: Option<&str>) -> Result<()>;
}
