//! Equal events that come in quick succession become one event with a count, so that nobody can fill the log.
//!
//! The first one of its kind is logged at once. Those that follow within [`WINDOW`] are counted in memory and logged together when
//! the window is over. A crash loses such a count, not the event that began the window.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use parking_lot::Mutex;
use session::Timestamp;

/// How long equal events are counted.
pub const WINDOW: TimeDelta = TimeDelta::seconds(60);
/// Kinds counted at a time. Beyond it nothing new is logged until a window is over; the overflow is counted.
const KINDS: usize = 1000;

/// Counts of equal events by key.
pub struct Coalescer<K> {
    state: Mutex<State<K>>,
}

struct State<K> {
    windows: BTreeMap<K, Window>,
    overflow: u32,
}

struct Window {
    since: Timestamp,
    /// Events since the one that was logged at once.
    more: u32,
}

/// What [`Coalescer::due`] finds.
#[derive(Debug, PartialEq, Eq)]
pub struct Due<K> {
    /// Kinds that came again within their window, and how often.
    pub repeated: Vec<(K, u32)>,
    /// Events of kinds that found no room.
    pub overflow: u32,
}

impl<K: Ord + Clone> Coalescer<K> {
    /// Nothing is counted yet.
    pub const fn new() -> Self {
        Self {
            state: Mutex::new(State {
                windows: BTreeMap::new(),
                overflow: 0,
            }),
        }
    }

    /// Counts an event. True if it must be logged now: it is the first of its kind in this window.
    pub fn is_first(&self, key: K, now: Timestamp) -> bool {
        let mut state = self.state.lock();
        if let Some(window) = state.windows.get_mut(&key) {
            window.more = window.more.saturating_add(1);
            return false;
        }
        if state.windows.len() >= KINDS {
            state.overflow = state.overflow.saturating_add(1);
            return false;
        }
        state.windows.insert(key, Window { since: now, more: 0 });
        true
    }

    /// Takes the counts whose window is over, or all of them where `all` is set, as at shutdown.
    pub fn due(&self, now: Timestamp, all: bool) -> Due<K> {
        let mut state = self.state.lock();
        let over = |window: &Window| all || now - window.since >= WINDOW;
        let keys: Vec<_> = state
            .windows
            .iter()
            .filter(|(_, window)| over(window))
            .map(|(key, window)| (key.clone(), window.more))
            .collect();
        for (key, _) in &keys {
            state.windows.remove(key);
        }
        Due {
            repeated: keys.into_iter().filter(|(_, more)| *more > 0).collect(),
            overflow: if state.windows.len() < KINDS {
                std::mem::take(&mut state.overflow)
            } else {
                0
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::default() + TimeDelta::seconds(seconds)
    }

    #[test]
    fn the_first_is_logged_at_once_and_the_rest_once_a_minute() {
        let counts = Coalescer::new();
        assert!(counts.is_first("jane", at(0)));
        for second in 1..60 {
            assert!(!counts.is_first("jane", at(second)));
            assert_eq!(counts.due(at(second), false).repeated, []);
        }
        assert!(counts.is_first("omar", at(59)));
        assert_eq!(counts.due(at(60), false).repeated, [("jane", 59)]);
        assert!(counts.is_first("jane", at(60)), "a new window");
        assert_eq!(counts.due(at(119), false).repeated, [], "omar came once");
        assert!(!counts.is_first("jane", at(119)));
        assert_eq!(counts.due(at(119), true).repeated, [("jane", 1)], "at shutdown");
    }

    #[test]
    fn many_kinds_are_bounded_and_none_is_lost_count_of() {
        let counts = Coalescer::new();
        let logged = (0..KINDS + 50).filter(|kind| counts.is_first(*kind, at(0))).count();
        assert_eq!(logged, KINDS);
        assert_eq!(counts.due(at(60), false).overflow, 50);
        assert!(counts.is_first(KINDS + 1, at(60)));
    }
}
