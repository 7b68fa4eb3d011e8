//! `GET /api/v1/sessions/watch`: server-sent events. First `snapshot` (as the list), then `delta` whenever the view
//! changes, and `tick` as a sign of life.

use std::{convert::Infallible, sync::Arc};

use axum::{
    extract::State,
    response::sse::{Event, Sse},
};
use axum_extra::extract::CookieJar;
use control::{Control, Message, Watch};
use futures::{Stream, stream};
use serde_json::json;
use session::Role;

use super::sessions::{Parameters, view};
use crate::http::{AppState, logins::Person, problem::Refused};

/// Starts a watch. It ends when the login or the role does.
pub async fn watch(
    State(state): State<AppState>,
    Person(me): Person,
    jar: CookieJar,
    query: Parameters,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Refused> {
    let watch = state.control.watch(&me, view(&query)?)?;
    let token = jar
        .get(state.cookie.name())
        .map(|cookie| cookie.value().to_owned())
        .unwrap_or_default();
    Ok(Sse::new(stream::unfold((watch, state.control, token), next)))
}

type Watching = (Watch, Arc<Control>, String);

async fn next((mut watch, control, token): Watching) -> Option<(Result<Event, Infallible>, Watching)> {
    let message = watch.next().await.ok()?;
    let event = match &message {
        Message::Snapshot(list) => Event::default().event("snapshot").json_data(list),
        Message::Delta(delta) => Event::default().event("delta").json_data(delta),
        Message::Tick {
            server_time,
            revision,
            checksum,
        } => {
            let allowed = control
                .who(&token)
                .await
                .ok()?
                .is_some_and(|me| me.role >= Role::SystemAdmin);
            if !allowed {
                return None;
            }
            Event::default()
                .event("tick")
                .json_data(json!({ "server_time": server_time, "revision": revision, "checksum": checksum }))
        }
    };
    Some((Ok(event.ok()?), (watch, control, token)))
}
