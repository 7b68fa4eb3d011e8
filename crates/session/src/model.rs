//! What a session is.

use std::{fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{ApplicationId, EnvironmentId, Policy, SessionId, Timestamp, UserId};

/// The status of a session: one of four, nothing else. See [`crate::lifecycle`] for the edges between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Accepted, not ready yet.
    Pending,
    /// The application runs.
    Active,
    /// It failed to start, or its environment lost it.
    Error,
    /// Ended. Final.
    Expired,
}

impl Status {
    /// Every status, in the order in which the page shows them.
    pub const ALL: [Self; 4] = [Self::Pending, Self::Active, Self::Expired, Self::Error];

    /// The word people read.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Active => "Active",
            Self::Expired => "Expired",
            Self::Error => "Error",
        }
    }

    /// The word programs read: in JSON, URLs and the database.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Expired => "expired",
            Self::Error => "error",
        }
    }

    /// True while the user can still hope to use the session: a second launch resumes it.
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
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|status| status.code().eq_ignore_ascii_case(text))
            .ok_or_else(|| format!("“{text}” is not a status; use pending, active, expired or error"))
    }
}

/// How far the environment has come with closing an ended session. Apart from the status: a row is Expired at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Teardown {
    /// The session has not ended.
    NotNeeded,
    /// The environment was asked, or is to be asked, to close it.
    Wanted,
    /// The environment says that nothing of it is left.
    Confirmed,
    /// An administrator gave up waiting for the environment: what may be left there is theirs to remove.
    GivenUp,
}

impl Teardown {
    /// The word in the database.
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
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        [Self::NotNeeded, Self::Wanted, Self::Confirmed, Self::GivenUp]
            .into_iter()
            .find(|state| state.code() == text)
            .ok_or_else(|| format!("“{text}” is not a teardown state"))
    }
}

/// Why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// A System Admin expired it.
    Admin,
    /// Its user ended it.
    User,
    /// Its total time was over.
    ValidUntil,
    /// Nobody ever opened it.
    NeverConnected,
    /// Nobody had it open for too long.
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
    /// Every reason.
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

    /// The word in JSON and in the database.
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

    /// What an administrator reads in the column "End reason".
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

    /// What the user of the session reads.
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
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|reason| reason.code() == text)
            .ok_or_else(|| format!("“{text}” is not an end reason"))
    }
}

/// Name of a node that was given none: the only one, where the log is a file.
pub const ONLY_NODE: &str = "main";

/// How a session ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// When access ended.
    pub at: Timestamp,
    /// Username of who ended it, or `system`.
    pub by: Arc<str>,
    /// Why.
    pub reason: EndReason,
    /// What the administrator wrote for the user, if anything.
    pub note: Option<Arc<str>>,
}

/// One delivered application, from the accepted launch until it is purged. A row of the Sessions page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Its id; version 7, so ids sort by time of launch.
    pub id: SessionId,
    /// Where it runs.
    pub environment_id: EnvironmentId,
    /// Name of the environment at launch.
    pub environment: Arc<str>,
    /// What was launched.
    pub application_id: ApplicationId,
    /// Name of the application at launch.
    pub application: Arc<str>,
    /// Whose it is.
    pub user_id: UserId,
    /// Name of the user at launch.
    pub username: Arc<str>,
    /// See [`Status`].
    pub status: Status,
    /// Raised by each expire: a stream that was authorised under an older epoch is never opened.
    pub access_epoch: u32,
    /// When the launch was accepted.
    pub started_at: Timestamp,
    /// When the environment said that it was ready.
    pub ready_at: Option<Timestamp>,
    /// Latest moment of access.
    pub valid_until: Timestamp,
    /// Since when it is open in a browser tab; `None` = not connected.
    pub connected_since: Option<Timestamp>,
    /// When the last tab left it.
    pub disconnected_at: Option<Timestamp>,
    /// How it ended.
    pub end: Option<End>,
    /// What went wrong, for people.
    pub error: Option<Arc<str>>,
    /// See [`Teardown`].
    pub teardown: Teardown,
    /// Its user may not launch this application again before then.
    pub blocked_until: Option<Timestamp>,
    /// The limits it was launched under.
    pub policy: Policy,
    /// Name of the node that took the launch: it runs the session, and nobody else closes it in its environment.
    pub node: Arc<str>,
    /// Revision of the log that last changed it.
    pub version: u64,
}

impl Session {
    /// Is it open in a browser tab right now?
    pub const fn connected(&self) -> bool {
        self.connected_since.is_some()
    }
}
