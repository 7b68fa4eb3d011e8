//! The chain of events: each carries a hash over itself and the hash of the event before it, and
//! the log keeps the last hash, its head. Its proof has three strengths:
//!
//! * The chain alone: an event that is changed, added or removed in the middle breaks the chain at
//!   that place. But somebody with write access to the database can remove the last events and set
//!   the head back, or compute every hash again. Then the chain is consistent.
//! * With a head that was kept elsewhere (the server's journal has one each hour): nothing up to
//!   that event was changed, added or removed. This also finds events that were removed at the end.
//! * With [`Checkpoint`]s: the same up to the newest checkpoint, for everybody who has the key.
//!   Somebody with write access but without the key can only remove checkpoints, from the newest
//!   one on, together with the events since the one before.

use std::{collections::HashMap, fmt, sync::Arc};

use hmac::{Hmac, KeyInit, Mac};
use session::{SessionId, Timestamp};
use sha2::{Digest, Sha256};

use crate::{Result, StoreError, values::micros};

/// A SHA-256 hash.
pub type Hash = [u8; 32];

/// The hash before the first event.
pub const START: Hash = [0; 32];

/// An event as a database stores it.
#[derive(Clone, Copy, Debug)]
pub struct Link<'a> {
    /// The revision of its transaction.
    pub revision: i64,
    /// The session, if the event is about one.
    pub session_id: Option<SessionId>,
    /// Microseconds since 1970.
    pub at: i64,
    /// Code of its kind, [`session::EventKind::code`].
    pub kind: &'a str,
    /// The author, as JSON.
    pub actor: &'a str,
    /// The details, as JSON.
    pub what: &'a str,
}

impl Link<'_> {
    /// Its hash after `previous`. The length of each part is hashed too, so bytes can't move from
    /// one part to the next.
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
    /// The hash of that event.
    pub hash: Hash,
}

/// A signed head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Head that the signature covers.
    pub head: Head,
    /// The time of the signature.
    pub at: Timestamp,
    /// The signature: [`Key::sign`].
    pub mac: Hash,
}

/// A key that signs heads: HMAC-SHA-256.
#[derive(Clone)]
pub struct Key(Arc<[u8]>);

impl Key {
    /// The least length of a key, in bytes: that of the hash.
    pub const SHORTEST: usize = 32;

    /// A key; `None` if it is too short.
    pub fn new(bytes: &[u8]) -> Option<Self> {
        (bytes.len() >= Self::SHORTEST).then(|| Self(bytes.into()))
    }

    /// Signs a head.
    pub fn sign(&self, head: Head, at: Timestamp) -> Result<Checkpoint> {
        let mac = self.mac(head, at)?.finalize().into_bytes().into();
        Ok(Checkpoint { head, at, mac })
    }

    /// True if the checkpoint was signed with this key.
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

/// The result of a check of all events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Number of events in the chain.
    pub events: u64,
    /// Number of the last event; 0 if there is none.
    pub last: u64,
    /// Hash of the last event, in hexadecimal.
    pub head: String,
    /// The first fault; `None` if the chain is sound.
    pub broken: Option<String>,
    /// For each wanted hash, the number of its event.
    pub found: Vec<Option<u64>>,
}

/// A check that takes the events one by one, oldest first.
#[derive(Debug)]
pub struct Check<'a> {
    events: u64,
    last: (u64, Hash),
    broken: Option<String>,
    wanted: &'a [Hash],
    found: HashMap<Hash, Option<u64>>,
}

impl<'a> Check<'a> {
    /// A check that also searches for the events of these hashes.
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

    /// Checks the next event, with its number and its stored hash.
    pub fn next(&mut self, number: i64, event: &Link<'_>, hash: &[u8]) {
        self.events += 1;
        let expected = event.hash(&self.last.1);
        if self.broken.is_none() && hash != expected {
            self.broken = Some(format!(
                "event {number} ({}) is not what was written, or one before it is missing",
                event.kind
            ));
        }
        // Goes on from the stored hash, so that one fault is not found again at each later event.
        let (hash, number) = (hash.try_into().unwrap_or(expected), number.unsigned_abs());
        self.last = (number, hash);
        if let Some(found) = self.found.get_mut(&hash) {
            *found = Some(number);
        }
    }

    /// Ends the check; `head` is the last hash according to the log.
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

/// The head as the log stores it.
pub fn head(stored: &[u8]) -> Result<Hash> {
    stored
        .try_into()
        .map_err(|_| StoreError::Corrupt("the hash of the last event".into()))
}

#[cfg(test)]
mod tests;
