//! The regional settings of a launch: languages from the request's header, the time zone from its
//! body, because no header has it.

use std::convert::Infallible;

use axum::{
    extract::FromRequestParts,
    http::{header, request::Parts},
};
use session::regional::Language;

/// The languages of the header `Accept-Language`. Without a valid header there are none: it is never
/// a reason to refuse a launch.
pub struct Languages(pub Vec<Language>);

impl<S: Sync> FromRequestParts<S> for Languages {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        let header = parts.headers.get(header::ACCEPT_LANGUAGE);
        let header = header.and_then(|value| value.to_str().ok()).unwrap_or_default();
        Ok(Self(Language::of_header(header)))
    }
}
