//! One session, and requests about it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{
    ApplicationId, EndReason, EnvironmentId, HomeKind, Session, SessionId, Status, Teardown, Timestamp, UserId,
    lifecycle::{self, Seen, Timer},
    timeline::Entry,
};

/// A session as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionView {
    /// Id in addresses and in the log.
    pub id: SessionId,
    /// Environment that runs it.
    pub environment_id: EnvironmentId,
    /// Name of the environment at launch.
    pub environment: Arc<str>,
    /// Application that it delivers.
    pub application_id: ApplicationId,
    /// Name of the application at launch.
    pub application: Arc<str>,
    /// See [`Status`].
    pub status: Status,
    /// User that launched it.
    pub user_id: UserId,
    /// Name of the user at launch.
    pub username: Arc<str>,
    /// Whether it is open in a browser tab.
    pub connected: bool,
    /// Start of the current connection.
    pub connected_since: Option<Timestamp>,
    /// Time of the accepted launch.
    pub started_at: Timestamp,
    /// Latest time of access.
    pub valid_until: Timestamp,
    /// Next deadline; for an idle tab only the hosting node knows it.
    pub next_deadline: Option<Deadline>,
    /// Time of the end of access.
    pub ended_at: Option<Timestamp>,
    /// Username of the actor that ended it, or `system`.
    pub ended_by: Option<Arc<str>>,
    /// Cause of the end.
    pub end_reason: Option<EndReason>,
    /// Note from the administrator to the user.
    pub end_note: Option<Arc<str>>,
    /// Error text for people; present only in Error.
    pub error: Option<Arc<str>>,
    /// The environment's progress in closing it.
    pub teardown: Teardown,
    /// The fate of its files.
    #[serde(default)]
    pub home: Option<HomeKind>,
    /// Name of the hosting node.
    pub node: Arc<str>,
    /// Revision of the log that last changed it.
    pub version: u64,
}

impl From<&Session> for SessionView {
    fn from(session: &Session) -> Self {
        let end = session.end.as_ref();
        Self {
            id: session.id,
            environment_id: session.environment_id,
            environment: session.environment.clone(),
            application_id: session.application_id,
            application: session.application.clone(),
            status: session.status,
            user_id: session.user_id,
            username: session.username.clone(),
            connected: session.connected(),
            connected_since: session.connected_since,
            started_at: session.started_at,
            valid_until: session.valid_until,
            next_deadline: lifecycle::deadline(session).map(|(at, timer)| Deadline { at, timer }),
            ended_at: end.map(|end| end.at),
            ended_by: end.map(|end| end.by.clone()),
            end_reason: end.map(|end| end.reason),
            end_note: end.and_then(|end| end.note.clone()),
            error: session.error.clone(),
            teardown: session.teardown,
            home: session.home,
            node: session.node.clone(),
            version: session.version,
        }
    }
}

impl SessionView {
    /// The state that a viewer of this row saw, to send with an expire.
    pub const fn seen(&self) -> Seen {
        Seen {
            status: self.status,
            connected: self.connected,
        }
    }
}

/// The next deadline of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deadline {
    /// Time at which the limit acts.
    pub at: Timestamp,
    /// Limit that acts first.
    pub timer: Timer,
}

/// One session with its history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionDetails {
    /// Current state; `None` after its purge.
    pub session: Option<SessionView>,
    /// Whether the environment has taken too long to close it.
    pub cleanup_overdue: bool,
    /// Its history, oldest first.
    pub events: Vec<Entry>,
}

/// A request to expire a session.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpireRequest {
    /// Reason, logged and shown to the user. At most [`MAX_NOTE_CHARS`] characters.
    #[serde(default)]
    pub reason: Option<String>,
    /// State that the decision was based on; `None` = expire in any state.
    #[serde(default)]
    pub seen: Option<Seen>,
    /// Whether to block the user from relaunching the application for 15 minutes.
    #[serde(default)]
    pub block_relaunch: bool,
}

/// Maximum length of a reason, in characters.
pub const MAX_NOTE_CHARS: usize = 500;

/// A session that went to Error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastFailure {
    /// Time of its launch.
    pub at: Timestamp,
    /// Error text for people; present only in Error.
    pub error: Arc<str>,
}
