//! Server functions: the pages' access to `control`. Each authenticates the caller, calls one
//! function of `control` and maps the result; none contains business rules. All take JSON by POST,
//! except the polled ones. They are public endpoints, so `control` authorises each call.
//!
//! To add one: write a function of under ten lines in the file of its resource, with an explicit
//! `endpoint`.

pub mod applications;
pub mod audit;
pub mod environments;
pub mod people;
pub mod sessions;

use leptos::{prelude::*, server_fn::codec::JsonEncoding};
use serde::{Deserialize, Serialize};
use session::api::Problem;

/// Error of a server function: the same problem document that the API returns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AppError(pub Problem);

/// `code` of a problem created on the client: the server was unreachable or its answer unreadable.
pub const UNREACHABLE: &str = "unreachable";

impl AppError {
    /// Stable code for programs.
    pub fn code(&self) -> &str {
        &self.0.code
    }

    /// Whether nobody is signed in.
    pub const fn is_signed_out(&self) -> bool {
        self.0.status == 401
    }

    /// Whether the person's role does not allow it.
    pub const fn is_forbidden(&self) -> bool {
        self.0.status == 403
    }
}

impl FromServerFnError for AppError {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        // Technical details belong in the operator's log, not on the person's screen.
        let (status, code, detail) = match error {
            ServerFnErrorErr::Request(_) => (503, UNREACHABLE, "The server could not be reached."),
            ServerFnErrorErr::Args(_) | ServerFnErrorErr::MissingArg(_) => {
                (400, "bad_request", "The request could not be read.")
            }
            _ => (500, "internal", "The server's answer could not be read."),
        };
        Self(Problem::new(status, code, "That did not work", detail))
    }
}

#[cfg(feature = "ssr")]
mod server {
    //! The shared beginning and end of every server function.

    use std::sync::Arc;

    use control::Control;
    use leptos::prelude::*;
    use session::api::{Me, Problem};

    use super::AppError;

    /// The use cases, provided by the server for every request.
    pub(super) fn control() -> Result<Arc<Control>, AppError> {
        use_context().ok_or_else(|| {
            refuse(Problem::new(
                500,
                "internal",
                "That did not work",
                "The server is starting.",
            ))
        })
    }

    /// The caller, as authenticated by the server's middleware.
    pub(super) fn person() -> Result<Me, AppError> {
        use_context::<http::request::Parts>()
            .and_then(|parts| parts.extensions.get::<Me>().cloned())
            .ok_or_else(|| {
                refuse(Problem::new(
                    401,
                    "sign_in",
                    "Please sign in",
                    "You are not signed in any more.",
                ))
            })
    }

    /// Converts an error of `control` into a response with the right HTTP status.
    pub(super) fn refuse(error: impl Into<Problem>) -> AppError {
        let problem = error.into();
        if let (Some(response), Ok(status)) = (
            use_context::<leptos_axum::ResponseOptions>(),
            http::StatusCode::from_u16(problem.status),
        ) {
            response.set_status(status);
            if let Some(seconds) = problem.retry_after {
                response.insert_header(http::header::RETRY_AFTER, seconds.into());
            }
        }
        AppError(problem)
    }
}
