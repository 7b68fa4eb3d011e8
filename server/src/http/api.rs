//! The HTTP API, version 1 (docs/spec.md §6): JSON, with the same rules and limits as the pages.
//!
//! To add a route: a line in [`router`], and a handler in the file of its resource.

mod applications;
mod environments;
mod events;
mod export;
mod file;
mod pictures;
mod sessions;
mod users;
mod watch;

use axum::{
    Router,
    routing::{delete, get, post, put},
};
use serde::Deserialize;
use session::{api::Problem, catalogue::LaunchState};

use super::{
    AppState,
    problem::{Body, Refused},
};

/// The routes below `/api/v1`.
pub fn router() -> Router<AppState> {
    Router::new()
        .route("/applications", get(applications::mine))
        .route(
            "/applications/{id}/favourite",
            put(applications::mark).delete(applications::unmark),
        )
        .route("/applications/{id}/open", post(applications::open))
        .route("/applications/{id}/close", post(applications::close))
        .route("/environments", get(environments::list))
        .route("/environments/{id}/open", post(environments::open))
        .route("/environments/{id}/close", post(environments::close))
        .route("/environments/{id}/homes", put(environments::set_homes))
        .route("/events", get(events::list))
        .route("/events.csv", get(events::csv))
        .route("/pictures", post(pictures::add))
        .route("/sessions", get(sessions::list).post(sessions::launch))
        .route("/sessions.csv", get(export::sessions))
        .route("/sessions/refresh", post(sessions::refresh))
        .route("/sessions/selection", post(sessions::selection))
        .route("/sessions/expire", post(sessions::expire_many))
        .route("/sessions/watch", get(watch::watch))
        .route("/sessions/{id}", get(sessions::one))
        .route("/sessions/{id}/details", get(sessions::details))
        .route("/sessions/{id}/expire", post(sessions::expire))
        .route("/sessions/{id}/give-up", post(sessions::give_up))
        .route("/users/{username}", delete(users::remove))
        .route("/users/{username}/block", post(users::block))
        .route("/users/{username}/unblock", post(users::unblock))
}

/// Answers requests for any other path below `/api`.
pub async fn not_found() -> Refused {
    Refused(Problem::new(
        404,
        "not_found",
        "There is nothing here",
        "Check the address.",
    ))
}

/// The body of a request that closes an application or environment to launches.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Closing {
    /// Also end the live sessions.
    #[serde(default)]
    end_sessions: bool,
}

impl Closing {
    fn admission(body: Option<Body<Self>>) -> LaunchState {
        match body {
            Some(Body(Self { end_sessions: true })) => LaunchState::ClosedAndEnded,
            _ => LaunchState::Closed,
        }
    }
}
