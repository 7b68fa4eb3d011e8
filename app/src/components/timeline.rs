//! What happened to a session, as a list of moments.

use chrono::TimeDelta;
use leptos::prelude::*;
use session::{Actor, EndReason, Event, EventKind, Timestamp, format, lifecycle::Timer};

use super::moment::Moment;

/// The events of a session, oldest first.
#[component]
pub fn Timeline(
    /// The events.
    events: Vec<Event>,
) -> impl IntoView {
    let launched = events
        .iter()
        .find(|event| event.what == EventKind::Launched)
        .map(|event| event.at);
    let line = |event: Event| {
        let note = match &event.what {
            EventKind::Expired { note: Some(note), .. } => Some(format!("“{note}”")),
            _ => None,
        };
        view! {
            <li class=format!("event event-{}", event.what.code())>
                <Moment at=Signal::stored(event.at) focusable=true />
                <span class="event-what">
                    {said(&event, launched)}
                    {note.map(|note| view! { <span class="cell-note">{note}</span> })}
                </span>
            </li>
        }
    };
    view! { <ol class="timeline" aria-label="Timeline">{events.into_iter().map(line).collect_view()}</ol> }.into_any()
}

/// One event in words.
fn said(event: &Event, launched: Option<Timestamp>) -> String {
    let by = match &event.actor {
        Actor::Person { username, .. } => format!(" by {username}"),
        Actor::Environment | Actor::System => String::new(),
    };
    match &event.what {
        EventKind::Launched => format!("Launched{by}"),
        EventKind::Ready => match launched {
            Some(launched) => format!("Ready in {}", seconds(event.at - launched)),
            None => "Ready".to_owned(),
        },
        EventKind::Failed { error } => format!("Error: {error}"),
        EventKind::Connected => "Connected: a browser tab opened it".to_owned(),
        EventKind::Disconnected => "Tab closed".to_owned(),
        EventKind::Expired { reason, batch, .. } => {
            let together = if batch.is_some() { ", together with others" } else { "" };
            match reason {
                EndReason::Admin => format!("Expired{by}{together}"),
                other => format!("Expired: {}", other.label().to_ascii_lowercase()),
            }
        }
        EventKind::TornDown => "Closed by the environment: nothing of it is left".to_owned(),
        EventKind::Purged => "Removed from the list".to_owned(),
        other => other.code().replace('_', " "),
    }
}

/// `0.3 s` while it is short.
fn seconds(took: TimeDelta) -> String {
    match took.num_milliseconds() {
        short @ 0..10_000 => format!("{}.{} s", short / 1000, short % 1000 / 100),
        _ => format::ago(took),
    }
}

/// What a limit does when it is reached.
pub const fn consequence(timer: Timer) -> &'static str {
    match timer {
        Timer::Start => "in Error unless it is ready before",
        Timer::NeverConnected => "expires unless somebody opens it before",
        Timer::Disconnected => "expires unless it is opened again before",
        Timer::ValidUntil => "expires: its allowed time is over then",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_read_as_a_story() {
        let at = |millis| Timestamp::default() + TimeDelta::milliseconds(millis);
        let event = |actor, millis, what| Event {
            at: at(millis),
            session_id: None,
            actor,
            what,
        };
        let jane = Actor::Person {
            user_id: session::UserId(Default::default()),
            username: "jane".into(),
        };
        let expired = |reason| EventKind::Expired {
            reason,
            note: None,
            batch: None,
        };
        for (event, text) in [
            (event(jane.clone(), 0, EventKind::Launched), "Launched by jane"),
            (event(Actor::Environment, 340, EventKind::Ready), "Ready in 0.3 s"),
            (event(Actor::Environment, 72_000, EventKind::Ready), "Ready in 1 min"),
            (event(jane.clone(), 1, expired(EndReason::Admin)), "Expired by jane"),
            (event(jane, 1, expired(EndReason::User)), "Expired: ended by its user"),
            (event(Actor::System, 1, EventKind::Purged), "Removed from the list"),
        ] {
            assert_eq!(said(&event, Some(at(0))), text);
        }
    }
}
