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
    /// Id; stays the same when roles change.
    pub user_id: UserId,
    /// Unique name for signing in.
    pub username: Arc<str>,
    /// Role at the time of the request.
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
    /// HTTP status, 400 to 599.
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
