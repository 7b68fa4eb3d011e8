//! The line beside the heading: whether the list is live, the time zone, and the button that shows
//! newer events.

use leptos::prelude::*;

use super::model::{Model, TABLE_ID};
use crate::ui::{
    dynamic::{DynShow, dyn_text},
    focus,
    number::Numbers,
    time::{is_alive, zone},
};

/// The line. The button comes first, because the line is aligned to its end: nothing moves when the
/// button appears.
#[component]
pub fn LiveLine(
    /// Events on screen.
    model: Model,
) -> impl IntoView {
    let alive = is_alive();
    let zone = dyn_text(move || {
        let zone = alive.get().then(zone).flatten();
        format!("Times in {}", zone.as_deref().unwrap_or("UTC"))
    });
    let live = Signal::derive(move || model.is_live());
    view! {
        <div class="freshness">
            <NewEvents model />
            <p class="live-line needs-js">
                <span class="live" class:live-on=live title="The newest page shows new events as they happen.">
                    {dyn_text(move || if live.get() { "Live" } else { "Not live" }.to_owned())}
                </span>
            </p>
            <p class="quiet">{zone}</p>
        </div>
    }
    .into_any()
}

#[component]
fn NewEvents(model: Model) -> impl IntoView {
    let numbers = Numbers::here();
    let count = Memo::new(move |_| model.waiting.read().found);
    let press = move |_| {
        model.insert_waiting();
        scroll_to_top();
        // The button is gone.
        focus::focus_id(TABLE_ID);
    };
    view! {
        <DynShow is=move || count.get() != 0>
            <button type="button" class="button button-small" on:click=press>
                {dyn_text(move || format!("Show {}", sentence(&numbers.text(count.get()), count.get())))}
            </button>
        </DynShow>
    }
    .into_any()
}

/// Tells screen readers of newer events, once until the reader shows them.
#[component]
pub fn Announcement(
    /// Events on screen.
    model: Model,
) -> impl IntoView {
    let text = Memo::new(move |before: Option<&String>| {
        let count = model.waiting.read().found;
        match before {
            _ if count == 0 => String::new(),
            Some(said) if !said.is_empty() => said.clone(),
            _ => sentence(&count.to_string(), count),
        }
    });
    view! { <p class="visually-hidden" role="status">{dyn_text(move || text.get())}</p> }
}

fn sentence(number: &str, count: u64) -> String {
    format!("{number} new {}", if count == 1 { "event" } else { "events" })
}

/// Whether new rows at the top of the table disturb nobody: the table is at its top, it has neither
/// the pointer nor the focus, and no text is selected.
pub fn nobody_reads(table: &str) -> bool {
    let Some(region) = document().get_element_by_id(table) else {
        return false;
    };
    let at_top = region.scroll_top() == 0 && region.get_bounding_client_rect().top() >= 0.0;
    let pointed_at = region.matches(":hover").unwrap_or_default();
    let focused = region.contains(document().active_element().as_deref());
    at_top && !pointed_at && !focused && focus::nothing_selected()
}

/// Scrolls the table to its newest row.
pub fn scroll_to_top() {
    if let Some(region) = document().get_element_by_id(TABLE_ID) {
        region.set_scroll_top(0);
    }
}

#[cfg(test)]
mod tests {
    use super::sentence;

    #[test]
    fn one_event_is_singular() {
        assert_eq!(sentence("1", 1), "1 new event");
        assert_eq!(sentence("3", 3), "3 new events");
    }
}
