//! Slows down password guessing without locking out an account.
//!
//! Failures are counted by pair (account name and network) and by network. So guesses from one
//! network never delay the account on another one, and
//! [`Control::sign_in`](crate::Control::sign_in) exempts pairs with an earlier sign-in. An attempt
//! counts as a failure when it begins, and success takes it back: a client that hangs up has used
//! its attempt.
//!
//! Rate-limiting crates also charge successes, and a class that signs in at nine o'clock shares one
//! address. The maps are of the crate `lru`, so memory stays bounded under any input.

use std::{net::IpAddr, num::NonZeroUsize, sync::Arc};

use chrono::TimeDelta;
use lru::LruCache;
use parking_lot::Mutex;
use session::{Timestamp, query::fold};

/// Failures of a pair without a wait. Each further failure doubles the wait.
const FREE_FAILURES: u32 = 5;
/// The longest wait of a pair, in seconds.
const MAX_WAIT: i64 = 300;
/// Failures of a pair are forgotten after this time.
const FORGET_AFTER: TimeDelta = TimeDelta::hours(1);
/// Failures that a network may have in a burst: a whole campus may share one address.
const BURST: f64 = 100.0;
/// Further failures that a network may have, per second.
const REFILL: f64 = 1.0;
/// Pairs, and networks, in memory. The least recently used ones are dropped. About 200 bytes each.
const CAPACITY: NonZeroUsize = match NonZeroUsize::new(20_000) {
    Some(capacity) => capacity,
    None => NonZeroUsize::MIN,
};
/// Length of the longest account name, in characters. A sign-in with a longer name is refused
/// before it uses any memory.
pub const MAX_NAME_CHARS: usize = 100;

/// The network of an address: an IPv4 address itself, the /64 of an IPv6 address, which one
/// customer has.
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
    /// A pair with a typed name. Names compare without case.
    pub fn new(username: &str, network: Arc<str>) -> Self {
        Self {
            name: fold(username).into(),
            network,
        }
    }

    /// The network of the pair.
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
            pairs: Mutex::new(LruCache::new(CAPACITY)),
            networks: Mutex::new(LruCache::new(CAPACITY)),
        }
    }

    /// Seconds until the next attempt is allowed; `None` = now.
    pub fn wait(&self, pair: &Pair, now: Timestamp) -> Option<u32> {
        let of_pair = self.pairs.lock().peek(pair).and_then(|failures| {
            let doubled = 1_i64 << failures.count.checked_sub(FREE_FAILURES)?.min(10);
            let left = failures.last + TimeDelta::seconds(doubled.min(MAX_WAIT)) - now;
            u32::try_from((left.num_milliseconds() + 999) / 1000).ok()
        });
        let of_network = self.networks.lock().get_mut(&pair.network).and_then(|bucket| {
            bucket.refill(now);
            (bucket.left < 1.0).then_some(1)
        });
        of_pair.max(of_network).filter(|seconds| *seconds > 0)
    }

    /// Counts an attempt as failed when it begins.
    pub fn begin(&self, pair: &Pair, now: Timestamp) {
        let mut pairs = self.pairs.lock();
        let failures = pairs.get_or_insert_mut(pair.clone(), || Failures { count: 0, last: now });
        if now - failures.last > FORGET_AFTER {
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

    /// Records a success: forgets the failures of the pair, and gives the attempt back to its
    /// network.
    pub fn succeeded(&self, pair: &Pair) {
        self.pairs.lock().pop(pair);
        self.give_back(pair);
    }

    /// Takes back an attempt whose password was not checked.
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

    /// Forgets the failures of an account on all networks.
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
mod tests;
