//! `GET /api/v1/sessions/watch`: server-sent events. The first is `snapshot`, in the format of the
//! list. Then `delta` follows whenever the view changes, and `tick` as a heartbeat.

use std::convert::Infallible;

use axum::{
    extract::State,
    response::sse::{Event, Sse},
};
use control::{Message, Watch};
use futures::{Stream, stream};
use serde_json::json;

use super::sessions::{Parameters, view};
use crate::http::{AppState, authentication::Person, problem::Refused};

/// Starts a watch. It ends with the login, or when the person gets a lower role.
pub async fn watch(
    State(state): State<AppState>,
    Person(me): Person,
    query: Parameters,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Refused> {
    let watch = state.control.watch(&me, view(&query)?)?;
    Ok(Sse::new(stream::unfold(watch, next)))
}

async fn next(mut watch: Watch) -> Option<(Result<Event, Infallible>, Watch)> {
    let message = watch.next().await.ok()?;
    let event = match &message {
        Message::Snapshot(list) => Event::default().event("snapshot").json_data(list),
        Message::Delta(delta) => Event::default().event("delta").json_data(delta),
        Message::Tick {
            server_time,
            revision,
            checksum,
        } => Event::default()
            .event("tick")
            .json_data(json!({ "server_time": server_time, "revision": revision, "checksum": checksum })),
    };
    Some((Ok(event.ok()?), watch))
}
