//! Reads the body of a request before its handler runs, with a timeout and a size limit.

use std::error::Error;

use axum::{
    body::{Body, HttpBody},
    extract::{Request, State},
    http::{HeaderValue, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use session::api::Problem;
use tokio::time::timeout;

use super::{
    limits::Limits,
    problem::{Refused, too_large},
};

/// Largest body of a request, in bytes. The ids of a full selection of sessions need the most.
pub const BODY_BYTES: usize = 512 * 1024;

/// Reads the body. Answers 408 if the client sends it too slowly.
pub async fn read(State(limits): State<Limits>, request: Request, next: Next) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    let (head, body) = request.into_parts();
    match timeout(limits.request_body, Limited::new(body, BODY_BYTES).collect()).await {
        Ok(Ok(whole)) => next.run(Request::from_parts(head, Body::from(whole.to_bytes()))).await,
        Ok(Err(error)) if is_too_long(&*error) => Refused(too_large()).into_response(),
        Ok(Err(error)) => {
            let detail = format!("The body could not be read: {error}");
            Refused(Problem::new(400, "bad_body", "The body can't be understood", detail)).into_response()
        }
        Err(_) => {
            let detail = "The request did not arrive in time. Nothing was changed; try again.";
            let mut answer = Refused(Problem::new(408, "too_slow", "The request was too slow", detail)).into_response();
            // The rest of the body may still arrive and would be parsed as the next request.
            let close = HeaderValue::from_static("close");
            answer.headers_mut().insert(header::CONNECTION, close);
            answer
        }
    }
}

/// Is the error from a size limit? The outer layer's error is wrapped in another.
fn is_too_long(error: &(dyn Error + 'static)) -> bool {
    error.is::<LengthLimitError>() || error.source().is_some_and(is_too_long)
}
