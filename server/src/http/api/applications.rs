//! `/api/v1/applications`

use axum::{
    Json,
    extract::{Path, State},
};
use session::{
    api::MyApplication,
    catalogue::{ApplicationView, LaunchState},
};

use super::{Closing, application_id};
use crate::http::{
    AppState,
    authentication::Person,
    problem::{Body, Refused},
};

/// `GET /api/v1/applications`: the applications that the person can launch, with their live
/// sessions.
pub async fn mine(State(state): State<AppState>, Person(me): Person) -> Result<Json<Vec<MyApplication>>, Refused> {
    Ok(Json(state.control.my_applications_now(&me).await?))
}

/// `POST /api/v1/applications/{id}/open`: opens the application to launches.
pub async fn open(
    State(state): State<AppState>,
    Person(me): Person,
    Path(text): Path<String>,
) -> Result<Json<ApplicationView>, Refused> {
    let id = application_id(&text)?;
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
    Path(text): Path<String>,
    body: Option<Body<Closing>>,
) -> Result<Json<ApplicationView>, Refused> {
    let (id, to) = (application_id(&text)?, Closing::admission(body));
    Ok(Json(state.control.set_application_launches(&me, id, to).await?))
}
