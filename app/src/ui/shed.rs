//! Signals that many rows follow.
//!
//! A signal remembers every row that subscribed to it, and drops the removed ones only on its next
//! change (`reactive_graph` 0.2.16). Signals that rarely change are therefore notified at an interval,
//! so that a page left open all day does not leak memory.

use gloo_timers::callback::Interval;
use leptos::prelude::*;

const EVERY_MS: u32 = 60_000;

/// Calls `notify` every minute.
pub fn every_minute(notify: impl Fn() + Copy + 'static) {
    Effect::new(move |_: Option<Interval>| Interval::new(EVERY_MS, notify));
}

/// A derived value that changes with its sources. A signal instead of a memo, because `notify` must
/// drop dead subscribers.
pub fn followed<T>(value: impl Fn() -> T + Send + Sync + 'static) -> RwSignal<T>
where
    T: Clone + PartialEq + Send + Sync + 'static,
{
    let signal = RwSignal::new(untrack(&value));
    Effect::new(move || {
        let now = value();
        if *signal.read_untracked() != now {
            signal.set(now);
        }
    });
    signal
}
