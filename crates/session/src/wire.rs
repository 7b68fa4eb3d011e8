//! The JSON types of the API (docs/spec.md §6), which the page also uses.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{
    ApplicationId, EndReason, EnvironmentId, LoginId, Origin, Session, SessionId, Status, Teardown, Timestamp, UserId,
    catalogue::{ApplicationView, draft::FieldError},
    lifecycle::{self, Seen, Timer},
    timeline::Entry,
};

/// A session as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionView {
    /// Session id.
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
    /// Error text.
    pub error: Option<Arc<str>>,
    /// The environment's progress in closing it.
    pub teardown: Teardown,
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

/// Number of sessions that match the search, in total and by status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// All matches, in any status.
    pub all: u32,
    /// Pending matches.
    pub pending: u32,
    /// Active matches.
    pub active: u32,
    /// Expired matches.
    pub expired: u32,
    /// Matches in Error.
    pub error: u32,
    /// Connected matches.
    pub connected: u32,
}

impl Counts {
    /// Adds a session.
    pub fn add(&mut self, session: &Session) {
        self.all += 1;
        self.connected += u32::from(session.connected());
        *self.of_mut(session.status) += 1;
    }

    /// Removes a session.
    pub fn remove(&mut self, session: &Session) {
        self.all -= 1;
        self.connected -= u32::from(session.connected());
        *self.of_mut(session.status) -= 1;
    }

    /// The number of matches with this status.
    pub const fn of(&self, status: Status) -> u32 {
        match status {
            Status::Pending => self.pending,
            Status::Active => self.active,
            Status::Expired => self.expired,
            Status::Error => self.error,
        }
    }

    const fn of_mut(&mut self, status: Status) -> &mut u32 {
        match status {
            Status::Pending => &mut self.pending,
            Status::Active => &mut self.active,
            Status::Expired => &mut self.expired,
            Status::Error => &mut self.error,
        }
    }
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

/// The next deadline of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deadline {
    /// Time of the deadline.
    pub at: Timestamp,
    /// Kind of limit.
    pub timer: Timer,
}

/// An environment whose last sweep failed, or whose node is away. Its rows are as old as `as_of`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stale {
    /// Environment id.
    pub environment_id: EnvironmentId,
    /// Environment name.
    pub environment: Arc<str>,
    /// Node of the environment; `None` if there is only one node.
    pub node: Option<Arc<str>>,
    /// Time of its last response; `None` = none since the server started.
    pub as_of: Option<Timestamp>,
    /// Error of the sweep.
    pub error: Arc<str>,
}

/// The data around the rows of a list, from the same snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Head {
    /// Revision of the log that the list shows.
    pub revision: u64,
    /// Time of the last completed sweep; `None` before the first.
    pub as_of: Option<Timestamp>,
    /// The server's clock at the response, the base of all ages.
    pub server_time: Timestamp,
    /// Earliest time of the next refresh.
    pub next_refresh_at: Timestamp,
    /// Number of sessions that match the view.
    pub total: u32,
    /// Number of all sessions.
    pub all: u32,
    /// Matches of the search by status, ignoring the view's status filter.
    pub counts: Counts,
    /// Number of matches before the first row of the page.
    pub offset: u32,
    /// Cursor of the next page; `None` on the last page.
    pub next_cursor: Option<String>,
    /// Cursor of the previous page; `None` if that is the first page.
    pub previous_cursor: Option<String>,
    /// [`crate::checksum`] of the rows of the page.
    pub checksum: u32,
    /// Environments with outdated rows.
    pub stale: Vec<Stale>,
}

/// A page of the session list, as one consistent snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Flat")]
pub struct SessionList {
    /// Counts and times.
    #[serde(flatten)]
    pub head: Head,
    /// Rows of the page.
    pub items: Vec<SessionView>,
}

/// The changes of a view since the previous message of its stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Flat")]
pub struct Delta {
    /// Counts and times, always complete.
    #[serde(flatten)]
    pub head: Head,
    /// Row ids of the page in order; `None` = unchanged.
    pub order: Option<Vec<SessionId>>,
    /// New and changed rows of the page.
    pub changed: Vec<SessionView>,
}

/// Deserialization target for a list or a delta. Serde's own flattening buffers the whole message
/// and adds 10 kB to the browser bundle for each type.
#[derive(Deserialize)]
struct Flat {
    revision: u64,
    as_of: Option<Timestamp>,
    server_time: Timestamp,
    next_refresh_at: Timestamp,
    total: u32,
    all: u32,
    counts: Counts,
    offset: u32,
    next_cursor: Option<String>,
    previous_cursor: Option<String>,
    checksum: u32,
    stale: Vec<Stale>,
    #[serde(default)]
    items: Vec<SessionView>,
    #[serde(default)]
    order: Option<Vec<SessionId>>,
    #[serde(default)]
    changed: Vec<SessionView>,
}

