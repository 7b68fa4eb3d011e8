//! Slows down password guessing without locking anybody out.
//!
//! Failures are counted by pairs of account name and network, and by network. So guesses from one network never delay the account
//! on another, and [`Control::sign_in`](crate::Control::sign_in) exempts pairs that signed in before. An attempt counts when it
//! begins and is taken back when it succeeds: a client that hangs up has used it.
//!
//! Rate-limiting crates charge successes as well, and a class that signs in at nine o'clock shares one address. The maps are the
//! crate `lru`, so memory stays bounded under any input.

use std::{net::IpAddr, num::NonZeroUsize, sync::Arc};

use chrono::TimeDelta;
use lru::LruCache;
use parking_lot::Mutex;
use session::{Timestamp, query::fold};

/// Failures of a pair that cost nothing; each one more doubles the wait.
const FREE: u32 = 5;
/// Longest wait of a pair, in seconds.
const LONGEST: i64 = 300;
/// Failures of a pair older than this are forgotten.
const FORGOTTEN: TimeDelta = TimeDelta::hours(1);
/// Failures that a network may have at once: a whole campus may be behind one address.
const BURST: f64 = 100.0;
/// Further failures of a network, per second.
const REFILL: f64 = 1.0;
/// Pairs and networks that are remembered; the least recently used ones are dropped. About 200 bytes each.
const KEPT: NonZeroUsize = match NonZeroUsize::new(20_000) {
    Some(kept) => kept,
    None => NonZeroUsize::MIN,
};
/// Longest account name, in characters. A longer one belongs to nobody and is refused before anything is kept of it.
pub const MAX_NAME_CHARS: usize = 100;

/// An address as it is counted: IPv4 by address, IPv6 by /64, which is what one customer has.
pub fn network(address: IpAddr) -> Arc<str> {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string().into(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{}/64", std::net::Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0)).into()
        }
    }
}

/// An account name and a network.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pair {
    name: Arc<str>,
    network: Arc<str>,
}

impl Pair {
    /// Of a name as it was typed. Names compare without case.
    pub fn new(username: &str, network: Arc<str>) -> Self {
        Self {
            name: fold(username).into(),
            network,
        }
    }

    /// The network.
    pub fn network(&self) -> &str {
        &self.network
    }
}

struct Failures {
    count: u32,
    last: Timestamp,
}

/// A token bucket.
struct Bucket {
    left: f64,
    at: Timestamp,
}

impl Bucket {
    fn refill(&mut self, now: Timestamp) {
        let seconds = (now - self.at).as_seconds_f64().max(0.0);
        self.left = seconds.mul_add(REFILL, self.left).min(BURST);
        self.at = now;
    }
}

/// Failed sign-ins on this node.
pub struct Throttle {
    pairs: Mutex<LruCache<Pair, Failures>>,
    networks: Mutex<LruCache<Arc<str>, Bucket>>,
}

impl Throttle {
    /// No failures yet.
    pub fn new() -> Self {
        Self {
            pairs: Mutex::new(LruCache::new(KEPT)),
            networks: Mutex::new(LruCache::new(KEPT)),
        }
    }

    /// Seconds until the next attempt is allowed; `None` = now.
    pub fn wait(&self, pair: &Pair, now: Timestamp) -> Option<u32> {
        let of_pair = self.pairs.lock().peek(pair).and_then(|failures| {
            let doubled = 1_i64 << failures.count.checked_sub(FREE)?.min(10);
            let left = failures.last + TimeDelta::seconds(doubled.min(LONGEST)) - now;
            u32::try_from((left.num_milliseconds() + 999) / 1000).ok()
        });
        let of_network = self.networks.lock().get_mut(&pair.network).and_then(|bucket| {
            bucket.refill(now);
            (bucket.left < 1.0).then_some(1)
        });
        of_pair.max(of_network).filter(|seconds| *seconds > 0)
    }

    /// Counts an attempt as failed, when it begins.
    pub fn begin(&self, pair: &Pair, now: Timestamp) {
        let mut pairs = self.pairs.lock();
        let failures = pairs.get_or_insert_mut(pair.clone(), || Failures { count: 0, last: now });
        if now - failures.last > FORGOTTEN {
            failures.count = 0;
        }
        failures.count = failures.count.saturating_add(1);
        failures.last = now;
        drop(pairs);
        let mut networks = self.networks.lock();
        let bucket = networks.get_or_insert_mut(pair.network.clone(), || Bucket { left: BURST, at: now });
        bucket.refill(now);
        bucket.left = (bucket.left - 1.0).max(0.0);
    }

