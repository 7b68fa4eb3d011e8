//! The server's clock as the page shows it: one timer for all ages and countdowns.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use gloo_timers::callback::Interval;
use leptos::prelude::*;

/// No message takes this long: one of the two clocks was set.
const CLOCK_WAS_SET: TimeDelta = TimeDelta::seconds(5);

/// Time as the server has it. Before the page is alive it stands still at the moment of the server's answer, so the first
/// render is the same on both sides.
#[derive(Clone, Copy)]
pub struct Clock {
    now: RwSignal<DateTime<Utc>>,
    /// The server's clock minus the browser's, once the server has said something.
    ahead: StoredValue<Option<TimeDelta>>,
    alive: StoredValue<bool>,
}

impl Clock {
    /// A clock that stands at `server_time` until the page is mounted and runs from then on.
    pub fn starting_at(server_time: DateTime<Utc>) -> Self {
        let clock = Self {
            now: RwSignal::new(server_time),
            ahead: StoredValue::new(None),
            alive: StoredValue::new(false),
        };
        Effect::new(move || {
            clock.alive.set_value(true);
            clock.set(server_time);
            let shown = window_event_listener(leptos::ev::visibilitychange, move |_| clock.tick());
            on_cleanup(move || shown.remove());
        });
        Effect::new(move |_: Option<Interval>| Interval::new(1000, move || clock.tick()));
        clock
    }

    /// The server's time; changes every second.
    pub fn now(&self) -> DateTime<Utc> {
        self.now.get()
    }

    /// The server's time, once.
    pub fn now_untracked(&self) -> DateTime<Utc> {
        self.now.get_untracked()
    }

    /// The server has just said what time it is. The way here took a moment, so of two answers the later one is nearer to
    /// the truth: ages never run backwards because a message was slow.
    pub fn set(&self, server_time: DateTime<Utc>) {
        if self.alive.get_value() {
            let ahead = server_time - browser_now();
            let only_slower = |known: TimeDelta| (TimeDelta::zero()..CLOCK_WAS_SET).contains(&(known - ahead));
            if !self.ahead.get_value().is_some_and(only_slower) {
                self.ahead.set_value(Some(ahead));
            }
        }
    }

    /// Shows the time of now, without waiting for the next second.
    pub fn tick(&self) {
        // Nobody sees a hidden page; it catches up when it is shown.
        if !document().hidden() {
            self.now.set(browser_now() + self.ahead.get_value().unwrap_or_default());
        }
    }
}

/// The browser's own clock. Only in effects and handlers, never in a render.
pub fn browser_now() -> DateTime<Utc> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "whole milliseconds of this era fit an i64"
    )]
    DateTime::from_timestamp_millis(js_sys::Date::now() as i64).unwrap_or_default()
}

/// Runs `action` once, later. Unlike a timer of the component it outlives it, so `action` must expect to find its signals gone.
pub fn later(milliseconds: u64, action: impl FnOnce() + 'static) {
    set_timeout(action, Duration::from_millis(milliseconds));
}
