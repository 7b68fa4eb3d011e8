//! `/api/v1/environments`

use axum::{Json, extract::State};
use session::{
    EnvironmentId, Homes,
    catalogue::{EnvironmentList, EnvironmentView, LaunchState},
};

use super::Closing;
use crate::http::{
    AppState,
    authentication::Person,
    id::Id,
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
    Id(id): Id<EnvironmentId>,
) -> Result<Json<EnvironmentView>, Refused> {
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
    Id(id): Id<EnvironmentId>,
    body: Option<Body<Closing>>,
) -> Result<Json<EnvironmentView>, Refused> {
    let to = Closing::admission(body);
    Ok(Json(state.control.set_environment_launches(&me, id, to).await?))
}

/// `PUT /api/v1/environments/{id}/homes`: sets the fate of files, and the limit of a kept home.
pub async fn set_homes(
    State(state): State<AppState>,
    Person(me): Person,
    Id(id): Id<EnvironmentId>,
    Body(to): Body<Homes>,
) -> Result<Json<EnvironmentView>, Refused> {
    Ok(Json(state.control.set_homes(&me, id, to).await?))
}
