//! Slows down who guesses passwords. Only failures count, which is what the rate-limiting crates can't do: they charge
//! every attempt, and a class that signs in at nine o'clock shares one address.

use std::collections::HashMap;

use chrono::TimeDelta;
use parking_lot::Mutex;
use session::Timestamp;

/// How patient a key is.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Failures that cost nothing.
    pub free: u32,
    /// Longest wait between two attempts, in seconds.
    pub longest: i64,
}

/// One name: whoever mistypes a password six times waits, then twice as long each time.
pub const NAME: Patience = Patience { free: 5, longest: 300 };
/// One address: a whole campus may be behind it, so it only takes the speed out of trying many names.
pub const ADDRESS: Patience = Patience { free: 100, longest: 5 };

/// Who is slowed down: a key, and its patience.
pub type Key<'a> = (&'a str, Patience);

/// Failures older than this are forgotten, in seconds.
const FORGOTTEN: i64 = 3600;
/// Most keys kept; beyond it the forgotten ones go.
const KEYS: usize = 10_000;

/// Failures by key (a username, an address).
#[derive(Default)]
pub struct Throttle(Mutex<HashMap<String, (u32, Timestamp)>>);

impl Throttle {
    /// Seconds until an attempt with all of these keys is allowed; `None` = now.
    pub fn wait(&self, keys: &[Key<'_>], now: Timestamp) -> Option<u32> {
        let failures = self.0.lock();
        let waits = keys.iter().filter_map(|(key, patience)| {
            let (count, last) = failures.get(*key)?;
            let doubled = 1_i64 << count.checked_sub(patience.free)?.min(10);
            let left = *last + TimeDelta::seconds(doubled.min(patience.longest)) - now;
            u32::try_from((left.num_milliseconds() + 999) / 1000)
                .ok()
                .filter(|seconds| *seconds > 0)
        });
        waits.max()
    }

    /// Notes a failure.
    pub fn failed(&self, keys: &[Key<'_>], now: Timestamp) {
        let mut failures = self.0.lock();
        if failures.len() > KEYS {
            failures.retain(|_, (_, last)| now - *last < TimeDelta::seconds(FORGOTTEN));
        }
        for (key, _) in keys {
            let entry = failures.entry((*key).to_owned()).or_insert((0, now));
            if now - entry.1 > TimeDelta::seconds(FORGOTTEN) {
                entry.0 = 0;
            }
            *entry = (entry.0 + 1, now);
        }
    }

    /// Forgets a key after a success.
    pub fn succeeded(&self, key: &str) {
        self.0.lock().remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sixth_failure_waits_and_each_one_more_twice_as_long() {
        let throttle = Throttle::default();
        let mut now = chrono::DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let (jane, home) = (("jane", NAME), ("10.0.0.1", ADDRESS));
        for _ in 0..4 {
            throttle.failed(&[jane, home], now);
            assert_eq!(throttle.wait(&[jane, home], now), None);
        }
        for seconds in [1, 2, 4, 8] {
            throttle.failed(&[jane, home], now);
            assert_eq!(throttle.wait(&[jane, home], now), Some(seconds));
            assert_eq!(
                throttle.wait(&[("omar", NAME), home], now),
                None,
                "a neighbour is not slowed"
            );
            now += TimeDelta::seconds(i64::from(seconds));
            assert_eq!(throttle.wait(&[jane, home], now), None);
        }
        throttle.succeeded("jane");
        throttle.failed(&[jane], now);
        assert_eq!(throttle.wait(&[jane], now), None);
    }

    #[test]
    fn an_address_that_tries_many_names_is_slowed_but_never_shut_out() {
        let throttle = Throttle::default();
        let now = chrono::DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let home = ("10.0.0.1", ADDRESS);
        for number in 0..1000 {
            throttle.failed(&[(&format!("name{number}"), NAME), home], now);
        }
        assert_eq!(throttle.wait(&[("jane", NAME), home], now), Some(5));
    }
}
