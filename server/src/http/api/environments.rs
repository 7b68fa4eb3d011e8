//! `/api/v1/environments`

use axum::{
    Json,
    extract::{Path, State},
};
use session::catalogue::{EnvironmentList, EnvironmentView};

use super::environment_id;
use crate::http::{AppState, logins::Person, problem::Refused};

/// `GET /api/v1/environments`
pub async fn list(State(state): State<AppState>, Person(me): Person) -> Result<Json<EnvironmentList>, Refused> {
    Ok(Json(state.control.environments(&me).await?))
}

/// `POST /api/v1/environments/{id}/open`: to launches.
pub async fn open(
    State(state): State<AppState>,
    Person(me): Person,
    Path(text): Path<String>,
) -> Result<Json<EnvironmentView>, Refused> {
    let id = environment_id(&text)?;
    Ok(Json(state.control.open_environment(&me, id, true).await?))
}

/// `POST /api/v1/environments/{id}/close`: to launches. Live sessions go on.
pub async fn close(
    State(state): State<AppState>,
    Person(me): Person,
    Path(text): Path<String>,
) -> Result<Json<EnvironmentView>, Refused> {
    let id = environment_id(&text)?;
    Ok(Json(state.control.open_environment(&me, id, false).await?))
}
