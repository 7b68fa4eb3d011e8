//! The chain of events: each carries a hash over itself and the hash of the one before it, and the log keeps the last one, its
//! head. What this proves, and to whom:
//!
//! * Alone: whoever changes, adds or removes an event in the middle breaks the chain at that place. Whoever can write the database
//!   can also remove the last events and set the head back, or compute every hash again: then the chain is consistent.
//! * With a head that was kept elsewhere (the server's journal has one each hour): nothing up to that event was changed, added or
//!   removed. This also finds events that were removed at the end.
//! * With [`Checkpoint`]s: the same up to the newest checkpoint, for whoever has the key. Who can write the database but does not
//!   have the key can only remove checkpoints, from the newest one on, together with the events since the one before.

use std::{collections::HashMap, fmt, sync::Arc};

use hmac::{Hmac, KeyInit, Mac};
use session::{SessionId, Timestamp};
use sha2::{Digest, Sha256};

use crate::{Result, StoreError, values::micros};

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

/// The end of the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Number of the last event; 0 before the first.
    pub number: u64,
    /// Its hash.
    pub hash: Hash,
}

/// A head that was signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The head.
    pub head: Head,
    /// When it was signed.
    pub at: Timestamp,
    /// The signature.
    pub mac: Hash,
}

/// A key that signs heads: HMAC-SHA-256.
#[derive(Clone)]
pub struct Key(Arc<[u8]>);

impl Key {
    /// Shortest key, in bytes: as long as the hash.
    pub const SHORTEST: usize = 32;

    /// A key; `None` where it is too short.
    pub fn new(bytes: &[u8]) -> Option<Self> {
        (bytes.len() >= Self::SHORTEST).then(|| Self(bytes.into()))
    }

    /// Signs a head.
    pub fn sign(&self, head: Head, at: Timestamp) -> Result<Checkpoint> {
        let mac = self.mac(head, at)?.finalize().into_bytes().into();
        Ok(Checkpoint { head, at, mac })
    }

    /// Was the checkpoint made with this key?
    pub fn verifies(&self, checkpoint: &Checkpoint) -> bool {
        let mac = self.mac(checkpoint.head, checkpoint.at);
        mac.is_ok_and(|mac| mac.verify_slice(&checkpoint.mac).is_ok())
    }

    fn mac(&self, head: Head, at: Timestamp) -> Result<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0)
            .map_err(|_| StoreError::Corrupt("the key of the checkpoints".into()))?;
        // All but the first part have a fixed length, so no two heads are the same bytes.
        mac.update(b"cloud-delivery checkpoint 1");
        mac.update(&head.number.to_be_bytes());
        mac.update(&head.hash);
        mac.update(&micros(at).to_be_bytes());
        Ok(mac)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Key(…)")
    }
}

/// A hash in hexadecimal.
pub fn hex(hash: &Hash) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The hash of 64 hexadecimal digits.
pub fn parse_hex(text: &str) -> Option<Hash> {
    let mut hash = START;
    if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    for (place, byte) in hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * place..2 * place + 2], 16).ok()?;
    }
    Some(hash)
}

/// What a check of the events found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// How many there are.
    pub events: u64,
    /// Number of the last one; 0 where there is none.
    pub last: u64,
    /// Hash of the last one, in hexadecimal.
    pub head: String,
    /// What is wrong, from the first place on that is; `None` = nothing.
    pub broken: Option<String>,
    /// For each of the hashes that were asked for, the event that has it.
    pub found: Vec<Option<u64>>,
}

/// Checks events one after the other, oldest first.
#[derive(Debug)]
pub struct Check<'a> {
    events: u64,
    last: (u64, Hash),
    broken: Option<String>,
    wanted: &'a [Hash],
    found: HashMap<Hash, Option<u64>>,
}

impl<'a> Check<'a> {
    /// A check that also looks for the events of these hashes.
    pub fn new(wanted: &'a [Hash]) -> Self {
        let found = wanted.iter().map(|hash| (*hash, (*hash == START).then_some(0)));
        Self {
            events: 0,
            last: (0, START),
            broken: None,
            wanted,
            found: found.collect(),
        }
    }

    /// The next event, as it is stored, with its number.
    pub fn next(&mut self, number: i64, event: &Link<'_>, hash: &[u8]) {
        self.events += 1;
        let expected = event.hash(&self.last.1);
        if self.broken.is_none() && hash != expected {
            self.broken = Some(format!(
                "event {number} ({}) is not what was written, or one before it is missing",
                event.kind
            ));
        }
        // From what is stored, so that the next one is judged by itself.
        let (hash, number) = (hash.try_into().unwrap_or(expected), number.unsigned_abs());
        self.last = (number, hash);
        if let Some(found) = self.found.get_mut(&hash) {
            *found = Some(number);
        }
    }

    /// After the last one: `head` is what the log says its hash is.
    pub fn end(self, head: &[u8]) -> Verified {
        let (last, hash) = self.last;
        let missing = hash != head;
        let found = |wanted: &Hash| self.found.get(wanted).copied().flatten();
        Verified {
            events: self.events,
            last,
            head: hex(&hash),
            found: self.wanted.iter().map(found).collect(),
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
            let mut check = Check::new(&[]);
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

    #[test]
    fn a_head_is_found_where_its_event_is() {
        let first = LINK.hash(&START);
        let second = LINK.hash(&first);
        let wanted = [second, [7; 32], START];
        let mut check = Check::new(&wanted);
        check.next(1, &LINK, &first);
        check.next(2, &LINK, &second);
        let verified = check.end(&second);
        assert_eq!((verified.last, verified.found), (2, vec![Some(2), None, Some(0)]));
    }

    #[test]
    fn a_checkpoint_is_verified_with_its_key_only_and_as_it_was_signed() {
        let key = Key::new(&[1; 32]).unwrap();
        let head = Head {
            number: 9,
            hash: [3; 32],
        };
        let signed = key.sign(head, Timestamp::UNIX_EPOCH).unwrap();
        assert!(key.verifies(&signed));
        assert!(!Key::new(&[2; 32]).unwrap().verifies(&signed));
        for forged in [
            Checkpoint {
                head: Head { number: 8, ..head },
                ..signed.clone()
            },
            Checkpoint {
                head: Head { hash: [4; 32], ..head },
                ..signed.clone()
            },
            Checkpoint {
                at: Timestamp::UNIX_EPOCH + chrono::TimeDelta::seconds(1),
                ..signed.clone()
            },
        ] {
            assert!(!key.verifies(&forged), "{forged:?}");
        }
        assert!(Key::new(&[1; 31]).is_none(), "too short");
        assert_eq!(format!("{key:?}"), "Key(…)");
    }

    #[test]
    fn a_hash_is_read_as_it_is_printed() {
        let hash = LINK.hash(&START);
        assert_eq!(parse_hex(&hex(&hash)), Some(hash));
        for text in ["", "00", &"g".repeat(64), &"é".repeat(32)] {
            assert_eq!(parse_hex(text), None, "{text}");
        }
    }
}
