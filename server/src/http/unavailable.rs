//! The answer to a request that can't be looked into, as while the log is away: nobody knows who asks.

use axum::{
    extract::Request,
    response::{IntoResponse, Response},
};
use store::StoreError;

use super::{
    logins::{is_page, own_path},
    problem::Refused,
    tab,
};

/// Whoever asks for a page reads why there is none, with a link to try again; programs get a problem.
pub fn answer(request: &Request, error: control::Error) -> Response {
    if !is_page(request.method(), request.uri().path()) {
        return Refused::from(error).into_response();
    }
    // Nobody who asks for a page wants to change anything.
    let error = match error {
        control::Error::Store(StoreError::Unreachable(_)) => control::Error::Lost,
        other => other,
    };
    let problem = Refused::from(error).0;
    let again = request.uri().path_and_query().map_or("/", |asked| asked.as_str());
    tab::answer(
        problem.status,
        app::unavailable_page::page(&problem.title, &problem.detail, own_path(again)),
    )
}
