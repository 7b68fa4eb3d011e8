//! The history of a session as a list of moments.

use leptos::prelude::*;
use session::{Timestamp, api::SessionView, format, lifecycle::Timer, timeline::Entry};

use crate::components::moment::Moment;

/// The entries, oldest first.
#[component]
pub fn Timeline(
    /// History, oldest first.
    entries: Vec<Entry>,
) -> impl IntoView {
    let line = |entry: Entry| {
        let note = entry.note.map(|note| format!("“{note}”"));
        view! {
            <li class=format!("event event-{}", entry.kind)>
                <Moment at=Signal::stored(entry.at) focusable=true />
                <span class="event-what">
                    {entry.text} {note.map(|note| view! { <span class="cell-note">{note}</span> })}
                </span>
            </li>
        }
    };
    view! { <ol class="timeline" aria-label="Timeline">{entries.into_iter().map(line).collect_view()}</ol> }.into_any()
}

/// The text before and after the moment of a deadline: "Expires {at} unless it’s opened first".
pub fn deadline_words(timer: Timer, session: &SessionView) -> (&'static str, String) {
    let unless = |event: &str| format!("unless it’s {event} first");
    match timer {
        Timer::Start => ("Fails", unless("ready")),
        Timer::NeverConnected => ("Expires", unless("opened")),
        Timer::Idle => ("Its tab is disconnected", unless("used")),
        Timer::Disconnected => ("Expires", unless("reopened")),
        Timer::ValidUntil => ("Ends", time_limit(session)),
    }
}

/// "(8 h limit)"
fn time_limit(session: &SessionView) -> String {
    let limit = (session.valid_until - session.started_at).num_seconds();
    format!("({} limit)", format::span(limit.try_into().unwrap_or_default()))
}

/// The next deadline of a live session, worded for its user: "Ends 28 Nov, 05:24 CET (8 h limit)".
#[component]
pub fn UserDeadline(
    /// Live session.
    session: SessionView,
) -> impl IntoView {
    let (at, words): (Timestamp, String) = match session.next_deadline {
        Some(deadline) if matches!(deadline.timer, Timer::NeverConnected | Timer::Disconnected) => {
            (deadline.at, "unless you open it first".to_owned())
        }
        _ => (session.valid_until, time_limit(&session)),
    };
    view! {
        <p class="quiet">"Ends " <Moment at=Signal::stored(at) /> " " {words}</p>
    }
}