impl Flat {
    fn split(self) -> (Head, Vec<SessionView>, Option<Vec<SessionId>>, Vec<SessionView>) {
        let head = Head {
            revision: self.revision,
            as_of: self.as_of,
            server_time: self.server_time,
            next_refresh_at: self.next_refresh_at,
            total: self.total,
            all: self.all,
            counts: self.counts,
            offset: self.offset,
            next_cursor: self.next_cursor,
            previous_cursor: self.previous_cursor,
            checksum: self.checksum,
            stale: self.stale,
        };
        (head, self.items, self.order, self.changed)
    }
}

impl From<Flat> for SessionList {
    fn from(flat: Flat) -> Self {
        let (head, items, ..) = flat.split();
        Self { head, items }
    }
}

impl From<Flat> for Delta {
    fn from(flat: Flat) -> Self {
        let (head, _, order, changed) = flat.split();
        Self { head, order, changed }
    }
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

/// An application on "My apps", with the user's live session of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MyApplication {
    /// Application id.
    pub id: ApplicationId,
    /// Application name.
    pub name: Arc<str>,
    /// Text of the launch button.
    pub launch_text: Arc<str>,
    /// Whether it can be launched now.
    #[serde(default)]
    pub open: bool,
    /// The live session, if there is one.
    pub session: Option<SessionView>,
    /// Without a live session: the failure of the user's previous one, until the next launch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<LastFailure>,
}

/// A session that went to Error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastFailure {
    /// Time of its launch.
    pub at: Timestamp,
    /// Error text.
    pub error: Arc<str>,
}

/// The signed-in person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Me {
    /// User id.
    pub user_id: UserId,
    /// Username.
    pub username: Arc<str>,
    /// Current role.
    pub role: crate::Role,
    /// Whether a password change is required before anything else.
    #[serde(default)]
    pub must_change_password: bool,
    /// Source of the request. Stays on the server, except for the log.
    #[serde(skip)]
    pub origin: Option<Origin>,
    /// Login of the request. Stays on the server. `None` at the command line.
    #[serde(skip)]
    pub login: Option<LoginId>,
}

/// The response to a refresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refreshed {
    /// Time of the completed sweep.
    pub as_of: Timestamp,
    /// Earliest time of the next refresh.
    pub next_refresh_at: Timestamp,
}

/// The reason for a failed request, as `application/problem+json` (RFC 9457).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// HTTP status.
    pub status: u16,
    /// Stable code for programs.
    pub code: String,
    /// Short description of the failure.
    pub title: String,
    /// Cause and remedy.
    pub detail: String,
    /// Seconds after which a retry may succeed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub retry_after: Option<u32>,
    /// Current session, if its state is the reason.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub session: Option<Box<SessionView>>,
    /// Validation errors of a form, if they are the reason.
    #[serde(skip_serializing_if = "<[_]>::is_empty", default)]
    pub fields: Box<[FieldError]>,
    /// Current application, if its state is the reason.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub application: Option<Box<ApplicationView>>,
}

impl Problem {
    /// A problem without extras.
    pub fn new(status: u16, code: &str, title: &str, detail: impl Into<String>) -> Self {
        Self {
            status,
            code: code.into(),
            title: title.into(),
            detail: detail.into(),
            retry_after: None,
            session: None,
            fields: Box::default(),
            application: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_and_a_delta_are_read_as_they_were_written() {
        let head = Head {
            revision: 7,
            as_of: Some(Timestamp::default()),
            server_time: Timestamp::default(),
            next_refresh_at: Timestamp::default(),
            total: 2,
            all: 3,
            counts: Counts {
                all: 2,
                pending: 1,
                active: 1,
                ..Counts::default()
            },
            offset: 1,
            next_cursor: Some("next".into()),
            previous_cursor: Some("previous".into()),
            checksum: 9,
            stale: vec![Stale {
                environment_id: EnvironmentId(uuid::Uuid::nil()),
                environment: "Lab".into(),
                node: None,
                as_of: None,
                error: "gone".into(),
            }],
        };
        let list = SessionList {
            head: head.clone(),
            items: vec![],
        };
        let text = serde_json::to_string(&list).unwrap();
        assert!(text.starts_with(r#"{"revision":7,"as_of":"#), "flat: {text}");
        assert_eq!(serde_json::from_str::<SessionList>(&text).unwrap(), list);
        for order in [None, Some(vec![SessionId(uuid::Uuid::max())])] {
            let delta = Delta {
                head: head.clone(),
                order,
                changed: vec![],
            };
            let text = serde_json::to_string(&delta).unwrap();
            assert_eq!(serde_json::from_str::<Delta>(&text).unwrap(), delta);
        }
    }
}
