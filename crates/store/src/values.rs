//! Values as every database keeps them: times to the microsecond, structures as JSON, texts that repeat held once.

use std::{
    collections::{HashMap, HashSet},
    fmt::Display,
    sync::Arc,
};

use serde::Serialize;
use session::{Policy, Timestamp};

use crate::{Result, StoreError};

pub(crate) const fn micros(at: Timestamp) -> i64 {
    at.timestamp_micros()
}

/// The moment as the store keeps it: to the microsecond.
pub(crate) fn truncate_to_micros(at: Timestamp) -> Timestamp {
    Timestamp::from_timestamp_micros(micros(at)).unwrap_or(at)
}

pub(crate) fn number(revision: u64) -> i64 {
    i64::try_from(revision).unwrap_or(i64::MAX)
}

pub(crate) fn json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(corrupt)
}

pub(crate) fn corrupt(error: impl Display) -> StoreError {
    StoreError::Corrupt(error.to_string())
}

/// Values that many rows have in common, held once.
#[derive(Default)]
pub(crate) struct Shared {
    texts: HashSet<Arc<str>>,
    policies: HashMap<String, Policy>,
}

impl Shared {
    pub(crate) fn text(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.texts.get(text) {
            return known.clone();
        }
        let new: Arc<str> = text.into();
        self.texts.insert(new.clone());
        new
    }

    pub(crate) fn policy(&mut self, json: &str) -> Result<Policy> {
        if let Some(known) = self.policies.get(json) {
            return Ok(*known);
        }
        let new = serde_json::from_str(json).map_err(corrupt)?;
        self.policies.insert(json.to_owned(), new);
        Ok(new)
    }
}
