//! The server's clock, as the page shows it: one timer drives all ages and countdowns.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use gloo_timers::callback::Interval;
use leptos::prelude::*;

/// Larger differences are no network delay; somebody has set one of the two clocks.
const CLOCK_WAS_SET: TimeDelta = TimeDelta::seconds(5);

/// The server's time. Until hydration the clock stands still at the time of the server's answer, so
/// the first render is the same on both sides.
#[derive(Clone, Copy)]
pub struct Clock {
    now: RwSignal<DateTime<Utc>>,
    /// The server's clock minus the browser's; `None` before the first message from the server.
    ahead: StoredValue<Option<TimeDelta>>,
    alive: StoredValue<bool>,
}

impl Clock {
    /// A clock that stands at `server_time` until the page is mounted, then runs.
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

    /// The server's time, updated every second.
    pub fn now(&self) -> DateTime<Utc> {
        self.now.get()
    }

    /// The server's time, untracked.
    pub fn now_untracked(&self) -> DateTime<Utc> {
        self.now.get_untracked()
    }

    /// Takes a new time from the server. A network delay makes a received time too early, so the
    /// later of two estimates is more accurate; and ages never run backwards after a slow message.
    pub fn set(&self, server_time: DateTime<Utc>) {
        if self.alive.get_value() {
            let ahead = server_time - browser_now();
            let only_slower = |known: TimeDelta| (TimeDelta::zero()..CLOCK_WAS_SET).contains(&(known - ahead));
            if !self.ahead.get_value().is_some_and(only_slower) {
                self.ahead.set_value(Some(ahead));
            }
        }
    }

    /// Updates the time now instead of at the next second.
    pub fn tick(&self) {
        // A hidden page needs no updates; it catches up once it is visible.
        if !document().hidden() {
            self.now.set(browser_now() + self.ahead.get_value().unwrap_or_default());
        }
    }
}

/// The browser's own clock. Call it only in effects and handlers, never during a render.
pub fn browser_now() -> DateTime<Utc> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "whole milliseconds of this era fit an i64"
    )]
    DateTime::from_timestamp_millis(js_sys::Date::now() as i64).unwrap_or_default()
}

/// Runs `action` once after a delay. The timer outlives the component, so `action` must expect
/// disposed signals.
pub fn later(milliseconds: u64, action: impl FnOnce() + 'static) {
    set_timeout(action, Duration::from_millis(milliseconds));
}
