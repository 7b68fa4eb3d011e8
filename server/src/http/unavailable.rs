//! The answer to a request that can't be authenticated, as while the database can't be reached.

use axum::{
    extract::Request,
    http::{Method, header},
    response::{IntoResponse, Response},
};
use store::StoreError;

use super::{logins::is_page, problem::Refused, return_path::return_path, tab};

/// A page with the reason and a link to try again, where a person reads it; programs get a problem.
pub fn answer(request: &Request, error: control::Error) -> Response {
    if !is_page(request.method(), request.uri().path()) && !is_form(request) {
        return Refused::from(error).into_response();
    }
    // The request has not reached its handler, so nothing was changed.
    let error = match error {
        control::Error::Store(StoreError::Unreachable(_)) => control::Error::Lost,
        other => other,
    };
    let asked = request
        .uri()
        .path_and_query()
        .filter(|_| request.method() == Method::GET);
    let again = asked.map_or("/", |asked| asked.as_str());
    page(error, again)
}

/// The page, with where to try again: a path of this server.
pub fn page(error: control::Error, again: &str) -> Response {
    let problem = Refused::from(error).0;
    tab::answer(
        problem.status,
        app::plain_page::notice(&problem.title, &problem.detail, (&return_path(again), "Try again")),
    )
}

/// Does a browser ask for a page that is for everybody, or post a form?
fn is_form(request: &Request) -> bool {
    let accepted = request
        .headers()
        .get(header::ACCEPT)
        .and_then(|accepted| accepted.to_str().ok());
    accepted.is_some_and(|accepted| accepted.contains("text/html")) && !request.uri().path().starts_with("/api/")
}
