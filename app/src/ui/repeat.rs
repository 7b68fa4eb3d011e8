//! Polling while the page is visible.

use gloo_timers::callback::Interval;
use leptos::{ev, prelude::*};

/// Polling interval, which is also the maximum age of the data on screen.
const EVERY_MS: u32 = 5000;

/// Runs `ask` every 5 s while the page is visible, and immediately when it becomes visible again.
/// Stops with the component.
pub fn while_visible(ask: Callback<()>) {
    let ask = move || {
        if !document().hidden() {
            ask.run(());
        }
    };
    Effect::new(move |_: Option<Interval>| Interval::new(EVERY_MS, ask));
    Effect::new(move || {
        let shown = window_event_listener(ev::visibilitychange, move |_| ask());
        let focused = window_event_listener(ev::focus, move |_| ask());
        on_cleanup(move || {
            shown.remove();
            focused.remove();
        });
    });
}
