//! `/pictures/{hash}`: uploaded icons. The server wrote these files itself, from the pixels of the
//! upload (`control`). Their names are hashes of their content, so they never change.

use axum::{
    extract::{Path, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use session::{api::Problem, catalogue::appearance};

use super::{AppState, authentication::Person, problem::Refused};

/// Browsers may keep a picture for a year without asking again.
const IMMUTABLE: HeaderValue = HeaderValue::from_static("private, max-age=31536000, immutable");

/// A picture that is opened as a document of its own can do nothing.
const POLICY: HeaderValue = HeaderValue::from_static("default-src 'none'; sandbox; frame-ancestors 'none'");

/// `GET /pictures/{hash}`
pub async fn show(
    State(state): State<AppState>,
    Person(_): Person,
    Path(hash): Path<String>,
) -> Result<Response, Refused> {
    let png = match appearance::picture(&hash) {
        Some(hash) => state.control.picture(hash).await?,
        None => None,
    };
    let png = png.ok_or_else(no_picture)?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("image/png")),
        (header::CACHE_CONTROL, IMMUTABLE),
        (header::CONTENT_SECURITY_POLICY, POLICY),
    ];
    Ok((StatusCode::OK, headers, png).into_response())
}

fn no_picture() -> Refused {
    let detail = "No application has this picture any more.";
    Refused(Problem::new(404, "no_such_picture", "There is no such picture", detail))
}
