//! The wall clock: the only place that reads it.

use std::time::SystemTime;

use control::Clock;
use session::Timestamp;

/// The time of this machine.
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the clock that everything else is given"
    )]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        let micros = i64::try_from(since.as_micros()).unwrap_or(i64::MAX);
        Timestamp::from_timestamp_micros(micros).unwrap_or_default()
    }
}
