//! Values on their way into columns and out of them: ids as 16 bytes, times as microseconds.

use std::{
    collections::{HashMap, HashSet},
    str::FromStr,
    sync::Arc,
};

use serde::{Serialize, de::DeserializeOwned};
use session::{Policy, Timestamp};
use sqlx::{Row as _, Sqlite, sqlite::SqliteRow};
use uuid::Uuid;

use crate::{Result, StoreError};

pub(super) const fn micros(at: Timestamp) -> i64 {
    at.timestamp_micros()
}

/// The moment as the store keeps it: to the microsecond.
pub(super) fn kept(at: Timestamp) -> Timestamp {
    Timestamp::from_timestamp_micros(micros(at)).unwrap_or(at)
}

pub(super) fn number(revision: u64) -> i64 {
    i64::try_from(revision).unwrap_or(i64::MAX)
}

pub(super) fn json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(corrupt)
}

/// Ids as a statement takes many of them: it reads this as JSON and undoes it with `unhex`.
pub(super) fn hex(ids: &[Uuid]) -> Vec<uuid::fmt::Simple> {
    ids.iter().map(|id| id.simple()).collect()
}

pub(super) fn corrupt(error: impl std::fmt::Display) -> StoreError {
    StoreError::Corrupt(error.to_string())
}

/// Values that many rows have in common, held once.
#[derive(Default)]
pub(super) struct Shared {
    texts: HashSet<Arc<str>>,
    policies: HashMap<String, Policy>,
}

impl Shared {
    fn text(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.texts.get(text) {
            return known.clone();
        }
        let new: Arc<str> = text.into();
        self.texts.insert(new.clone());
        new
    }

    pub(super) fn policy(&mut self, text: &str) -> Result<Policy> {
        if let Some(known) = self.policies.get(text) {
            return Ok(*known);
        }
        let new = serde_json::from_str(text).map_err(corrupt)?;
        self.policies.insert(text.to_owned(), new);
        Ok(new)
    }
}

/// Reads the columns of a row from left to right.
pub(super) struct Columns<'r> {
    row: &'r SqliteRow,
    next: usize,
}

impl<'r> Columns<'r> {
    pub(super) const fn of(row: &'r SqliteRow) -> Self {
        Self { row, next: 0 }
    }

    pub(super) fn value<T: sqlx::Decode<'r, Sqlite> + sqlx::Type<Sqlite>>(&mut self) -> Result<T> {
        let column = self.next;
        self.next += 1;
        Ok(self.row.try_get(column)?)
    }

    pub(super) fn id(&mut self) -> Result<Uuid> {
        Uuid::from_slice(self.value()?).map_err(corrupt)
    }

    pub(super) fn hash(&mut self) -> Result<[u8; 32]> {
        self.value::<&[u8]>()?.try_into().map_err(corrupt)
    }

    pub(super) fn time(&mut self) -> Result<Timestamp> {
        self.opt_time()?.ok_or_else(|| corrupt("a time is missing"))
    }

    pub(super) fn opt_time(&mut self) -> Result<Option<Timestamp>> {
        let Some(micros) = self.value::<Option<i64>>()? else {
            return Ok(None);
        };
        Timestamp::from_timestamp_micros(micros)
            .map(Some)
            .ok_or_else(|| corrupt(format!("the time {micros}")))
    }

    pub(super) fn text(&mut self, shared: &mut Shared) -> Result<Arc<str>> {
        Ok(shared.text(self.value()?))
    }

    pub(super) fn opt_text(&mut self, shared: &mut Shared) -> Result<Option<Arc<str>>> {
        Ok(self.value::<Option<&str>>()?.map(|text| shared.text(text)))
    }

    pub(super) fn parsed<T: FromStr<Err = String>>(&mut self) -> Result<T> {
        self.value::<&str>()?.parse().map_err(StoreError::Corrupt)
    }

    pub(super) fn opt_parsed<T: FromStr<Err = String>>(&mut self) -> Result<Option<T>> {
        self.value::<Option<&str>>()?
            .map(str::parse)
            .transpose()
            .map_err(StoreError::Corrupt)
    }

    pub(super) fn json<T: DeserializeOwned>(&mut self) -> Result<T> {
        serde_json::from_str(self.value()?).map_err(corrupt)
    }

    pub(super) fn revision(&mut self) -> Result<u64> {
        self.value::<i64>()?.try_into().map_err(corrupt)
    }
}
