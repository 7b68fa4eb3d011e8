//! The clocks. No other file reads the time of the machine.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::SystemTime,
};

use chrono::{SubsecRound, TimeDelta};
use control::Clock;
use rustix::time::{ClockId, clock_gettime};
use serde::Deserialize;
use session::Timestamp;

/// Difference between the two clocks from which on it is logged.
const DIFFER: TimeDelta = TimeDelta::seconds(10);

/// The setting `clock`: the source of the server's time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Time {
    /// The machine's time at the start plus the time elapsed since. A system clock that is changed
    /// by hours then ends no session and removes no row.
    Steady,
    /// The machine's time as it is, jumps included.
    System,
}

impl std::str::FromStr for Time {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "steady" => Ok(Self::Steady),
            "system" => Ok(Self::System),
            other => Err(format!("“{other}” is neither steady nor system")),
        }
    }
}

impl Time {
    /// Its clock. A clock with a given start time is always steady.
    pub fn clock(self, start: Option<Timestamp>) -> std::sync::Arc<dyn Clock> {
        match (self, start) {
            (Self::System, None) => std::sync::Arc::new(SystemClock),
            (_, start) => std::sync::Arc::new(SteadyClock::starting_at(start.unwrap_or_else(|| SystemClock.now()))),
        }
    }
}

/// The machine's clock, with its jumps.
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "every Clock is based on this reading")]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        let micros = i64::try_from(since.as_micros()).unwrap_or(i64::MAX);
        Timestamp::from_timestamp_micros(micros).unwrap_or_default()
    }
}

/// See [`Time::Steady`]. It includes the time that the machine spends in sleep.
struct SteadyClock {
    started: Timestamp,
    booted: TimeDelta,
    differs: AtomicBool,
}

impl SteadyClock {
    fn starting_at(started: Timestamp) -> Self {
        Self {
            started,
            booted: since_boot(),
            differs: AtomicBool::new(false),
        }
    }
}

impl Clock for SteadyClock {
    fn now(&self) -> Timestamp {
        // The log stores microseconds. A finer time would differ from the same time read back.
        let now = (self.started + (since_boot() - self.booted)).trunc_subsecs(6);
        let ahead = SystemClock.now() - now;
        if ahead.abs() > DIFFER && !self.differs.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                seconds = ahead.num_seconds(),
                "the system clock was changed; the server ignores this until its next restart"
            );
        }
        now
    }
}

fn since_boot() -> TimeDelta {
    let time = clock_gettime(ClockId::Boottime);
    TimeDelta::seconds(time.tv_sec) + TimeDelta::nanoseconds(time.tv_nsec)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_steady_clock_goes_on_from_the_time_of_its_start_and_never_back() {
        let before = SystemClock.now();
        let clock = SteadyClock::starting_at(before);
        let times: Vec<_> = (0..1000).map(|_| clock.now()).collect();
        assert!(times[0] >= before && times[999] <= SystemClock.now() + TimeDelta::milliseconds(100));
        assert!(times.is_sorted());
        assert!(times.iter().all(|time| time.timestamp_subsec_nanos() % 1000 == 0));
    }
}
