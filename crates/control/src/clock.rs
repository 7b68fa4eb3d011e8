//! The only source of time here: whoever makes a [`crate::Control`] passes a clock in.

use parking_lot::Mutex;
use session::Timestamp;

/// Tells the time of day. Deadlines, ages and limits are counted with it; short waits (grace, back-off) use the
/// runtime's monotonic timers.
pub trait Clock: Send + Sync + 'static {
    /// Now, to the microsecond.
    fn now(&self) -> Timestamp;
}

/// A clock that stands still until it is moved: for tests.
pub struct ManualClock(Mutex<Timestamp>);

impl ManualClock {
    /// A clock that shows `start`.
    pub const fn new(start: Timestamp) -> Self {
        Self(Mutex::new(start))
    }

    /// Moves it, either way.
    pub fn advance(&self, by: chrono::TimeDelta) {
        *self.0.lock() += by;
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.0.lock()
    }
}
