//! What travels between server and clients: the JSON of the API (docs/spec.md §6), also used by the page.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{
    ApplicationId, EndReason, EnvironmentId, LoginId, Origin, Session, SessionId, Status, Teardown, Timestamp, UserId,
    catalogue::{ApplicationView, draft::FieldError},
    lifecycle::{self, Seen, Timer},
    timeline::Entry,
};

/// A session in JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionView {
    /// Its id.
    pub id: SessionId,
    /// Where it runs.
    pub environment_id: EnvironmentId,
    /// Name of the environment at launch.
    pub environment: Arc<str>,
    /// What was launched.
    pub application_id: ApplicationId,
    /// Name of the application at launch.
    pub application: Arc<str>,
    /// See [`Status`].
    pub status: Status,
    /// Whose it is.
    pub user_id: UserId,
    /// Name of the user at launch.
    pub username: Arc<str>,
    /// Open in a browser tab right now?
    pub connected: bool,
    /// Since when.
    pub connected_since: Option<Timestamp>,
    /// When the launch was accepted.
    pub started_at: Timestamp,
    /// Latest moment of access.
    pub valid_until: Timestamp,
    /// When time itself does something to it next, and what; of an idle tab only its own node knows.
    pub next_deadline: Option<Deadline>,
    /// When access ended.
    pub ended_at: Option<Timestamp>,
    /// Username of who ended it, or `system`.
    pub ended_by: Option<Arc<str>>,
    /// Why it ended.
    pub end_reason: Option<EndReason>,
    /// What the administrator wrote for the user.
    pub end_note: Option<Arc<str>>,
    /// What went wrong.
    pub error: Option<Arc<str>>,
    /// How far the environment has come with closing it.
    pub teardown: Teardown,
    /// Name of the node that runs it.
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
    /// What somebody who sees this row knows; sent along with an expire.
    pub const fn seen(&self) -> Seen {
        Seen {
            status: self.status,
            connected: self.connected,
        }
    }
}

/// How many sessions match the search, by status and in all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// All that match, whatever their status.
    pub all: u32,
    /// Of these: Pending.
    pub pending: u32,
    /// Of these: Active.
    pub active: u32,
    /// Of these: Expired.
    pub expired: u32,
    /// Of these: Error.
    pub error: u32,
    /// Of these: open in a browser tab.
    pub connected: u32,
}

impl Counts {
    /// Counts one more session.
    pub fn add(&mut self, session: &Session) {
        self.all += 1;
        self.connected += u32::from(session.connected());
        *self.of_mut(session.status) += 1;
    }

    /// Counts one session less.
    pub fn remove(&mut self, session: &Session) {
        self.all -= 1;
        self.connected -= u32::from(session.connected());
        *self.of_mut(session.status) -= 1;
    }

    /// How many have this status.
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
    /// As it is; `None` once it was purged.
    pub session: Option<SessionView>,
    /// The environment should have closed it by now, and has not.
    pub cleanup_overdue: bool,
    /// What happened to it, oldest first.
    pub events: Vec<Entry>,
}

/// What the passing of time will do to a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deadline {
    /// When.
    pub at: Timestamp,
    /// Which limit.
    pub timer: Timer,
}

/// An environment whose last sweep failed, or one on a node that is away: its rows are as old as `as_of`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stale {
    /// Which one.
    pub environment_id: EnvironmentId,
    /// Its name.
    pub environment: Arc<str>,
    /// On which node; `None` = the only one.
    pub node: Option<Arc<str>>,
    /// Last time it answered; `None` = not since the server started.
    pub as_of: Option<Timestamp>,
    /// What it said.
    pub error: Arc<str>,
}

