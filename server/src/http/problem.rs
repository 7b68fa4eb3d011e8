//! Refusals and failures as `application/problem+json`. `refusals.rs` turns them into pages for
//! people.

use axum::{
    Json,
    extract::{FromRequest, OptionalFromRequest, Request, rejection::JsonRejection},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use session::api::Problem;

/// An error response with a problem document.
pub struct Refused(pub Problem);

impl From<control::Error> for Refused {
    fn from(error: control::Error) -> Self {
        if let control::Error::Store(_) | control::Error::Internal(_) | control::Error::Environment(_) = &error {
            tracing::error!(%error, "a request failed; answered with an error");
        }
        Self(error.into())
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let retry_after = self.0.retry_after;
        let mut response = (status, Json(&self.0)).into_response();
        // `refusals.rs` makes a page from it for a browser.
        response.extensions_mut().insert(self.0);
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

/// A JSON body. An invalid one is refused with a problem document.
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

/// The body may be missing, but not invalid.
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

/// The problem for a body larger than [`BODY_BYTES`](super::request_body::BODY_BYTES).
pub fn too_large() -> Problem {
    let detail = "At most 512 KiB are accepted. Nothing was changed.";
    Problem::new(413, "too_large", "The request is too large", detail)
}
