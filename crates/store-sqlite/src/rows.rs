//! Values in columns: ids as 16 bytes, times as microseconds since 1970.

use std::{fmt::Display, str::FromStr, sync::Arc};

use serde::de::DeserializeOwned;
use session::Timestamp;
use sqlx::{Sqlite, sqlite::SqliteRow};
use store::{
    Result, StoreError,
    values::{Shared, corrupt},
};
use uuid::Uuid;

use crate::error::sql;

/// Ids as the parameter of a statement, which reads them as JSON and decodes them with `unhex`.
pub(crate) fn hex(ids: &[Uuid]) -> Vec<uuid::fmt::Simple> {
    ids.iter().map(|id| id.simple()).collect()
}

/// A row of sqlx, or of rusqlite ([`load`](crate::load)).
pub(crate) trait Row {
    fn integer(&self, column: usize) -> Result<Option<i64>>;
    fn text(&self, column: usize) -> Result<Option<&str>>;
    fn bytes(&self, column: usize) -> Result<Option<&[u8]>>;
}

impl Row for SqliteRow {
    fn integer(&self, column: usize) -> Result<Option<i64>> {
        sqlx::Row::try_get(self, column).map_err(sql)
    }

    fn text(&self, column: usize) -> Result<Option<&str>> {
        sqlx::Row::try_get(self, column).map_err(sql)
    }

    fn bytes(&self, column: usize) -> Result<Option<&[u8]>> {
        sqlx::Row::try_get(self, column).map_err(sql)
    }
}

/// Reads the columns of a row from left to right.
pub(crate) struct Columns<'r, R = SqliteRow> {
    row: &'r R,
    next: usize,
}

impl<'r> Columns<'r> {
    pub(crate) fn value<T: sqlx::Decode<'r, Sqlite> + sqlx::Type<Sqlite>>(&mut self) -> Result<T> {
        let column = self.column();
        sqlx::Row::try_get(self.row, column).map_err(sql)
    }

    pub(crate) fn hash(&mut self) -> Result<[u8; 32]> {
        self.value::<&[u8]>()?.try_into().map_err(corrupt)
    }

    pub(crate) fn opt_hash(&mut self) -> Result<Option<[u8; 32]>> {
        let bytes = self.value::<Option<&[u8]>>()?;
        bytes.map(|bytes| bytes.try_into().map_err(corrupt)).transpose()
    }

    pub(crate) fn json<T: DeserializeOwned>(&mut self) -> Result<T> {
        serde_json::from_str(self.value()?).map_err(corrupt)
    }
}

impl<'r, R: Row> Columns<'r, R> {
    pub(crate) const fn of(row: &'r R) -> Self {
        Self { row, next: 0 }
    }

    pub(crate) fn id(&mut self) -> Result<Uuid> {
        let bytes = self.row.bytes(self.column())?;
        Uuid::from_slice(bytes.ok_or_else(missing)?).map_err(corrupt)
    }

    pub(crate) fn time(&mut self) -> Result<Timestamp> {
        self.opt_time()?.ok_or_else(missing)
    }

    pub(crate) fn opt_time(&mut self) -> Result<Option<Timestamp>> {
        let Some(micros) = self.row.integer(self.column())? else {
            return Ok(None);
        };
        Timestamp::from_timestamp_micros(micros)
            .map(Some)
            .ok_or_else(|| corrupt(format!("the time {micros}")))
    }

    pub(crate) fn str(&mut self) -> Result<&'r str> {
        self.opt_str()?.ok_or_else(missing)
    }

    fn opt_str(&mut self) -> Result<Option<&'r str>> {
        self.row.text(self.column())
    }

    pub(crate) fn text(&mut self, shared: &mut Shared) -> Result<Arc<str>> {
        Ok(shared.text(self.str()?))
    }

    pub(crate) fn opt_text(&mut self, shared: &mut Shared) -> Result<Option<Arc<str>>> {
        Ok(self.opt_str()?.map(|text| shared.text(text)))
    }

    pub(crate) fn parsed<T: FromStr<Err: Display>>(&mut self) -> Result<T> {
        self.str()?.parse().map_err(corrupt)
    }

    pub(crate) fn opt_parsed<T: FromStr<Err: Display>>(&mut self) -> Result<Option<T>> {
        self.opt_str()?.map(str::parse).transpose().map_err(corrupt)
    }

    pub(crate) fn number<T: TryFrom<i64, Error: Display>>(&mut self) -> Result<T> {
        let number = self.row.integer(self.column())?;
        number.ok_or_else(missing)?.try_into().map_err(corrupt)
    }

    pub(crate) fn revision(&mut self) -> Result<u64> {
        self.number()
    }

    const fn column(&mut self) -> usize {
        let column = self.next;
        self.next += 1;
        column
    }
}

fn missing() -> StoreError {
    corrupt("a value is missing")
}
