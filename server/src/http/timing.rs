//! The server's time for an answer of the API, for a browser's developer tools and `make bench`.

use std::time::Instant;

use axum::{
    extract::Request,
    http::{HeaderName, HeaderValue},
    middleware::Next,
    response::Response,
};

/// Adds `Server-Timing: total;dur=…`, in milliseconds. It is for the API only, because other
/// answers continue after their headers.
pub async fn server_timing(request: Request, next: Next) -> Response {
    let api = request.uri().path().starts_with("/api/");
    let began = Instant::now();
    let mut response = next.run(request).await;
    let value = format!("total;dur={:.3}", began.elapsed().as_secs_f64() * 1000.0);
    if api && let Ok(value) = HeaderValue::from_str(&value) {
        response
            .headers_mut()
            .insert(HeaderName::from_static("server-timing"), value);
    }
    response
}

#[cfg(test)]
mod tests {
    use axum::{Router, body::Body, middleware};
    use tower::ServiceExt;

    use super::*;

    #[tokio::test]
    async fn the_api_says_how_long_it_took_and_nothing_else_does() {
        let router = Router::new()
            .fallback(|| async {})
            .layer(middleware::from_fn(server_timing));
        for (path, says) in [("/api/v1/sessions", true), ("/admin/cloud-delivery/sessions", false)] {
            let request = Request::get(path).body(Body::empty()).unwrap();
            let response = router.clone().oneshot(request).await.unwrap();
            assert_eq!(response.headers().contains_key("server-timing"), says, "{path}");
        }
    }
}
