//! A page of the list and its changes.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::SessionView;
use crate::{EnvironmentId, Session, SessionId, Status, Timestamp};

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

/// An environment whose last sweep failed, or whose node is away. Its rows are as old as `as_of`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stale {
    /// Environment whose rows are old.
    pub environment_id: EnvironmentId,
    /// Name of it, for people.
    pub environment: Arc<str>,
    /// Node of the environment; `None` if there is only one node.
    pub node: Option<Arc<str>>,
    /// Time of its last response; `None` = none since the server started.
    pub as_of: Option<Timestamp>,
    /// Failure of the last sweep, or that the node is away.
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
    /// Counts and times, from the same revision as the rows.
    #[serde(flatten)]
    pub head: Head,
    /// Rows of the page, in the order of the view.
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

/// The response to a refresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refreshed {
    /// Time of the completed sweep.
    pub as_of: Timestamp,
    /// Earliest time of the next refresh.
    pub next_refresh_at: Timestamp,
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
