//! Values on their way into columns and out of them. Times are `timestamptz`; text is text, but for one letter.

use std::{borrow::Cow, str::FromStr, sync::Arc};

use serde::de::DeserializeOwned;
use session::Timestamp;
use sqlx::{
    Decode, Encode, Postgres, Row as _, Type,
    encode::IsNull,
    error::BoxDynError,
    postgres::{PgArgumentBuffer, PgHasArrayType, PgRow, PgTypeInfo, PgValueFormat, PgValueRef, types::Oid},
};
use uuid::Uuid;

use crate::{
    Result, StoreError,
    values::{Shared, corrupt, micros},
};

/// 2000-01-01, where PostgreSQL starts to count, in microseconds since 1970.
const EPOCH: i64 = 946_684_800_000_000;
/// Stands before a digit that says which letter was meant: [`text`].
const ESCAPE: char = '\u{1a}';

/// A time as PostgreSQL takes it: to the microsecond. By hand, because sqlx's own way turns on the clock of `chrono`.
/// The numbers are those of `timestamptz` and its array, which are fixed.
#[derive(Clone, Copy)]
pub(super) struct Moment(pub(super) Timestamp);

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

pub(super) fn opt(at: Option<Timestamp>) -> Option<Moment> {
    at.map(Moment)
}

/// The text as it is stored: PostgreSQL has no NUL in text, so it and the escape itself are written as two letters.
pub(super) fn text(plain: &str) -> Cow<'_, str> {
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
                _ => return Err(corrupt("a text with an escape that means nothing")),
            },
            letter => letter,
        });
    }
    Ok(Cow::Owned(plain))
}

/// Reads the columns of a row from left to right.
pub(super) struct Columns<'r> {
    row: &'r PgRow,
    next: usize,
}

impl<'r> Columns<'r> {
    pub(super) const fn of(row: &'r PgRow) -> Self {
        Self { row, next: 0 }
    }

    pub(super) fn value<T: Decode<'r, Postgres> + Type<Postgres>>(&mut self) -> Result<T> {
        let column = self.next;
        self.next += 1;
        Ok(self.row.try_get(column)?)
    }

    pub(super) fn id(&mut self) -> Result<Uuid> {
        self.value()
    }

    pub(super) fn hash(&mut self) -> Result<[u8; 32]> {
        self.value::<&[u8]>()?.try_into().map_err(corrupt)
    }

    pub(super) fn time(&mut self) -> Result<Timestamp> {
        Ok(self.value::<Moment>()?.0)
    }

    pub(super) fn opt_time(&mut self) -> Result<Option<Timestamp>> {
        Ok(self.value::<Option<Moment>>()?.map(|moment| moment.0))
    }

    pub(super) fn string(&mut self) -> Result<String> {
        Ok(plain(self.value()?)?.into_owned())
    }

    pub(super) fn text(&mut self, shared: &mut Shared) -> Result<Arc<str>> {
        Ok(shared.text(&plain(self.value()?)?))
    }

    pub(super) fn opt_text(&mut self, shared: &mut Shared) -> Result<Option<Arc<str>>> {
        let stored = self.value::<Option<&str>>()?;
        stored.map(|stored| Ok(shared.text(&plain(stored)?))).transpose()
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

    /// The letters of a `json` column: of that type, the wire carries the text itself.
    pub(super) fn letters(&mut self) -> Result<&'r str> {
        let column = self.next;
        self.next += 1;
        Ok(self.row.try_get_unchecked(column)?)
    }

    pub(super) fn json<T: DeserializeOwned>(&mut self) -> Result<T> {
        serde_json::from_str(self.letters()?).map_err(corrupt)
    }

    /// A count in a `bigint` that is never negative.
    pub(super) fn count<T: TryFrom<i64, Error: std::fmt::Display>>(&mut self) -> Result<T> {
        self.value::<i64>()?.try_into().map_err(corrupt)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_comes_back_and_most_are_stored_as_they_are() {
        for odd in ["", "é\t\"", "\0", "\u{1a}", "\u{1a}0", "a\0\0b\u{1a}1", "\u{1a}\0"] {
            let stored = text(odd);
            assert!(!stored.contains('\0'), "{odd:?}");
            assert_eq!(plain(&stored).unwrap(), odd);
        }
        assert!(matches!(text("plain"), Cow::Borrowed("plain")));
        assert!(plain("\u{1a}x").is_err());
        assert!(plain("\u{1a}").is_err());
    }
}
