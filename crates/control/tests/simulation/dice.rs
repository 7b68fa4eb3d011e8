//! All chance of a simulation comes from its seed.

use std::time::Duration;

use rand::{RngExt, SeedableRng, rngs::StdRng};

/// A stream of chance.
pub struct Dice(StdRng);

impl Dice {
    /// The stream of this name under a seed. Each part of the world throws its own, so that one part's throws move no other's.
    pub fn new(seed: u64, name: u64) -> Self {
        Self(StdRng::seed_from_u64(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ name))
    }

    /// From 0 up to, not including, `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.0.random_range(0..end)
    }

    /// True so many times in a hundred.
    pub fn percent(&mut self, chance: u64) -> bool {
        chance > 0 && self.below(100) < chance
    }

    /// Some time, up to so many milliseconds.
    pub fn millis(&mut self, most: u64) -> Duration {
        Duration::from_millis(self.below(most + 1))
    }

    /// One of these.
    pub fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.small(of.len())]
    }

    /// From 0 up to, not including, `end`.
    pub fn small(&mut self, end: usize) -> usize {
        self.0.random_range(0..end)
    }
}
