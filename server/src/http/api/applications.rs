//! `/api/v1/applications`

use axum::{Json, extract::State};
use session::wire::MyApplication;

use crate::http::{AppState, logins::Person, problem::Refused};

/// `GET /api/v1/applications`: what the person can launch, with their live sessions.
pub async fn mine(State(state): State<AppState>, Person(me): Person) -> Result<Json<Vec<MyApplication>>, Refused> {
    Ok(Json(state.control.my_applications(&me).await?))
}
