//! Counts equal events that follow each other quickly, so that nobody can flood the log: failed
//! sign-ins, refused launches.
//!
//! The first event of a kind is logged at once and opens a window of [`WINDOW`]. Equal events
//! within the window are counted in memory and logged as one event with a count when the window
//! ends. A crash loses the count, never the first event.

use std::{collections::BTreeMap, num::NonZeroU32};

use chrono::TimeDelta;
use parking_lot::Mutex;
use session::Timestamp;

/// Equal events within this time of the first one are counted.
pub const WINDOW: TimeDelta = TimeDelta::seconds(60);

/// Counts of equal events by key.
pub struct Coalescer<K> {
    capacity: usize,
    state: Mutex<State<K>>,
}

struct State<K> {
    windows: BTreeMap<K, Window>,
    overflow: u32,
}

struct Window {
    since: Timestamp,
    /// Equal events after the first one.
    repeats: u32,
}

impl Window {
    const fn new(since: Timestamp) -> Self {
        Self { since, repeats: 0 }
    }
}

/// The counts that [`Coalescer::take_due`] takes.
#[derive(Debug, PartialEq, Eq)]
pub struct Due<K> {
    /// Keys that were repeated within their window, with the number of repeats.
    pub repeated: Vec<(K, NonZeroU32)>,
    /// Events whose key found no room.
    pub overflow: u32,
}

impl<K: Ord + Clone> Coalescer<K> {
    /// Counts at most `capacity` keys at a time. Beyond that, events of new keys only add to the
    /// overflow.
    pub const fn new(capacity: usize) -> Self {
        Self {
            capacity,
            state: Mutex::new(State {
                windows: BTreeMap::new(),
                overflow: 0,
            }),
        }
    }

    /// Counts an event. Returns true if it is the first of its key in a window: the caller must log
    /// it now.
    pub fn is_first(&self, key: K, now: Timestamp) -> bool {
        let mut state = self.state.lock();
        if let Some(window) = state.windows.get_mut(&key) {
            window.repeats = window.repeats.saturating_add(1);
            return false;
        }
        if state.windows.len() >= self.capacity {
            state.overflow = state.overflow.saturating_add(1);
            return false;
        }
        state.windows.insert(key, Window::new(now));
        true
    }

    /// Opens the window of an event that is in the log already. An open window stays as it is.
    pub fn open(&self, key: K, now: Timestamp) {
        self.state.lock().windows.entry(key).or_insert(Window::new(now));
    }

    /// The keys with an open window, in order, from `first` on and as long as `matches` holds.
    pub fn open_keys(&self, first: K, matches: impl Fn(&K) -> bool) -> Vec<K> {
        let state = self.state.lock();
        let from = state.windows.range(first..).map(|(key, _)| key);
        from.take_while(|key| matches(key)).cloned().collect()
    }

    /// Takes the counts of the windows that are over; of all windows if `all` is set, as at
    /// shutdown.
    pub fn take_due(&self, now: Timestamp, all: bool) -> Due<K> {
        let mut state = self.state.lock();
        let mut repeated = Vec::new();
        state.windows.retain(|key, window| {
            let over = all || now - window.since >= WINDOW;
            if let Some(repeats) = NonZeroU32::new(window.repeats).filter(|_| over) {
                repeated.push((key.clone(), repeats));
            }
            !over
        });
        let has_room = state.windows.len() < self.capacity;
        Due {
            repeated,
            overflow: if has_room {
                std::mem::take(&mut state.overflow)
            } else {
                0
            },
        }
    }

    /// Puts back a count that could not be written. The next [`Coalescer::take_due`] takes it
    /// again.
    pub fn put_back(&self, key: K, repeats: NonZeroU32, now: Timestamp) {
        let mut state = self.state.lock();
        let window = state.windows.entry(key).or_insert(Window::new(now));
        window.since = now - WINDOW;
        window.repeats = window.repeats.saturating_add(repeats.get());
    }
}

#[cfg(test)]
mod tests;
