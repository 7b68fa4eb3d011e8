//! `GET /sessions/{id}`: the page of a session's tab.

use app::plain_page::notice;
use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use control::Tab;
use session::{SessionId, Status, api::Problem};

use super::{AppState, authentication::Person, id::Id, problem::Refused, security};

/// The link on a page about a missing session.
const HOME: (&str, &str) = ("/", "My apps");

/// Answers with the page. Answers 410 for an ended session, and 404 for an unknown session or
/// one of another person.
pub async fn page(State(state): State<AppState>, Person(me): Person, id: Result<Id<SessionId>, Refused>) -> Response {
    let Ok(Id(id)) = id else {
        let detail = "A session's address ends with an id like 0199f3a0-5d1e-7c3b-9a51-2f6f5d0e8c11.";
        return answer(400, notice("This is not a session's address", detail, HOME));
    };
    match state.control.tab(&me, id).await {
        Ok(Tab::Live(session)) => answer(200, app::session_tab::live(&session)),
        Ok(Tab::Over(session)) if session.status == Status::Expired => answer(410, app::session_tab::ended(&session)),
        Ok(Tab::Over(session)) => answer(410, app::session_tab::failed(&session)),
        Err(error @ control::Error::NoSession(_)) => {
            let problem = Problem::from(error);
            answer(problem.status, notice(&problem.title, &problem.detail, HOME))
        }
        Err(error) => Refused::from(error).into_response(),
    }
}

/// Answers with a plain page.
pub(super) fn answer(status: u16, page: String) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (
        status,
        [(header::CONTENT_SECURITY_POLICY, security::TAB_POLICY)],
        Html(page),
    )
        .into_response()
}
