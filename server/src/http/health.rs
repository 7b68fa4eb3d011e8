//! For load balancers and supervisors.

use axum::{extract::State, http::StatusCode};

use super::AppState;

/// `GET /healthz`: the process answers.
pub async fn alive() -> &'static str {
    "ok"
}

/// `GET /readyz`: it can also read the log, and is not about to stop.
pub async fn ready(State(state): State<AppState>) -> (StatusCode, &'static str) {
    match state.control.ready().await {
        Ok(()) => (StatusCode::OK, "ready"),
        Err(control::Error::Stopping) => (StatusCode::SERVICE_UNAVAILABLE, "the server is stopping"),
        Err(error) => {
            tracing::error!(%error, "not ready");
            (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer")
        }
    }
}
