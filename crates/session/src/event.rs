//! Events: the log's record of each change, with actor, session and time.

use std::{num::NonZeroU32, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{
    ApplicationId, BatchId, EndReason, EnvironmentId, Homes, Role, SessionId, Timestamp, UserId,
    catalogue::ApplicationSpec,
};

/// Source of a network request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// Network address of the client.
    pub address: Arc<str>,
    /// Request id, also sent in the response's `x-request-id` header.
    pub request_id: Arc<str>,
}

/// The cause of a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Actor {
    /// A signed-in person.
    Person {
        /// User id.
        user_id: UserId,
        /// Username at the time of the event.
        username: Arc<str>,
        /// Source of the request; `None` at the command line.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        origin: Option<Origin>,
    },
    /// Somebody without a login.
    Anonymous {
        /// Source of the request.
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

    /// Source of the request, if it came over the network.
    pub const fn origin(&self) -> Option<&Origin> {
        match self {
            Self::Person { origin, .. } | Self::Anonymous { origin } => origin.as_ref(),
            Self::Environment | Self::System => None,
        }
    }
}

/// Type and data of an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum EventKind {
    /// A launch was accepted.
    Launched,
    /// A launch was refused; there is no session.
    LaunchRefused {
        /// Requested application as received; empty unless the request named exactly one.
        application: Arc<str>,
        /// Reason for people.
        reason: Arc<str>,
        /// Number of equal refusals since the previous event of this kind; `None` = first refusal.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        more: Option<NonZeroU32>,
    },
    /// The environment reported the session ready.
    Ready,
    /// The session failed to start, or was lost.
    Failed {
        /// Error text for people.
        error: Arc<str>,
    },
    /// A tab opened the session.
    Connected,
    /// The last tab left the session.
    Disconnected,
    /// The tab was idle for too long, so the server closed it.
    Idle,
    /// The session ended.
    Expired {
        /// Cause of the end.
        reason: EndReason,
        /// Note that the administrator entered.
        note: Option<Arc<str>>,
        /// Batch that the expire belonged to.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        batch: Option<BatchId>,
        /// Time until which the user may not relaunch the application.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        blocked_until: Option<Timestamp>,
    },
    /// An administrator started a batch of expires. Each session has its own event as well.
    BatchExpired {
        /// Batch id, also in the events of the sessions.
        batch: BatchId,
        /// Number of selected sessions.
        size: u32,
        /// Note that the administrator entered.
        note: Option<Arc<str>>,
    },
    /// The environment finished closing the session.
    TornDown,
    /// An administrator stopped waiting for the environment to close the session.
    TeardownGivenUp,
    /// The session was removed from the list.
    Purged,
    /// An application was added or changed; there is no session.
    ApplicationChanged {
        /// Application that changed.
        application_id: ApplicationId,
        /// Name after the change.
        name: Arc<str>,
        /// Type of change.
        change: ApplicationChange,
    },
    /// An environment was added, opened or closed, or its homes changed; there is no session.
    EnvironmentChanged {
        /// Environment that changed.
        environment_id: EnvironmentId,
        /// Its name at the time of the event.
        name: Arc<str>,
        /// Whether it accepts launches from now on.
        open: bool,
        /// The new homes, if they changed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        homes: Option<Homes>,
    },
    /// A person was added or changed; there is no session.
    UserChanged {
        /// User id.
        user_id: UserId,
        /// Name at the time of the event.
        username: Arc<str>,
        /// Type of change.
        change: UserChange,
    },
    /// The actor signed in; there is no session.
    SignedIn,
    /// The actor signed out; there is no session.
    SignedOut,
    /// A sign-in was refused; there is no session.
    SignInFailed {
        /// Account, if one with this name exists. An unknown name is not logged, because people
        /// type passwords there.
        username: Option<Arc<str>>,
        /// Cause of the refusal.
        cause: SignInFailure,
        /// Number of equal attempts that this event summarizes.
        #[serde(default = "once")]
        count: u32,
    },
}

const fn once() -> u32 {
    1
}

/// Cause of a refused sign-in. The sign-in page shows less (docs/spec.md §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignInFailure {
    /// No account has this name.
    UnknownUser,
    /// The password is wrong.
    WrongPassword,
    /// The account is blocked.
    Blocked,
    /// Rate limited after failed attempts; the password was not checked.
    Throttled,
    /// The password, role or account changed during the password check.
    Superseded,
}

/// A change of a person's account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserChange {
    /// Added, with this role.
    Added(Role),
    /// Role changed to this one.
    RoleSet(Role),
    /// Password changed, logins ended.
    PasswordSet,
    /// Blocked from signing in, sessions ended.
    Blocked,
    /// Allowed to sign in again.
    Unblocked,
    /// Removed, sessions ended.
    Removed,
    /// All logins ended.
    LoginsEnded,
    /// Failed sign-ins reset, so the next attempt is not delayed.
    Unlocked,
}

/// A change of an application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApplicationChange {
    /// Added with these settings.
    Added(Box<ApplicationSpec>),
    /// Edited to these settings. The previous ones are in an earlier event.
    Edited(Box<ApplicationSpec>),
    /// Opened to launches.
    Opened,
    /// Closed to launches.
    Closed,
}

impl EventKind {
    /// Code in the database's `kind` column.
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

/// An entry of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Time by the server's clock, to the microsecond.
    pub at: Timestamp,
    /// Session; `None` for events about none or about many, such as a refused launch, a batch or a
    /// change of the catalogue.
    pub session_id: Option<SessionId>,
    /// Cause of the change.
    pub actor: Actor,
    /// Kind of event, with its data.
    pub what: EventKind,
}