/// Everything around the rows of a list: one snapshot with them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Head {
    /// The log's revision that the list shows.
    pub revision: u64,
    /// Time of the last completed sweep; `None` before the first.
    pub as_of: Option<Timestamp>,
    /// The server's clock when it answered: ages are counted from it.
    pub server_time: Timestamp,
    /// When the next refresh is allowed.
    pub next_refresh_at: Timestamp,
    /// How many sessions match.
    pub total: u32,
    /// How many sessions there are.
    pub all: u32,
    /// Matches of the search by status, whatever status the view asks for.
    pub counts: Counts,
    /// How many matches come before the first row of the page.
    pub offset: u32,
    /// Continue here for the next page; `None` on the last.
    pub next_cursor: Option<String>,
    /// The page before this one starts here; `None` where that is the first page.
    pub previous_cursor: Option<String>,
    /// Of the rows of the page: [`crate::checksum`].
    pub checksum: u32,
    /// Environments whose rows are not fresh.
    pub stale: Vec<Stale>,
}

/// The answer to "which sessions are there?": one consistent snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Flat")]
pub struct SessionList {
    /// Counts and times.
    #[serde(flatten)]
    pub head: Head,
    /// The page of rows.
    pub items: Vec<SessionView>,
}

/// What changed in a view since the last message of the same watch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Flat")]
pub struct Delta {
    /// Counts and times, always whole.
    #[serde(flatten)]
    pub head: Head,
    /// Ids of the rows of the page in order; `None` = as before.
    pub order: Option<Vec<SessionId>>,
    /// Rows that are new on the page or differ from before.
    pub changed: Vec<SessionView>,
}

/// A list or a delta as it is read: serde's own way to read a flattened part holds the whole message in between, and is 10 kB of
/// the browser half for each.
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
    /// Shown to the user and kept. At most [`MAX_NOTE_CHARS`] characters.
    #[serde(default)]
    pub reason: Option<String>,
    /// What the decision was based on; without it the session is expired whatever it is.
    #[serde(default)]
    pub seen: Option<Seen>,
    /// Keep the user from launching the application again for 15 minutes.
    #[serde(default)]
    pub block_relaunch: bool,
}

/// Longest reason accepted, in characters.
pub const MAX_NOTE_CHARS: usize = 500;

/// An application on "My apps", with the user's live session of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MyApplication {
    /// Its id.
    pub id: ApplicationId,
    /// Its name.
    pub name: Arc<str>,
    /// Text of its launch button.
    pub launch_text: Arc<str>,
    /// Can it be launched now?
    #[serde(default)]
    pub open: bool,
    /// The live session, if there is one.
    pub session: Option<SessionView>,
    /// Without a live session: the failure of the user's last one, until the next launch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<LastFailure>,
}

/// A session that went to Error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastFailure {
    /// Its launch.
    pub at: Timestamp,
    /// The error text.
    pub error: Arc<str>,
}

/// Who is signed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Me {
    /// Id.
    pub user_id: UserId,
    /// Name.
    pub username: Arc<str>,
    /// Role.
    pub role: crate::Role,
    /// Must they change their password before anything else?
    #[serde(default)]
    pub must_change_password: bool,
    /// Where the request came from; never leaves the server but into the log.
    #[serde(skip)]
    pub origin: Option<Origin>,
    /// The login that the request came with; never leaves the server. `None` at the command line.
    #[serde(skip)]
    pub login: Option<LoginId>,
}

/// What a refresh answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refreshed {
    /// Time of the completed sweep.
    pub as_of: Timestamp,
    /// When the next is allowed.
    pub next_refresh_at: Timestamp,
}

/// Why something was not done, as `application/problem+json` (RFC 9457).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// HTTP status.
    pub status: u16,
    /// Stable word for programs.
    pub code: String,
    /// What could not be done, in short.
    pub title: String,
    /// Why, and what to do.
    pub detail: String,
    /// Seconds after which it may work.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub retry_after: Option<u32>,
    /// The session as it is now, where that is the reason.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub session: Option<Box<SessionView>>,
    /// What is wrong with each field of a form, where that is the reason.
    #[serde(skip_serializing_if = "<[_]>::is_empty", default)]
    pub fields: Box<[FieldError]>,
    /// The application as it is now, where that is the reason.
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
