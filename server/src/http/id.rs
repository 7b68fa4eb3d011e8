//! The id in the path of a route, as an extractor.

use std::str::FromStr;

use axum::{
    extract::{FromRequestParts, Path},
    http::request::Parts,
};
use session::{ApplicationId, EnvironmentId, SessionId};

use super::problem::Refused;

/// The id in a path with one parameter. A malformed one is refused with a problem document.
pub struct Id<T>(pub T);

/// An id that paths contain.
pub trait PathId: FromStr {
    /// The item that it identifies, with article, as the start of a sentence.
    const ITEM: &'static str;
}

impl PathId for SessionId {
    const ITEM: &'static str = "A session";
}

impl PathId for EnvironmentId {
    const ITEM: &'static str = "An environment";
}

impl PathId for ApplicationId {
    const ITEM: &'static str = "An application";
}

impl<T: PathId, S: Send + Sync> FromRequestParts<S> for Id<T> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refused> {
        // A path that is not UTF-8 contains no id either.
        let text = Path::<String>::from_request_parts(parts, state).await.ok();
        text.and_then(|Path(text)| text.parse().ok()).map(Self).ok_or_else(|| {
            let item = T::ITEM;
            control::Error::Malformed(format!("{item} id looks like 0199f3a0-5d1e-7c3b-9a51-2f6f5d0e8c11.")).into()
        })
    }
}
