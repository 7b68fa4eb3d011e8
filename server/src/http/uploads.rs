//! `/files/uploads`: uploads that go on after a lost connection, with the protocol tus 1.0 and its
//! extensions *creation* and *termination* (<https://tus.io/protocols/resumable-upload>).
//!
//! There is no kept crate for the server's side in axum; the page uses the protocol's own client.

use std::collections::HashMap;

use axum::{
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use control::{ClaimedUpload, Error};
use futures::StreamExt;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use session::api::Problem;
use tokio::time::timeout;
use uuid::Uuid;

use super::{AppState, authentication::Person, files::STALLED, problem::Refused};

/// The address at which uploads begin.
pub const PATH: &str = "/files/uploads";

const VERSION: (HeaderName, HeaderValue) = (
    HeaderName::from_static("tus-resumable"),
    HeaderValue::from_static("1.0.0"),
);
const LENGTH: HeaderName = HeaderName::from_static("upload-length");
const OFFSET: HeaderName = HeaderName::from_static("upload-offset");
const METADATA: HeaderName = HeaderName::from_static("upload-metadata");
/// The name of the finished file, encoded like a part of an address. It is not part of the protocol.
const NAME: HeaderName = HeaderName::from_static("file-name");

/// `OPTIONS /files/uploads`
pub async fn describe() -> Response {
    let headers = [("tus-version", "1.0.0"), ("tus-extension", "creation,termination")];
    (StatusCode::NO_CONTENT, [VERSION], headers).into_response()
}

/// `POST /files/uploads`: begins an upload. Its metadata has `environment`, `path` (the folder) and
/// `filename`.
pub async fn begin(State(state): State<AppState>, Person(me): Person, headers: HeaderMap) -> Result<Response, Refused> {
    let length = number(&headers, &LENGTH)?;
    let mut metadata = metadata(&headers)?;
    let mut field = |name: &str| metadata.remove(name).unwrap_or_default();
    let environment = field("environment").parse();
    let environment = environment.map_err(|_| malformed("The metadata has no environment."))?;
    let (folder, name) = (field("path"), field("filename"));
    let begun = state.control.begin_upload(&me, environment, &folder, &name, length);
    let location = format!("{PATH}/{}", begun.await?);
    Ok((StatusCode::CREATED, [VERSION], [(header::LOCATION, location)]).into_response())
}

/// `HEAD /files/uploads/{id}`: the number of bytes that have arrived.
pub async fn offset(
    State(state): State<AppState>,
    Person(me): Person,
    Path(id): Path<Uuid>,
) -> Result<Response, Refused> {
    let upload = state.control.claim_upload(&me, id).await?;
    let length = [(LENGTH, upload.length().to_string())];
    Ok((StatusCode::OK, [VERSION], length, at(upload.offset())).into_response())
}

/// `PATCH /files/uploads/{id}`: appends the body.
pub async fn append(
    State(state): State<AppState>,
    Person(me): Person,
    Path(id): Path<Uuid>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refused> {
    let from = number(&headers, &OFFSET)?;
    let mut upload = state.control.claim_upload(&me, id).await?;
    if from != upload.offset() {
        let detail = format!("The server has {} bytes of the file.", upload.offset());
        return Err(Refused(Problem::new(409, "wrong_offset", "Not the next bytes", detail)));
    }
    receive(&mut upload, body).await?;
    let offset = upload.offset();
    let finished = upload.finish().await?;
    let name = finished.map(|name| [(NAME, utf8_percent_encode(&name, NON_ALPHANUMERIC).to_string())]);
    let answer = (StatusCode::NO_CONTENT, [VERSION], at(offset)).into_response();
    Ok(match name {
        Some(name) => (name, answer).into_response(),
        None => answer,
    })
}

/// `DELETE /files/uploads/{id}`
pub async fn cancel(
    State(state): State<AppState>,
    Person(me): Person,
    Path(id): Path<Uuid>,
) -> Result<Response, Refused> {
    state.control.cancel_upload(&me, id).await?;
    Ok((StatusCode::NO_CONTENT, [VERSION]).into_response())
}

/// Appends a body until it ends, stalls, or another request continues the upload. The bytes until then
/// count.
async fn receive(upload: &mut ClaimedUpload, body: Body) -> Result<(), Refused> {
    let superseded = upload.superseded.clone();
    let mut parts = body.into_data_stream();
    loop {
        let part = tokio::select! {
            part = timeout(STALLED, parts.next()) => part,
            () = superseded.cancelled() => return Err(incomplete(409, "Another request continues this upload.")),
        };
        match part {
            Ok(Some(Ok(bytes))) => upload.write(&bytes).await?,
            Ok(None) => return Ok(()),
            Ok(Some(Err(_))) => return Err(incomplete(400, "The connection was lost. Continue the upload.")),
            Err(_) => return Err(incomplete(408, "The upload stopped for too long. Continue it.")),
        }
    }
}

fn incomplete(status: u16, detail: &str) -> Refused {
    Refused(Problem::new(
        status,
        "upload_incomplete",
        "The upload is incomplete",
        detail.to_owned(),
    ))
}

fn at(offset: u64) -> [(HeaderName, String); 1] {
    [(OFFSET, offset.to_string())]
}

fn malformed(detail: &str) -> Refused {
    Error::Malformed(detail.to_owned()).into()
}

fn number(headers: &HeaderMap, name: &HeaderName) -> Result<u64, Refused> {
    let text = headers.get(name).and_then(|value| value.to_str().ok());
    let number = text.and_then(|text| text.parse().ok());
    number.ok_or_else(|| malformed(&format!("The header {name} is no number of bytes.")))
}

/// Reads `name base64, name base64`. A value may be missing.
fn metadata(headers: &HeaderMap) -> Result<HashMap<String, String>, Refused> {
    let text = headers
        .get(METADATA)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let pair = |pair: &str| {
        let (name, value) = pair.trim().split_once(' ').unwrap_or((pair.trim(), ""));
        let value = String::from_utf8(BASE64_STANDARD.decode(value.trim()).ok()?).ok()?;
        Some((name.to_owned(), value))
    };
    let pairs = text.split(',').map(pair).collect::<Option<_>>();
    pairs.ok_or_else(|| malformed("The metadata is not base64 of UTF-8."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_read_as_the_protocol_writes_it() {
        let with = |text: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(METADATA, HeaderValue::from_static(text));
            metadata(&headers).ok()
        };
        let read = with("filename R3LDvMOfZS50eHQ=,path ,environment YWJj").unwrap();
        assert_eq!(read["filename"], "Grüße.txt");
        assert_eq!(read["path"], "");
        assert_eq!(read["environment"], "abc");
        assert!(with("filename %").is_none());
        assert!(with("filename /w==").is_none(), "not UTF-8");
    }
}
