//! `ETag` for polled answers: a client with the newest answer gets 304 and no body (RFC 9110,
//! 13.1.2).
//!
//! The tag is a hash of the body, so it covers everything that the answer depends on. tower-http
//! and axum have no such layer.

use axum::{
    body::{Body, to_bytes},
    extract::Request,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use sha2::{Digest, Sha256};

/// Largest body that is tagged, in bytes: the cards of a few thousand applications with the longest
/// texts. A larger one would be an error.
const LARGEST: usize = 16 << 20;

/// The paths that each open page polls.
const POLLED: [&str; 1] = ["/api/ui/my_applications"];

/// Tags the answers of polled paths. Answers 304 if the client's tag matches.
pub async fn conditional(request: Request, next: Next) -> Response {
    if request.method() != Method::GET || !POLLED.contains(&request.uri().path()) {
        return next.run(request).await;
    }
    let known = request.headers().get(header::IF_NONE_MATCH).cloned();
    let response = next.run(request).await;
    if response.status() != StatusCode::OK {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(body) = to_bytes(body, LARGEST).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let Ok(tag) = HeaderValue::from_str(&tag(&body)) else {
        return (parts, body).into_response();
    };
    let fresh = known.is_some_and(|known| matches(&known, &tag));
    // The browser may store the answer but must revalidate it, because the login may have ended.
    let cache = HeaderValue::from_static("private, no-cache");
    if fresh {
        let headers = HeaderMap::from_iter([(header::ETAG, tag), (header::CACHE_CONTROL, cache)]);
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    parts.headers.insert(header::ETAG, tag);
    parts.headers.insert(header::CACHE_CONTROL, cache);
    Response::from_parts(parts, Body::from(body))
}

fn tag(body: &[u8]) -> String {
    let hash = Sha256::digest(body);
    let digits: String = hash.iter().take(12).map(|byte| format!("{byte:02x}")).collect();
    format!("\"{digits}\"")
}

/// Is the tag in the client's list? It may be weak there, because a proxy that compresses answers
/// makes their tags weak.
fn matches(known: &HeaderValue, tag: &HeaderValue) -> bool {
    let (Ok(known), Ok(tag)) = (known.to_str(), tag.to_str()) else {
        return false;
    };
    let strong = |one: &str| one.trim().trim_start_matches("W/") == tag;
    known.trim() == "*" || known.split(',').any(strong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_found_in_a_list_and_when_it_became_weak() {
        let tag = HeaderValue::from_str(&tag(b"body")).unwrap();
        let text = tag.to_str().unwrap().to_owned();
        for (known, fresh) in [
            (text.clone(), true),
            (format!("\"other\", W/{text}"), true),
            ("*".into(), true),
            ("\"other\"".into(), false),
            (String::new(), false),
        ] {
            assert_eq!(matches(&HeaderValue::from_str(&known).unwrap(), &tag), fresh, "{known}");
        }
    }
}
