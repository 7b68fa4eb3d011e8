//! The person who is signed in, and errors.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::SessionView;
use crate::{
    LoginId, Origin, UserId,
    catalogue::{ApplicationView, draft::FieldError},
};

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
