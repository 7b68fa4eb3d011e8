//! `/api/v1/pictures`

use axum::{Json, body::Bytes, extract::State, http::StatusCode};
use serde::Serialize;

use crate::http::{AppState, authentication::Person, problem::Refused};

/// An uploaded picture.
#[derive(Serialize)]
pub struct Picture {
    /// Name of the picture, for the icon of an application.
    icon: String,
}

/// `POST /api/v1/pictures`: takes the picture in the body, for the icon of an application.
pub async fn add(
    State(state): State<AppState>,
    Person(me): Person,
    body: Bytes,
) -> Result<(StatusCode, Json<Picture>), Refused> {
    let icon = state.control.add_picture(&me, body.into()).await?;
    Ok((StatusCode::CREATED, Json(Picture { icon })))
}
