//! `/api/v1/users/{username}`

use axum::{
    extract::{Path, State},
    http::StatusCode,
};

use crate::http::{AppState, authentication::Person, problem::Refused};

/// `POST /api/v1/users/{username}/block`: blocks a person, and ends their logins and sessions at
/// once.
pub async fn block(
    State(state): State<AppState>,
    Person(me): Person,
    Path(username): Path<String>,
) -> Result<StatusCode, Refused> {
    state.control.block_user(&me, &username, true).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /api/v1/users/{username}/unblock`: permits the person to sign in again.
pub async fn unblock(
    State(state): State<AppState>,
    Person(me): Person,
    Path(username): Path<String>,
) -> Result<StatusCode, Refused> {
    state.control.block_user(&me, &username, false).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `DELETE /api/v1/users/{username}`: removes a person, and ends their logins and sessions at once.
/// The log keeps their events.
pub async fn remove(
    State(state): State<AppState>,
    Person(me): Person,
    Path(username): Path<String>,
) -> Result<StatusCode, Refused> {
    state.control.remove_user(&me, &username).await?;
    Ok(StatusCode::NO_CONTENT)
}
