//! `GET /admin/cloud-delivery/audit`: the Audit page, a document without scripts.

use axum::{
    extract::{Query, State},
    http::{StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use session::{
    api::Problem,
    audit::{self, View},
};

use super::{AppState, authentication::Person, security};

/// Query parameters, in any order.
type Parameters = Query<Vec<(String, String)>>;

/// Answers with the page. Invalid query parameters give a page with the error, without events, and
/// status 400.
pub async fn page(State(state): State<AppState>, Person(me): Person, Query(parameters): Parameters) -> Response {
    let (view, query, wrong) = asked(&parameters);
    let found = state.control.events(&me, &query, view.place, view.limit).await;
    let events = match wrong {
        // Drop the events but keep a refusal of the role.
        Some(_) => found.map(|_| audit::Page::default()),
        None => found,
    };
    let events = events.map_err(failed);
    let status = match (&events, &wrong) {
        (Err(problem), _) => problem.status,
        (Ok(_), Some(_)) => 400,
        (Ok(_), None) => 200,
    };
    answer(status, app::audit_page::page(&state.options, &me, &view, events, wrong))
}

/// Parses the view and the search. On an error, keeps the text of the search and returns the
/// message.
fn asked(parameters: &[(String, String)]) -> (View, audit::Query, Option<String>) {
    let pairs = || parameters.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let understood = View::from_pairs(pairs()).and_then(|view| Ok((audit::Query::parse(&view.q)?, view)));
    match understood {
        Ok((query, view)) => (view, query, None),
        Err(wrong) => {
            let q = pairs().find(|(name, _)| *name == "q").map(|(_, q)| q.to_owned());
            let view = View {
                q: q.unwrap_or_default(),
                ..View::default()
            };
            (view, audit::Query::default(), Some(wrong))
        }
    }
}

fn failed(error: control::Error) -> Problem {
    if let control::Error::Store(_) | control::Error::Internal(_) = &error {
        tracing::error!(%error, "could not read events for the Audit page; answered with an error");
    }
    error.into()
}

fn answer(status: u16, page: String) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let policy = [(header::CONTENT_SECURITY_POLICY, security::PLAIN_POLICY)];
    (status, policy, Html(page)).into_response()
}
