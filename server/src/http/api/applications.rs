//! `/api/v1/applications`

use axum::{Json, extract::State, http::StatusCode};
use session::{
    ApplicationId,
    api::MyApplication,
    catalogue::{ApplicationView, LaunchState},
};

use super::Closing;
use crate::http::{
    AppState,
    authentication::Person,
    id::Id,
    problem::{Body, Refused},
};

/// `GET /api/v1/applications`: the applications that the person can launch, with their live
/// sessions.
pub async fn mine(State(state): State<AppState>, Person(me): Person) -> Result<Json<Vec<MyApplication>>, Refused> {
    Ok(Json(state.control.my_applications(&me).await?))
}

/// `PUT /api/v1/applications/{id}/favourite`: marks the application.
pub async fn mark(
    State(state): State<AppState>,
    Person(me): Person,
    Id(id): Id<ApplicationId>,
) -> Result<StatusCode, Refused> {
    state.control.set_favourite(&me, id, true).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `DELETE /api/v1/applications/{id}/favourite`: removes the mark.
pub async fn unmark(
    State(state): State<AppState>,
    Person(me): Person,
    Id(id): Id<ApplicationId>,
) -> Result<StatusCode, Refused> {
    state.control.set_favourite(&me, id, false).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /api/v1/applications/{id}/open`: opens the application to launches.
pub async fn open(
    State(state): State<AppState>,
    Person(me): Person,
    Id(id): Id<ApplicationId>,
) -> Result<Json<ApplicationView>, Refused> {
    Ok(Json(
        state
            .control
            .set_application_launches(&me, id, LaunchState::Open)
            .await?,
    ))
}

/// `POST /api/v1/applications/{id}/close`: closes the application to launches. Live sessions
/// continue unless the body has `end_sessions`.
pub async fn close(
    State(state): State<AppState>,
    Person(me): Person,
    Id(id): Id<ApplicationId>,
    body: Option<Body<Closing>>,
) -> Result<Json<ApplicationView>, Refused> {
    let to = Closing::admission(body);
    Ok(Json(state.control.set_application_launches(&me, id, to).await?))
}
