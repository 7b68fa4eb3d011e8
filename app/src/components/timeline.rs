//! What happened to a session, as a list of moments.

use leptos::prelude::*;
use session::{lifecycle::Timer, timeline::Entry};

use crate::components::moment::Moment;

/// The entries, oldest first.
#[component]
pub fn Timeline(
    /// What happened.
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

/// What a limit does when it is reached.
pub const fn consequence(timer: Timer) -> &'static str {
    match timer {
        Timer::Start => "in Error unless it is ready before",
        Timer::NeverConnected => "expires unless somebody opens it before",
        Timer::Idle => "its tab is closed unless somebody uses it before",
        Timer::Disconnected => "expires unless it is opened again before",
        Timer::ValidUntil => "expires: its allowed time is over then",
    }
}
