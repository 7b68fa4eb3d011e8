//! Random numbers: every random choice of a run comes from its seed.

use std::time::Duration;

use rand::{RngExt, SeedableRng, rngs::StdRng};

/// A stream of random numbers.
pub struct Rng(StdRng);

impl Rng {
    /// The stream `name` of a seed. Each part of the world has its own stream, so that the draws of
    /// one part do not affect another.
    pub fn new(seed: u64, name: u64) -> Self {
        Self(StdRng::seed_from_u64(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ name))
    }

    /// A number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.0.random_range(0..end)
    }

    /// True with this probability, in percent.
    pub fn percent(&mut self, chance: u64) -> bool {
        chance > 0 && self.below(100) < chance
    }

    /// A duration of at most this many milliseconds.
    pub fn millis(&mut self, most: u64) -> Duration {
        Duration::from_millis(self.below(most + 1))
    }

    /// One of these values.
    pub fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.small(of.len())]
    }

    /// An index below `end`.
    pub fn small(&mut self, end: usize) -> usize {
        self.0.random_range(0..end)
    }
}
