//! The source of time. The caller that opens a [`crate::Control`] passes a clock in.

use parking_lot::Mutex;
use session::Timestamp;

/// A clock for deadlines, ages and limits. Short waits (grace, back-off) use the runtime's
/// monotonic timers instead.
pub trait Clock: Send + Sync + 'static {
    /// Now, to the microsecond.
    fn now(&self) -> Timestamp;
}

/// A clock for tests. It moves only by [`ManualClock::advance`].
pub struct ManualClock(Mutex<Timestamp>);

impl ManualClock {
    /// A clock that shows `start`.
    pub const fn new(start: Timestamp) -> Self {
        Self(Mutex::new(start))
    }

    /// Moves the clock, forwards or backwards.
    pub fn advance(&self, by: chrono::TimeDelta) {
        *self.0.lock() += by;
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.0.lock()
    }
}
