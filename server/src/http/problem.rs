//! Refusals and failures as `application/problem+json`.

use axum::{
    Json,
    extract::{FromRequest, OptionalFromRequest, Request, rejection::JsonRejection},
    http::{HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use session::wire::Problem;

/// A problem on its way out.
pub struct Refused(pub Problem);

impl From<control::Error> for Refused {
    fn from(error: control::Error) -> Self {
        if let control::Error::Store(_) | control::Error::Internal(_) | control::Error::Environment(_) = &error {
            tracing::error!(%error, "a request failed");
        }
        Self(error.into())
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let retry_after = self.0.retry_after;
        let mut response = (status, Json(self.0)).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if let Some(seconds) = retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

/// A JSON body whose refusal is a problem like every other.
pub struct Body<T>(pub T);

impl<T, S> FromRequest<S> for Body<T>
where
    Json<T>: FromRequest<S, Rejection = JsonRejection>,
    S: Send + Sync,
{
    type Rejection = Refused;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refused> {
        let Json(body) = <Json<T> as FromRequest<S>>::from_request(request, state)
            .await
            .map_err(bad_body)?;
        Ok(Self(body))
    }
}

/// A body that may be left out, but not be wrong.
impl<T, S> OptionalFromRequest<S> for Body<T>
where
    Json<T>: OptionalFromRequest<S, Rejection = JsonRejection>,
    S: Send + Sync,
{
    type Rejection = Refused;

    async fn from_request(request: Request, state: &S) -> Result<Option<Self>, Refused> {
        let body = <Json<T> as OptionalFromRequest<S>>::from_request(request, state)
            .await
            .map_err(bad_body)?;
        Ok(body.map(|Json(body)| Self(body)))
    }
}

fn bad_body(rejection: JsonRejection) -> Refused {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return Refused(too_large());
    }
    let (status, detail) = (rejection.status().as_u16(), rejection.body_text());
    Refused(Problem::new(status, "bad_body", "The body can't be understood", detail))
}

pub fn too_large() -> Problem {
    let detail = "At most 512 KiB are accepted. Nothing was changed.";
    Problem::new(413, "too_large", "The request is too large", detail)
}

/// Layers refuse in plain text or with nothing at all; to the API's clients they speak as every other refusal does.
pub async fn plain_refusals(request: Request, next: Next) -> Response {
    let api = request.uri().path().starts_with("/api/");
    let response = next.run(request).await;
    let is_json = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().ends_with(b"json"));
    if !api || is_json {
        return response;
    }
    let refused = |status, code, title, detail| Refused(Problem::new(status, code, title, detail)).into_response();
    match response.status() {
        StatusCode::FORBIDDEN => refused(
            403,
            "cross_site",
            "The request came from another site",
            "Use this server's own pages.",
        ),
        StatusCode::NOT_FOUND => refused(404, "not_found", "There is nothing here", "Check the address."),
        StatusCode::METHOD_NOT_ALLOWED => refused(
            405,
            "method",
            "This address does not take that method",
            "Check the method.",
        ),
        StatusCode::PAYLOAD_TOO_LARGE => Refused(too_large()).into_response(),
        _ => response,
    }
}
