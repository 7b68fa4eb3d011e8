//! The HTTP API, version 1 (SPEC.md §6): JSON in and out, the same rules and limits as the page.

mod applications;
mod environments;
mod export;
mod sessions;
mod watch;

use axum::{
    Router,
    routing::{get, post},
};
use session::{EnvironmentId, SessionId};

use super::{AppState, problem::Refused};

/// Its routes, below `/api/v1`.
pub fn router() -> Router<AppState> {
    Router::new()
        .route("/applications", get(applications::mine))
        .route("/environments", get(environments::list))
        .route("/environments/{id}/open", post(environments::open))
        .route("/environments/{id}/close", post(environments::close))
        .route("/sessions", get(sessions::list).post(sessions::launch))
        .route("/sessions.csv", get(export::sessions))
        .route("/sessions/refresh", post(sessions::refresh))
        .route("/sessions/selection", post(sessions::selection))
        .route("/sessions/expire", post(sessions::expire_many))
        .route("/sessions/watch", get(watch::watch))
        .route("/sessions/{id}", get(sessions::one))
        .route("/sessions/{id}/details", get(sessions::details))
        .route("/sessions/{id}/expire", post(sessions::expire))
}

/// A session id as it stands in an address.
pub fn id(text: &str) -> Result<SessionId, Refused> {
    let wrong = |_| control::Error::Malformed("A session id looks like 0199f3a0-5d1e-7c3b-9a51-2f6f5d0e8c11.".into());
    text.parse().map_err(|error| wrong(error).into())
}

/// An environment id as it stands in an address.
pub fn environment_id(text: &str) -> Result<EnvironmentId, Refused> {
    let wrong =
        |_| control::Error::Malformed("An environment id looks like 0199f3a0-5d1e-7c3b-9a51-2f6f5d0e8c11.".into());
    text.parse().map_err(|error| wrong(error).into())
}
