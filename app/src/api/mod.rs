//! Server functions: how the pages reach `control`. Each says who asks, calls one function of `control` and maps the
//! answer; it holds no rule of its own. All take JSON by POST, but for what is polled, and are public endpoints like any other:
//! `control` authorises each call.
//!
//! To add one: a function of under ten lines in the file of its resource, with an explicit `endpoint`.

pub mod applications;
pub mod environments;
pub mod people;
pub mod sessions;

use leptos::{prelude::*, server_fn::codec::JsonEncoding};
use serde::{Deserialize, Serialize};
use session::wire::Problem;

/// Why a server function did not do it: the same problem that the API answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AppError(pub Problem);

/// `code` of a problem that this side of the wire made: the server was not reached or not understood.
pub const UNREACHABLE: &str = "unreachable";

impl AppError {
    /// The stable word for programs.
    pub fn code(&self) -> &str {
        &self.0.code
    }

    /// Is nobody signed in?
    pub const fn is_signed_out(&self) -> bool {
        self.0.status == 401
    }

    /// Does the person's role not allow it?
    pub const fn is_forbidden(&self) -> bool {
        self.0.status == 403
    }
}

impl FromServerFnError for AppError {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        // What failed in detail is for the log of whoever runs the server, not for the person at the screen.
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
    //! What every server function starts and ends with.

    use std::sync::Arc;

    use control::Control;
    use leptos::prelude::*;
    use session::wire::{Me, Problem};

    use super::AppError;

    /// The use-cases. Provided by the server for every request.
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

    /// Who asks, as the server's middleware found out.
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

    /// Turns an error of `control` into an answer with the right HTTP status.
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
