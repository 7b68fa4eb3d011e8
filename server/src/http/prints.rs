//! `GET /sessions/{id}/prints/{name}`: a print of a session's application, to open or to save.

use axum::{
    extract::{Path, Query, State},
    http::{HeaderValue, header},
    response::Response,
};
use serde::Deserialize;
use session::SessionId;

use super::{AppState, authentication::Person, files::attachment, problem::Refused};

/// The policy of a print that the browser shows. Some browsers show it in an object of a page of
/// their own.
const SHOWN_POLICY: &str = "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'; \
     base-uri 'none'; form-action 'none'";

#[derive(Deserialize)]
pub struct Way {
    /// Any value: the browser shows the file instead of saving it. Its address has the name.
    show: Option<String>,
}

/// The file is the application's. Only a PDF is ever shown, and no browser takes it for a page.
pub async fn print(
    State(state): State<AppState>,
    Person(me): Person,
    Path((id, name)): Path<(SessionId, String)>,
    Query(way): Query<Way>,
) -> Result<Response, Refused> {
    let reading = state.control.download_print(&me, id, &name).await?;
    if way.show.is_none() || !name.ends_with(".pdf") {
        return Ok(attachment(reading.content, &name, "application/octet-stream"));
    }
    let mut answer = attachment(reading.content, &name, "application/pdf");
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_static("inline"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(SHOWN_POLICY));
    Ok(answer)
}
