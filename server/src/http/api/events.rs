//! `/api/v1/events`: the log of events, as pages and as a file.

use std::sync::Arc;

use axum::{
    Json,
    body::{Body, Bytes},
    extract::{Query, State},
    response::Response,
};
use control::Control;
use futures::{Stream, stream};
use session::{
    api::Me,
    audit::{self, Entry, EventList, Place, View},
    format,
};

use super::{
    file::{self, harmless},
    sessions::Parameters,
};
use crate::http::{AppState, authentication::Person, problem::Refused};

const HEADERS: [&str; 10] = [
    "ID",
    "Date",
    "Kind",
    "Who",
    "What",
    "Session ID",
    "Reason",
    "Address",
    "Request ID",
    "Revision",
];

/// `GET /api/v1/events`
pub async fn list(
    State(state): State<AppState>,
    Person(me): Person,
    parameters: Parameters,
) -> Result<Json<EventList>, Refused> {
    let (view, query) = asked(&parameters)?;
    Ok(Json(
        state.control.events(&me, &query, view.place, view.limit).await?.into(),
    ))
}

/// `GET /api/v1/events.csv`: all matching events, newest first. Sends the file while it reads the
/// log.
pub async fn csv(
    State(state): State<AppState>,
    Person(me): Person,
    parameters: Parameters,
) -> Result<Response, Refused> {
    let (_, query) = asked(&parameters)?;
    let now = state.control.now();
    // Read the first part now, so that a missing role or an unreadable log gives a refusal and not
    // a truncated file.
    let (entries, next) = state.control.events_part(&me, &query, Place::Newest).await?;
    let first = stream::iter([Ok(file::first([HEADERS]))]);
    let first = futures::StreamExt::chain(first, stream::iter([Ok(written(&entries))]));
    let rest = rest(state.control, me, query, next);
    Ok(file::answer(
        "audit",
        now,
        Body::from_stream(futures::StreamExt::chain(first, rest)),
    ))
}

fn asked(Query(parameters): &Parameters) -> Result<(View, audit::Query), Refused> {
    let pairs = parameters.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let view = View::from_pairs(pairs).map_err(control::Error::from)?;
    let query = audit::Query::parse(&view.q).map_err(control::Error::from)?;
    Ok((view, query))
}

/// The parts after the first. If the log can't be read, the answer is aborted, so that the client
/// detects the truncated file.
fn rest(
    control: Arc<Control>,
    me: Me,
    query: audit::Query,
    next: Option<Place>,
) -> impl Stream<Item = Result<Bytes, control::Error>> {
    stream::try_unfold((control, me, query, next), |(control, me, query, next)| async move {
        let Some(place) = next else { return Ok(None) };
        let (entries, next) = control.events_part(&me, &query, place).await?;
        Ok(Some((written(&entries), (control, me, query, next))))
    })
}

fn written(entries: &[Entry]) -> Bytes {
    file::rows(entries.iter().map(|entry| {
        let text = |text: &Option<Arc<str>>| text.as_deref().unwrap_or_default().to_owned();
        [
            entry.id.to_string(),
            format::iso(entry.at),
            entry.kind.clone(),
            entry.who.to_string(),
            entry.what.clone(),
            entry.session_id.map(|id| id.to_string()).unwrap_or_default(),
            text(&entry.reason),
            text(&entry.address),
            text(&entry.request_id),
            entry.revision.to_string(),
        ]
        .map(|cell| harmless(cell.into()).into_owned())
    }))
}
