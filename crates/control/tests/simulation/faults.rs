//! The current fault rates, and the time since the last fault.

use parking_lot::Mutex;
use tokio::time::{Duration, Instant};

use super::rng::Rng;

/// The rates of injected faults. A probability is in percent. A time is the longest possible delay,
/// in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FaultRates {
    /// Time: a call of the store is slow.
    pub store_slow: u64,
    /// Probability: a call of the store fails without an effect.
    pub store_fails: u64,
    /// Probability: a call of the store succeeds, but its answer is lost.
    pub store_loses_answer: u64,
    /// Time: a call of an environment is slow.
    pub environment_slow: u64,
    /// Probability: a call of an environment fails without an effect.
    pub environment_fails: u64,
    /// Probability: a call of an environment succeeds, but its answer is lost.
    pub environment_loses_answer: u64,
    /// Probability: a signal is lost.
    pub signals_lost: u64,
    /// Time: a signal is late, and so may arrive after later ones.
    pub signals_late: u64,
    /// Probability: an application never becomes ready, or fails to start.
    pub start_fails: u64,
}

impl FaultRates {
    /// No faults. Calls still take some milliseconds, so that they overlap.
    pub const CALM: Self = Self {
        store_slow: 4,
        store_fails: 0,
        store_loses_answer: 0,
        environment_slow: 20,
        environment_fails: 0,
        environment_loses_answer: 0,
        signals_lost: 0,
        signals_late: 2,
        start_fails: 0,
    };

    /// One of four sets of rates, from none to severe.
    pub fn random(rng: &mut Rng) -> Self {
        match rng.below(4) {
            0 => Self::CALM,
            1 => Self {
                store_slow: 40,
                environment_slow: 400,
                signals_late: 3_000,
                start_fails: 5,
                ..Self::CALM
            },
            2 => Self {
                store_fails: 8,
                store_loses_answer: 4,
                environment_fails: 10,
                environment_loses_answer: 5,
                signals_lost: 10,
                signals_late: 500,
                start_fails: 10,
                ..Self::CALM
            },
            _ => Self {
                store_slow: 1_500,
                store_fails: 25,
                store_loses_answer: 12,
                environment_slow: 5_000,
                environment_fails: 25,
                environment_loses_answer: 15,
                signals_lost: 30,
                signals_late: 8_000,
                start_fails: 20,
            },
        }
    }

    const fn is_calm(&self) -> bool {
        self.store_slow <= Self::CALM.store_slow
            && self.store_fails == 0
            && self.store_loses_answer == 0
            && self.environment_slow <= Self::CALM.environment_slow
            && self.environment_fails == 0
            && self.environment_loses_answer == 0
            && self.signals_lost == 0
            && self.signals_late <= Self::CALM.signals_late
    }
}

/// The current fault rates, and the moment of the last disturbance.
pub struct Faults(Mutex<(FaultRates, Instant)>);

impl Faults {
    /// Starts with these rates.
    pub fn new(rates: FaultRates) -> Self {
        Self(Mutex::new((rates, Instant::now())))
    }

    /// The current rates.
    pub fn rates(&self) -> FaultRates {
        self.0.lock().0
    }

    /// Changes the rates.
    pub fn set(&self, rates: FaultRates) {
        let mut now = self.0.lock();
        *now = (rates, now.1.max(Instant::now()));
    }

    /// Records another event from which a node has to recover, such as a crash.
    pub fn disturb(&self) {
        self.disturb_until(Instant::now());
    }

    /// Records a disturbance that lasts until this moment.
    pub fn disturb_until(&self, until: Instant) {
        let mut now = self.0.lock();
        now.1 = now.1.max(until);
    }

    /// The time since the last fault or disturbance.
    pub fn quiet_for(&self) -> Duration {
        let (rates, since) = *self.0.lock();
        if rates.is_calm() {
            Instant::now().saturating_duration_since(since)
        } else {
            Duration::ZERO
        }
    }
}
