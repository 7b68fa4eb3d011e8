//! The chain of events: each carries a hash over itself and the hash of the one before it, and the log keeps the last one.
//! Whoever changes, adds or removes an event afterwards breaks the chain at that place; who can rewrite the whole database
//! can rewrite the chain as well, so keep its head somewhere else too (`cloud-delivery events verify` prints it).

use session::SessionId;
use sha2::{Digest, Sha256};

use crate::{Result, StoreError};

/// SHA-256.
pub type Hash = [u8; 32];

/// What stands before the first event.
pub const START: Hash = [0; 32];

/// An event as it is stored.
#[derive(Clone, Copy, Debug)]
pub struct Link<'a> {
    /// The log's revision that it belongs to.
    pub revision: i64,
    /// Which session, if it is about one.
    pub session_id: Option<SessionId>,
    /// Microseconds since 1970.
    pub at: i64,
    /// The word for its kind.
    pub kind: &'a str,
    /// Who, as JSON.
    pub actor: &'a str,
    /// What, as JSON.
    pub what: &'a str,
}

impl Link<'_> {
    /// Its hash after `previous`. Every part is preceded by its length, so none can lend letters to its neighbour.
    pub fn hash(&self, previous: &Hash) -> Hash {
        let session = self.session_id.map(|id| *id.0.as_bytes());
        let mut hasher = Sha256::new_with_prefix(previous);
        for part in [
            &self.revision.to_be_bytes()[..],
            session.as_ref().map_or(&[][..], |id| &id[..]),
            &self.at.to_be_bytes()[..],
            self.kind.as_bytes(),
            self.actor.as_bytes(),
            self.what.as_bytes(),
        ] {
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part);
        }
        hasher.finalize().into()
    }
}

/// What a check of the events found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// How many there are.
    pub events: u64,
    /// Hash of the last one, in hexadecimal.
    pub head: String,
    /// What is wrong, from the first place on that is; `None` = nothing.
    pub broken: Option<String>,
}

/// Checks events one after the other, oldest first.
#[derive(Debug)]
pub struct Check {
    events: u64,
    last: Hash,
    broken: Option<String>,
}

impl Default for Check {
    fn default() -> Self {
        Self {
            events: 0,
            last: START,
            broken: None,
        }
    }
}

impl Check {
    /// The next event, as it is stored, with its number.
    pub fn next(&mut self, number: i64, event: &Link<'_>, hash: &[u8]) {
        self.events += 1;
        let expected = event.hash(&self.last);
        if self.broken.is_none() && hash != expected {
            self.broken = Some(format!(
                "event {number} ({}) is not what was written, or one before it is missing",
                event.kind
            ));
        }
        // From what is stored, so that the next one is judged by itself.
        self.last = hash.try_into().unwrap_or(expected);
    }

    /// After the last one: `head` is what the log says its hash is.
    pub fn end(self, head: &[u8]) -> Verified {
        let missing = self.last != head;
        Verified {
            events: self.events,
            head: self.last.iter().map(|byte| format!("{byte:02x}")).collect(),
            broken: self
                .broken
                .or_else(|| missing.then(|| "the last events are missing".to_owned())),
        }
    }
}

/// The hash that the log keeps.
pub fn head(stored: &[u8]) -> Result<Hash> {
    stored
        .try_into()
        .map_err(|_| StoreError::Corrupt("the hash of the last event".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINK: Link<'static> = Link {
        revision: 1,
        session_id: None,
        at: 5,
        kind: "ready",
        actor: "{}",
        what: "{}",
    };

    #[test]
    fn every_part_and_the_place_in_the_chain_count() {
        let hash = LINK.hash(&START);
        for other in [
            Link { revision: 2, ..LINK },
            Link {
                session_id: Some(SessionId(uuid::Uuid::nil())),
                ..LINK
            },
            Link { at: 6, ..LINK },
            Link {
                kind: "read",
                actor: "y{}",
                ..LINK
            },
            Link { actor: "[]", ..LINK },
            Link { what: "[]", ..LINK },
        ] {
            assert_ne!(other.hash(&START), hash, "{other:?}");
        }
        assert_ne!(LINK.hash(&hash), hash);
    }

    #[test]
    fn a_check_names_the_first_place_that_is_wrong() {
        let first = LINK.hash(&START);
        let second = LINK.hash(&first);
        let checked = |events: &[&Hash], head: &Hash| {
            let mut check = Check::default();
            for (number, hash) in (1..).zip(events) {
                check.next(number, &LINK, *hash);
            }
            check.end(head).broken
        };
        assert_eq!(checked(&[&first, &second], &second), None);
        assert_eq!(checked(&[], &START), None);
        assert!(checked(&[&second], &second).is_some_and(|text| text.contains("event 1")));
        assert!(checked(&[&first, &first], &first).is_some_and(|text| text.contains("event 2")));
        assert!(checked(&[&first], &second).is_some_and(|text| text.contains("last")));
    }
}
