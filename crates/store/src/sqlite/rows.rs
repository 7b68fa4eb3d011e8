//! Values on their way into columns and out of them: ids as 16 bytes, times as microseconds.

use std::{str::FromStr, sync::Arc};

use serde::de::DeserializeOwned;
use session::Timestamp;
use sqlx::{Row as _, Sqlite, sqlite::SqliteRow};
use uuid::Uuid;

use crate::{
    Result, StoreError,
    values::{Shared, corrupt},
};

/// Ids as a statement takes many of them: it reads this as JSON and undoes it with `unhex`.
pub(super) fn hex(ids: &[Uuid]) -> Vec<uuid::fmt::Simple> {
    ids.iter().map(|id| id.simple()).collect()
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
