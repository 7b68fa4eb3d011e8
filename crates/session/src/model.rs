//! The session and its parts.

use std::{fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{ApplicationId, EnvironmentId, HomeKind, Policy, SessionId, Timestamp, UserId, code::UnknownCode};

/// The status of a session. See [`crate::lifecycle`] for the transitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Launch accepted, not ready yet.
    Pending,
    /// The application is running.
    Active,
    /// It failed to start, or its environment lost it.
    Error,
    /// Ended. Final.
    Expired,
}

impl Status {
    /// All statuses, in display order.
    pub const ALL: [Self; 4] = [Self::Pending, Self::Active, Self::Expired, Self::Error];

    /// Label for people.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Active => "Active",
            Self::Expired => "Expired",
            Self::Error => "Error",
        }
    }

    /// Code in JSON, URLs and the database.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Expired => "expired",
            Self::Error => "error",
        }
    }

    /// Whether the user can still use the session, so that a second launch resumes it.
    pub const fn is_live(self) -> bool {
        matches!(self, Self::Pending | Self::Active)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}

impl FromStr for Status {
    type Err = UnknownCode;
    fn from_str(text: &str) -> Result<Self, UnknownCode> {
        Self::ALL
            .into_iter()
            .find(|status| status.code().eq_ignore_ascii_case(text))
            .ok_or_else(|| UnknownCode::new(text, "a status; use pending, active, expired or error"))
    }
}

/// The environment's progress in closing an ended session. Separate from the status, because a
/// session is Expired immediately.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Teardown {
    /// The session has not ended.
    NotNeeded,
    /// The environment must close it; the request may already have been sent.
    Wanted,
    /// The environment reported the session completely closed.
    Confirmed,
    /// An administrator stopped waiting and must remove any leftovers in the environment.
    GivenUp,
}

impl Teardown {
    /// Code in the database.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotNeeded => "not_needed",
            Self::Wanted => "wanted",
            Self::Confirmed => "confirmed",
            Self::GivenUp => "given_up",
        }
    }
}

impl FromStr for Teardown {
    type Err = UnknownCode;
    fn from_str(text: &str) -> Result<Self, UnknownCode> {
        [Self::NotNeeded, Self::Wanted, Self::Confirmed, Self::GivenUp]
            .into_iter()
            .find(|state| state.code() == text)
            .ok_or_else(|| UnknownCode::new(text, "a teardown state"))
    }
}

/// The cause of a session's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// A System Admin expired it.
    Admin,
    /// Its user ended it.
    User,
    /// It reached its total time limit.
    ValidUntil,
    /// Nobody ever opened it.
    NeverConnected,
    /// It had no tab for too long.
    Disconnected,
    /// Its user closed the application.
    ApplicationClosed,
    /// Its user was blocked.
    UserBlocked,
    /// Its user was removed.
    UserRemoved,
    /// Its environment was closed.
    EnvironmentClosed,
    /// Its application was withdrawn.
    ApplicationWithdrawn,
}

impl EndReason {
    /// All reasons, in the order of the enum.
    pub const ALL: [Self; 10] = [
        Self::Admin,
        Self::User,
        Self::ValidUntil,
        Self::NeverConnected,
        Self::Disconnected,
        Self::ApplicationClosed,
        Self::UserBlocked,
        Self::UserRemoved,
        Self::EnvironmentClosed,
        Self::ApplicationWithdrawn,
    ];