    /// Forgets the failures of a pair, and gives the attempt back to its network: it succeeded.
    pub fn succeeded(&self, pair: &Pair) {
        self.pairs.lock().pop(pair);
        self.give_back(pair);
    }

    /// Takes an attempt back whose password was not checked.
    pub fn cancelled(&self, pair: &Pair) {
        if let Some(failures) = self.pairs.lock().get_mut(pair) {
            failures.count = failures.count.saturating_sub(1);
        }
        self.give_back(pair);
    }

    fn give_back(&self, pair: &Pair) {
        if let Some(bucket) = self.networks.lock().get_mut(&pair.network) {
            bucket.left = (bucket.left + 1.0).min(BURST);
        }
    }

    /// Forgets all failures of an account.
    pub fn unlock(&self, username: &str) {
        let name = fold(username);
        let mut pairs = self.pairs.lock();
        let of_account: Vec<_> = pairs
            .iter()
            .filter(|(pair, _)| *pair.name == *name)
            .map(|(pair, _)| pair.clone())
            .collect();
        for pair in of_account {
            pairs.pop(&pair);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start() -> Timestamp {
        chrono::DateTime::from_timestamp(1_800_000_000, 0).unwrap()
    }

    fn pair(name: &str, address: &str) -> Pair {
        Pair::new(name, network(address.parse().unwrap()))
    }

    #[test]
    fn the_sixth_failure_waits_and_each_one_more_twice_as_long() {
        let throttle = Throttle::new();
        let mut now = start();
        let jane = pair("jane", "10.0.0.1");
        for _ in 0..4 {
            throttle.begin(&jane, now);
            assert_eq!(throttle.wait(&jane, now), None);
        }
        for seconds in [1, 2, 4, 8] {
            throttle.begin(&jane, now);
            assert_eq!(throttle.wait(&jane, now), Some(seconds));
            assert_eq!(
                throttle.wait(&pair("omar", "10.0.0.1"), now),
                None,
                "a neighbour is not delayed"
            );
            assert_eq!(
                throttle.wait(&pair("jane", "10.0.0.2"), now),
                None,
                "nor jane elsewhere"
            );
            now += TimeDelta::seconds(i64::from(seconds));
            assert_eq!(throttle.wait(&jane, now), None);
        }
        throttle.succeeded(&jane);
        throttle.begin(&jane, now);
        assert_eq!(throttle.wait(&jane, now), None);
    }

    #[test]
    fn a_name_is_one_whatever_its_case_and_unlocking_it_forgets_its_failures_everywhere() {
        let throttle = Throttle::new();
        for address in ["10.0.0.1", "10.0.0.2"] {
            for _ in 0..9 {
                throttle.begin(&pair("JANE", address), start());
            }
            assert!(throttle.wait(&pair("jane", address), start()).is_some());
        }
        throttle.unlock("Jane");
        for address in ["10.0.0.1", "10.0.0.2"] {
            assert_eq!(throttle.wait(&pair("jane", address), start()), None);
        }
    }

    #[test]
    fn a_network_that_tries_many_names_is_slowed_and_recovers() {
        let throttle = Throttle::new();
        let mut now = start();
        for number in 0..100 {
            assert_eq!(throttle.wait(&pair(&format!("name{number}"), "10.0.0.1"), now), None);
            throttle.begin(&pair(&format!("name{number}"), "10.0.0.1"), now);
        }
        assert_eq!(throttle.wait(&pair("jane", "10.0.0.1"), now), Some(1));
        assert_eq!(throttle.wait(&pair("jane", "10.0.0.2"), now), None);
        now += TimeDelta::seconds(1);
        assert_eq!(throttle.wait(&pair("jane", "10.0.0.1"), now), None);
        throttle.begin(&pair("jane", "10.0.0.1"), now);
        throttle.succeeded(&pair("jane", "10.0.0.1"));
        assert_eq!(
            throttle.wait(&pair("omar", "10.0.0.1"), now),
            None,
            "a success costs nothing"
        );
    }

    #[test]
    fn an_ipv6_customer_is_one_network_and_a_mapped_ipv4_address_is_itself() {
        let of = |address: &str| network(address.parse().unwrap());
        assert_eq!(&*of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::1"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(&*of("::ffff:192.0.2.7"), "192.0.2.7");
    }

    #[test]
    fn memory_is_bounded() {
        let throttle = Throttle::new();
        for number in 0..KEPT.get() + 100 {
            throttle.begin(&pair(&format!("name{number}"), "10.0.0.1"), start());
        }
        assert_eq!(throttle.pairs.lock().len(), KEPT.get());
    }
}
