//! What the log keeps of each change: who did what to which session, and when.

use std::{num::NonZeroU32, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{
    ApplicationId, BatchId, EndReason, EnvironmentId, Role, SessionId, Timestamp, UserId, catalogue::ApplicationSpec,
};

/// Where a request came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// Network address of the other side.
    pub address: Arc<str>,
    /// Names the request: the answer carries it too, in the header `x-request-id`.
    pub request_id: Arc<str>,
}

/// Who caused a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Actor {
    /// A person, by name at the time.
    Person {
        /// Who.
        user_id: UserId,
        /// Name at the time.
        username: Arc<str>,
        /// Where it came from, where it came over the network.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        origin: Option<Origin>,
    },
    /// Somebody who is not signed in.
    Anonymous {
        /// Where the request came from.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        origin: Option<Origin>,
    },
    /// The environment that runs the session.
    Environment,
    /// A timer or the sweep.
    System,
}

impl Actor {
    /// The name shown in "Ended by".
    pub fn label(&self) -> Arc<str> {
        match self {
            Self::Person { username, .. } => username.clone(),
            Self::Anonymous { .. } | Self::Environment | Self::System => "system".into(),
        }
    }

    /// Where the request came from, if it came over the network.
    pub const fn origin(&self) -> Option<&Origin> {
        match self {
            Self::Person { origin, .. } | Self::Anonymous { origin } => origin.as_ref(),
            Self::Environment | Self::System => None,
        }
    }
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum EventKind {
    /// A launch was accepted.
    Launched,
    /// A launch was refused; there is no session.
    LaunchRefused {
        /// What was asked for, as it was given; empty where it was not one application.
        application: Arc<str>,
        /// Why not.
        reason: Arc<str>,
        /// How many equal launches were refused since the last event that says so; `None` = this is the first.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        more: Option<NonZeroU32>,
    },
    /// The environment said ready.
    Ready,
    /// It failed to start, or was lost.
    Failed {
        /// What went wrong.
        error: Arc<str>,
    },
    /// A tab opened it.
    Connected,
    /// Its last tab left.
    Disconnected,
    /// Nobody had used its tab for too long, so it was closed.
    Idle,
    /// It ended.
    Expired {
        /// Why.
        reason: EndReason,
        /// What the administrator wrote.
        note: Option<Arc<str>>,
        /// The batch that it was expired in.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        batch: Option<BatchId>,
        /// Its user may not launch the application again before then.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        blocked_until: Option<Timestamp>,
    },
    /// An administrator set out to expire many sessions together; each has an event of its own.
    BatchExpired {
        /// Names the batch in the events of its sessions.
        batch: BatchId,
        /// How many sessions were chosen.
        size: u32,
        /// What the administrator wrote.
        note: Option<Arc<str>>,
    },
    /// The environment closed it.
    TornDown,
    /// An administrator no longer waits for the environment to close it.
    TeardownGivenUp,
    /// It was removed from the list.
    Purged,
    /// An application was added or changed; there is no session.
    ApplicationChanged {
        /// Which.
        application_id: ApplicationId,
        /// Its name after the change.
        name: Arc<str>,
        /// How.
        change: ApplicationChange,
    },
    /// An environment was added, opened or closed; there is no session.
    EnvironmentChanged {
        /// Which.
        environment_id: EnvironmentId,
        /// Its name.
        name: Arc<str>,
        /// Open to launches from now on?
        open: bool,
    },
    /// A person was added or changed; there is no session.
    UserChanged {
        /// Who.
        user_id: UserId,
        /// Their name.
        username: Arc<str>,
        /// How.
        change: UserChange,
    },
    /// The actor signed in; there is no session.
    SignedIn,
    /// The actor signed out; there is no session.
    SignedOut,
    /// A sign-in was refused; there is no session.
    SignInFailed {
        /// The account, if there is one of that name. A name without an account is not kept: people type passwords there.
        username: Option<Arc<str>>,
        /// Why.
        cause: SignInFailure,
        /// How many equal attempts this event stands for.
        #[serde(default = "once")]
        count: u32,
    },
}

const fn once() -> u32 {
    1
}

/// Why a sign-in was refused. The sign-in page shows less: see docs/spec.md §3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignInFailure {
    /// There is no account of that name.
    UnknownUser,
    /// The password is wrong.
    WrongPassword,
    /// The account is blocked.
    Blocked,
    /// Too many attempts failed before: the password was not checked.
    Throttled,
    /// The password, the role or the account changed while the password was being checked.
    Superseded,
}

/// What changed about a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserChange {
    /// They were added, with this role.
    Added(Role),
    /// They have this role from now on.
    RoleSet(Role),
    /// Their password was changed, and their logins ended.
    PasswordSet,
    /// They can no longer sign in, and their sessions ended.
    Blocked,
    /// They can sign in again.
    Unblocked,
    /// They were removed, and their sessions ended.
    Removed,
    /// All their logins ended.
    LoginsEnded,
    /// Their failed sign-ins are forgotten: the next attempt is not delayed.
    Unlocked,
}

/// What changed about an application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApplicationChange {
    /// It was added, so.
    Added(Box<ApplicationSpec>),
    /// It was edited: what it is from now on. What it was is in the event before.
    Edited(Box<ApplicationSpec>),
    /// It was opened to launches.
    Opened,
    /// It was closed to launches.
    Closed,
}

impl EventKind {
    /// The word in the database's `kind` column.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Launched => "launched",
            Self::LaunchRefused { .. } => "launch_refused",
            Self::Ready => "ready",
            Self::Failed { .. } => "failed",
            Self::Connected => "connected",
            Self::Disconnected => "disconnected",
            Self::Idle => "idle",
            Self::Expired { .. } => "expired",
            Self::BatchExpired { .. } => "batch_expired",
            Self::TornDown => "torn_down",
            Self::TeardownGivenUp => "teardown_given_up",
            Self::Purged => "purged",
            Self::ApplicationChanged { .. } => "application_changed",
            Self::EnvironmentChanged { .. } => "environment_changed",
            Self::UserChanged { .. } => "user_changed",
            Self::SignedIn => "signed_in",
            Self::SignedOut => "signed_out",
            Self::SignInFailed { .. } => "sign_in_failed",
        }
    }
}

/// One entry of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// Which session; `None` where it is about none or about many, as a refused launch, a batch or a change of the catalogue.
    pub session_id: Option<SessionId>,
    /// Who.
    pub actor: Actor,
    /// What.
    pub what: EventKind,
}
