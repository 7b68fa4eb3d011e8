//! Gives each refusal the format for its reader: a problem document for programs, a page for
//! people. It covers all layers and handlers. A browser shows the answer to a plain form in its
//! window, so JSON there would be a dead end.

use axum::{
    extract::Request,
    http::{Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use session::api::Problem;

use super::{
    problem::{Refused, too_large},
    return_path::return_path,
    tab,
};

/// The target of the link “Try again”, from a handler that knows a better one than the requested
/// path. An extension of its response.
#[derive(Clone)]
pub struct TryAgain(pub String);

/// The reader of the answer to a request.
enum Reader {
    /// A client of the API.
    Api,
    /// A program that accepts problem documents outside the API. If the handler answers with a
    /// page, the page stays.
    Program,
    /// A person, with the target of the link “Try again”: the requested path if a second request
    /// does no harm.
    Person(String),
    /// None of these: files, probes and streams.
    Machine,
}

impl Reader {
    fn of(request: &Request) -> Self {
        let path = request.uri().path();
        let machines = [
            "/pkg/",
            "/novnc/",
            "/tus/",
            "/tab/",
            "/icons/",
            "/pictures/",
            "/nodes/",
            "/healthz",
            "/readyz",
        ];
        let is_stream = path.starts_with("/sessions/") && (path.ends_with("/stream") || path.ends_with("/sound"));
        if path.starts_with("/api/") {
            Self::Api
        } else if is_stream || machines.iter().any(|prefix| path.starts_with(prefix)) {
            Self::Machine
        } else if wants_problem(request) {
            Self::Program
        } else {
            let asked = request.uri().path_and_query().map_or("/", |asked| asked.as_str());
            Self::Person(match *request.method() {
                Method::GET => return_path(asked),
                _ => "/".to_owned(),
            })
        }
    }
}

/// Does the request accept JSON but not HTML? Browsers accept HTML. A program without `Accept` gets
/// a page as well.
fn wants_problem(request: &Request) -> bool {
    let accepted = request
        .headers()
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok());
    accepted.is_some_and(|accepted| accepted.contains("json") && !accepted.contains("text/html"))
}

/// Converts a refusal into a problem document or a page, unless it already has that format.
pub async fn present(request: Request, next: Next) -> Response {
    let reader = Reader::of(&request);
    let response = next.run(request).await;
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return response;
    }
    match reader {
        Reader::Api if !is(&response, "json") => answered(Refused(problem(&response)).into_response(), response),
        Reader::Program if !is(&response, "json") && !is(&response, "text/html") => {
            answered(Refused(problem(&response)).into_response(), response)
        }
        Reader::Person(page) if !is(&response, "text/html") => {
            let again = response.extensions().get::<TryAgain>();
            let again = again.map_or(page, |TryAgain(again)| return_path(again));
            answered(problem_page(problem(&response), &again), response)
        }
        Reader::Api | Reader::Program | Reader::Person(_) | Reader::Machine => response,
    }
}

fn is(response: &Response, kind: &str) -> bool {
    let content = response.headers().get(header::CONTENT_TYPE);
    content
        .and_then(|content| content.to_str().ok())
        .is_some_and(|content| content.contains(kind))
}

/// Renders the page of a problem, with one link.
fn problem_page(problem: Problem, retry: &str) -> Response {
    let link = match problem.status {
        401 => ("/login", "Sign in"),
        500.. => (retry, "Try again"),
        _ => ("/", "My apps"),
    };
    let mut page = tab::answer(
        problem.status,
        app::plain_page::notice(&problem.title, &problem.detail, link),
    );
    page.extensions_mut().insert(problem);
    page
}

/// Copies the headers of the old answer to the new one, except those that describe the old body.
fn answered(mut new: Response, old: Response) -> Response {
    let of_the_body = [
        header::CONTENT_TYPE,
        header::CONTENT_LENGTH,
        header::CONTENT_SECURITY_POLICY,
    ];
    for (name, value) in old.headers() {
        if !of_the_body.contains(name) && !new.headers().contains_key(name) {
            new.headers_mut().append(name, value.clone());
        }
    }
    new
}

/// The problem of a refusal. Layers and extractors refuse with plain text or an empty body. Then
/// the status determines the problem.
fn problem(response: &Response) -> Problem {
    if let Some(problem) = response.extensions().get::<Problem>() {
        return problem.clone();
    }
    let status = response.status();
    let (code, title, detail) = match status {
        StatusCode::BAD_REQUEST => (
            "bad_request",
            "The request can't be understood",
            "Go back, reload the page and try again.",
        ),
        StatusCode::FORBIDDEN => (
            "cross_site",
            "The request came from another site",
            "Use this server's own pages.",
        ),
        StatusCode::NOT_FOUND => ("not_found", "There is nothing here", "Check the address."),
        StatusCode::METHOD_NOT_ALLOWED => ("method", "This address does not take that method", "Check the method."),
        StatusCode::PAYLOAD_TOO_LARGE => return too_large(),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => (
            "media_type",
            "The request is not of the expected type",
            "Check its Content-Type.",
        ),
        StatusCode::UNPROCESSABLE_ENTITY => (
            "bad_body",
            "The form can't be understood",
            "Go back, reload the page and try again.",
        ),
        status if status.is_server_error() => (
            "internal",
            "That did not work",
            "The server failed. The reason is in its log.",
        ),
        status => (
            "refused",
            status.canonical_reason().unwrap_or("That was refused"),
            "Go back and try again.",
        ),
    };
    Problem::new(status.as_u16(), code, title, detail)
}
