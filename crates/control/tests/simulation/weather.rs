//! How faulty the world is right now, and since when it has been quiet.

use parking_lot::Mutex;
use tokio::time::{Duration, Instant};

use super::dice::Dice;

/// Chances are out of a hundred, times the most that may pass, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sky {
    /// A call of the store takes up to.
    pub store_slow: u64,
    /// A call of the store fails, and nothing is written.
    pub store_fails: u64,
    /// A call of the store is carried out, and the answer is lost.
    pub store_forgets: u64,
    /// A call of an environment takes up to.
    pub place_slow: u64,
    /// A call of an environment fails, and nothing is done.
    pub place_fails: u64,
    /// A call of an environment is carried out, and the answer is lost.
    pub place_forgets: u64,
    /// A signal never comes.
    pub signals_lost: u64,
    /// A signal is late by up to, and so behind others.
    pub signals_late: u64,
    /// An application never becomes ready, or fails to start.
    pub starts_badly: u64,
}

impl Sky {
    /// Nothing fails; calls only take a moment, so that they still meet.
    pub const CALM: Self = Self {
        store_slow: 4,
        store_fails: 0,
        store_forgets: 0,
        place_slow: 20,
        place_fails: 0,
        place_forgets: 0,
        signals_lost: 0,
        signals_late: 2,
        starts_badly: 0,
    };

    /// Some weather.
    pub fn draw(dice: &mut Dice) -> Self {
        match dice.below(4) {
            0 => Self::CALM,
            1 => Self {
                store_slow: 40,
                place_slow: 400,
                signals_late: 3_000,
                starts_badly: 5,
                ..Self::CALM
            },
            2 => Self {
                store_fails: 8,
                store_forgets: 4,
                place_fails: 10,
                place_forgets: 5,
                signals_lost: 10,
                signals_late: 500,
                starts_badly: 10,
                ..Self::CALM
            },
            _ => Self {
                store_slow: 1_500,
                store_fails: 25,
                store_forgets: 12,
                place_slow: 5_000,
                place_fails: 25,
                place_forgets: 15,
                signals_lost: 30,
                signals_late: 8_000,
                starts_badly: 20,
            },
        }
    }

    const fn is_calm(&self) -> bool {
        self.store_slow <= Self::CALM.store_slow
            && self.store_fails == 0
            && self.store_forgets == 0
            && self.place_slow <= Self::CALM.place_slow
            && self.place_fails == 0
            && self.place_forgets == 0
            && self.signals_lost == 0
            && self.signals_late <= Self::CALM.signals_late
    }
}

/// The weather.
pub struct Weather(Mutex<(Sky, Instant)>);

impl Weather {
    /// Begins like this.
    pub fn new(sky: Sky) -> Self {
        Self(Mutex::new((sky, Instant::now())))
    }

    /// What it is like.
    pub fn sky(&self) -> Sky {
        self.0.lock().0
    }

    /// Changes.
    pub fn turn(&self, sky: Sky) {
        let mut now = self.0.lock();
        *now = (sky, now.1.max(Instant::now()));
    }

    /// Something else happened from which a node has to recover.
    pub fn disturb(&self) {
        self.disturb_until(Instant::now());
    }

    /// The same, up to a moment.
    pub fn disturb_until(&self, until: Instant) {
        let mut now = self.0.lock();
        now.1 = now.1.max(until);
    }

    /// How long nothing has been wrong.
    pub fn quiet_for(&self) -> Duration {
        let (sky, since) = *self.0.lock();
        if sky.is_calm() {
            Instant::now().saturating_duration_since(since)
        } else {
            Duration::ZERO
        }
    }
}
