//! Values as every database stores them: times to the microsecond, structures as JSON, repeated
//! texts held once.

use std::{
    collections::{HashMap, HashSet},
    fmt::Display,
    sync::Arc,
};

use serde::Serialize;
use session::{Policy, Timestamp};

use crate::{Result, StoreError};

/// A time as microseconds since 1970.
pub const fn micros(at: Timestamp) -> i64 {
    at.timestamp_micros()
}

/// A time without its nanoseconds, as a database gives it back.
pub fn truncate_to_micros(at: Timestamp) -> Timestamp {
    Timestamp::from_timestamp_micros(micros(at)).unwrap_or(at)
}

/// A revision or the number of an event, as the databases store it.
pub fn number(revision: u64) -> i64 {
    i64::try_from(revision).unwrap_or(i64::MAX)
}

/// A structure as JSON.
pub fn json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(corrupt)
}

/// The error of a stored value that can't be read.
pub fn corrupt(error: impl Display) -> StoreError {
    StoreError::Corrupt(error.to_string())
}

/// Values that many rows have in common, held once.
#[derive(Default)]
pub struct Shared {
    texts: HashSet<Arc<str>>,
    policies: HashMap<String, Policy>,
}

impl Shared {
    /// Returns the shared copy of this text.
    pub fn text(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.texts.get(text) {
            return known.clone();
        }
        let new: Arc<str> = text.into();
        self.texts.insert(new.clone());
        new
    }

    /// A policy, from its JSON.
    pub fn policy(&mut self, json: &str) -> Result<Policy> {
        if let Some(known) = self.policies.get(json) {
            return Ok(*known);
        }
        let new = serde_json::from_str(json).map_err(corrupt)?;
        self.policies.insert(json.to_owned(), new);
        Ok(new)
    }
}
