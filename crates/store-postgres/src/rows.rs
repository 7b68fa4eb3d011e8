//! Values in columns. Times are `timestamptz`. PostgreSQL has no NUL in text, so that one character
//! is escaped.

use std::{borrow::Cow, fmt::Display, str::FromStr, sync::Arc};

use serde::de::DeserializeOwned;
use session::Timestamp;
use sqlx::{
    Decode, Encode, Postgres, Row as _, Type,
    encode::IsNull,
    error::BoxDynError,
    postgres::{PgArgumentBuffer, PgHasArrayType, PgRow, PgTypeInfo, PgValueFormat, PgValueRef, types::Oid},
};
use store::{
    Result,
    values::{Shared, corrupt, micros},
};
use uuid::Uuid;

use crate::error::sql;

/// 2000-01-01, the epoch of PostgreSQL, in microseconds since 1970.
const EPOCH: i64 = 946_684_800_000_000;
/// Comes before a digit that stands for a character: [`text`].
const ESCAPE: char = '\u{1a}';

/// A time as a parameter or a column, to the microsecond. Not with sqlx's feature, because that
/// turns on the clock of `chrono`. The OIDs are those of `timestamptz` and its array, which never
/// change.
#[derive(Clone, Copy)]
pub(crate) struct Moment(pub(crate) Timestamp);

impl Type<Postgres> for Moment {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(Oid(1184))
    }
}

impl PgHasArrayType for Moment {
    fn array_type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(Oid(1185))
    }
}

impl Encode<'_, Postgres> for Moment {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> std::result::Result<IsNull, BoxDynError> {
        <i64 as Encode<Postgres>>::encode_by_ref(&(micros(self.0) - EPOCH), buffer)
    }
}

impl<'r> Decode<'r, Postgres> for Moment {
    fn decode(value: PgValueRef<'r>) -> std::result::Result<Self, BoxDynError> {
        if value.format() != PgValueFormat::Binary {
            return Err("a time is read from prepared statements only".into());
        }
        let since = <i64 as Decode<Postgres>>::decode(value)?;
        since
            .checked_add(EPOCH)
            .and_then(Timestamp::from_timestamp_micros)
            .map(Self)
            .ok_or_else(|| format!("the time {since}").into())
    }
}

pub(crate) fn opt(at: Option<Timestamp>) -> Option<Moment> {
    at.map(Moment)
}

/// A text as it is stored: NUL and the escape itself become two characters.
pub(crate) fn text(plain: &str) -> Cow<'_, str> {
    if !plain.contains(['\0', ESCAPE]) {
        return Cow::Borrowed(plain);
    }
    let mut stored = String::with_capacity(plain.len() + 2);
    for letter in plain.chars() {
        match letter {
            '\0' => stored.extend([ESCAPE, '0']),
            ESCAPE => stored.extend([ESCAPE, '1']),
            letter => stored.push(letter),
        }
    }
    Cow::Owned(stored)
}

/// Undoes [`text`].
fn plain(stored: &str) -> Result<Cow<'_, str>> {
    if !stored.contains(ESCAPE) {
        return Ok(Cow::Borrowed(stored));
    }
    let mut plain = String::with_capacity(stored.len());
    let mut letters = stored.chars();
    while let Some(letter) = letters.next() {
        plain.push(match letter {
            ESCAPE => match letters.next() {
                Some('0') => '\0',
                Some('1') => ESCAPE,
                _ => return Err(corrupt("a text with an unknown escape")),
            },
            letter => letter,
        });
    }
    Ok(Cow::Owned(plain))
}

/// Reads the columns of a row from left to right.
pub(crate) struct Columns<'r> {
    row: &'r PgRow,
    next: usize,
}

impl<'r> Columns<'r> {
    pub(crate) const fn of(row: &'r PgRow) -> Self {
        Self { row, next: 0 }
    }

    pub(crate) fn value<T: Decode<'r, Postgres> + Type<Postgres>>(&mut self) -> Result<T> {
        let column = self.next;
        self.next += 1;
        self.row.try_get(column).map_err(sql)
    }

    pub(crate) fn id(&mut self) -> Result<Uuid> {
        self.value()
    }

    pub(crate) fn hash(&mut self) -> Result<[u8; 32]> {
        self.value::<&[u8]>()?.try_into().map_err(corrupt)
    }

    pub(crate) fn opt_hash(&mut self) -> Result<Option<[u8; 32]>> {
        let bytes = self.value::<Option<&[u8]>>()?;
        bytes.map(|bytes| bytes.try_into().map_err(corrupt)).transpose()
    }

    pub(crate) fn time(&mut self) -> Result<Timestamp> {
        Ok(self.value::<Moment>()?.0)
    }

    pub(crate) fn opt_time(&mut self) -> Result<Option<Timestamp>> {
        Ok(self.value::<Option<Moment>>()?.map(|moment| moment.0))
    }

    pub(crate) fn string(&mut self) -> Result<String> {
        Ok(plain(self.value()?)?.into_owned())
    }

    pub(crate) fn text(&mut self, shared: &mut Shared) -> Result<Arc<str>> {
        Ok(shared.text(&plain(self.value()?)?))
    }

    pub(crate) fn opt_text(&mut self, shared: &mut Shared) -> Result<Option<Arc<str>>> {
        let stored = self.value::<Option<&str>>()?;
        stored.map(|stored| Ok(shared.text(&plain(stored)?))).transpose()
    }

    pub(crate) fn parsed<T: FromStr<Err: Display>>(&mut self) -> Result<T> {
        self.value::<&str>()?.parse().map_err(corrupt)
    }

    pub(crate) fn opt_parsed<T: FromStr<Err: Display>>(&mut self) -> Result<Option<T>> {
        self.value::<Option<&str>>()?
            .map(str::parse)
            .transpose()
            .map_err(corrupt)
    }

    /// The text of a `json` column: the protocol transfers the text itself.
    pub(crate) fn json_text(&mut self) -> Result<&'r str> {
        let column = self.next;
        self.next += 1;
        self.row.try_get_unchecked(column).map_err(sql)
    }

    pub(crate) fn json<T: DeserializeOwned>(&mut self) -> Result<T> {
        serde_json::from_str(self.json_text()?).map_err(corrupt)
    }

    /// A count in a `bigint` that is never negative.
    pub(crate) fn count<T: TryFrom<i64, Error: std::fmt::Display>>(&mut self) -> Result<T> {
        self.value::<i64>()?.try_into().map_err(corrupt)
    }
}

#[cfg(test)]
mod tests;