    /// Code in JSON and the database.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::User => "user",
            Self::ValidUntil => "valid_until",
            Self::NeverConnected => "never_connected",
            Self::Disconnected => "disconnected",
            Self::ApplicationClosed => "application_closed",
            Self::UserBlocked => "user_blocked",
            Self::UserRemoved => "user_removed",
            Self::EnvironmentClosed => "environment_closed",
            Self::ApplicationWithdrawn => "application_withdrawn",
        }
    }

    /// Label in the column "End reason".
    pub const fn label(self) -> &'static str {
        match self {
            Self::Admin => "Expired by an administrator",
            Self::User => "Ended by its user",
            Self::ValidUntil => "Allowed time over",
            Self::NeverConnected => "Never opened",
            Self::Disconnected => "Not open for too long",
            Self::ApplicationClosed => "Application closed",
            Self::UserBlocked => "User blocked",
            Self::UserRemoved => "User removed",
            Self::EnvironmentClosed => "Environment closed",
            Self::ApplicationWithdrawn => "Application withdrawn",
        }
    }

    /// Explanation for the session's user.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Admin => "An administrator ended this session.",
            Self::User => "You ended this session.",
            Self::ValidUntil => "This session reached the end of its allowed time.",
            Self::NeverConnected => "This session was not opened in time.",
            Self::Disconnected => "This session was closed because no browser tab had it open for too long.",
            Self::ApplicationClosed => "The application was closed.",
            Self::UserBlocked => "Your account was blocked.",
            Self::UserRemoved => "Your account was removed.",
            Self::EnvironmentClosed => "The environment that this session ran in was closed.",
            Self::ApplicationWithdrawn => "This application was withdrawn.",
        }
    }
}

impl FromStr for EndReason {
    type Err = UnknownCode;
    fn from_str(text: &str) -> Result<Self, UnknownCode> {
        Self::ALL
            .into_iter()
            .find(|reason| reason.code() == text)
            .ok_or_else(|| UnknownCode::new(text, "an end reason"))
    }
}

/// Default node name, for a single node with a file-based log.
pub const ONLY_NODE: &str = "main";

/// The end of a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// Time of the end of access.
    pub at: Timestamp,
    /// Username of the actor that ended it, or `system`.
    pub by: Arc<str>,
    /// Cause of the end.
    pub reason: EndReason,
    /// Optional note from the administrator to the user.
    pub note: Option<Arc<str>>,
}

/// One delivered application, from the accepted launch until its purge. A row of the Sessions page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Version 7 id, so ids sort by launch time.
    pub id: SessionId,
    /// Environment that runs it.
    pub environment_id: EnvironmentId,
    /// Name of the environment at launch.
    pub environment: Arc<str>,
    /// Application that it delivers.
    pub application_id: ApplicationId,
    /// Name of the application at launch.
    pub application: Arc<str>,
    /// User that launched it.
    pub user_id: UserId,
    /// Name of the user at launch.
    pub username: Arc<str>,
    /// See [`Status`].
    pub status: Status,
    /// Incremented by each expire. A stream authorised under an older epoch is never opened.
    pub access_epoch: u32,
    /// Time of the accepted launch.
    pub started_at: Timestamp,
    /// Time at which the environment reported it ready.
    pub ready_at: Option<Timestamp>,
    /// Latest time of access.
    pub valid_until: Timestamp,
    /// Start of the current connection; `None` = not connected.
    pub connected_since: Option<Timestamp>,
    /// Time at which the last tab left.
    pub disconnected_at: Option<Timestamp>,
    /// Its end, if it has ended.
    pub end: Option<End>,
    /// Error text for people.
    pub error: Option<Arc<str>>,
    /// See [`Teardown`].
    pub teardown: Teardown,
    /// Time until which its user may not relaunch this application.
    pub blocked_until: Option<Timestamp>,
    /// Limits and permissions at launch.
    pub policy: Policy,
    /// The fate of its files, fixed at launch; `None` = it has none, or an earlier version launched it.
    pub home: Option<HomeKind>,
    /// Name of the node that accepted the launch. Only this node runs it and closes it in its
    /// environment.
    pub node: Arc<str>,
    /// Revision of the log that last changed it.
    pub version: u64,
}

impl Session {
    /// Whether it is open in a browser tab.
    pub const fn connected(&self) -> bool {
        self.connected_since.is_some()
    }
}
