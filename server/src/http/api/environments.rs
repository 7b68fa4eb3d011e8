//! `/api/v1/environments`

use axum::{
    Json,
    extract::{Path, State},
};
use session::catalogue::{EnvironmentList, EnvironmentView, LaunchState};

use super::{Closing, environment_id};
use crate::http::{
    AppState,
    authentication::Person,
    problem::{Body, Refused},
};

/// `GET /api/v1/environments`
pub async fn list(State(state): State<AppState>, Person(me): Person) -> Result<Json<EnvironmentList>, Refused> {
    Ok(Json(state.control.environments(&me).await?))
}

/// `POST /api/v1/environments/{id}/open`: opens the environment to launches.
pub async fn open(
    State(state): State<AppState>,
    Person(me): Person,
    Path(text): Path<String>,
) -> Result<Json<EnvironmentView>, Refused> {
    let id = environment_id(&text)?;
    Ok(Json(
        state
            .control
            .set_environment_launches(&me, id, LaunchState::Open)
            .await?,
    ))
}

/// `POST /api/v1/environments/{id}/close`: closes the environment to launches. Live sessions
/// continue unless the body has `end_sessions`.
pub async fn close(
    State(state): State<AppState>,
    Person(me): Person,
    Path(text): Path<String>,
    body: Option<Body<Closing>>,
) -> Result<Json<EnvironmentView>, Refused> {
    let (id, to) = (environment_id(&text)?, Closing::admission(body));
    Ok(Json(state.control.set_environment_launches(&me, id, to).await?))
}
