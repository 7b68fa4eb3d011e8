//! A page of the list: search, filter, sort, cut. A page starts after a cursor (the key of the row
//! before it) or at a number.

use std::{borrow::Cow, sync::Arc};

use session::{
    Session, Status, Timestamp,
    api::{Counts, SessionView},
    columns::Column,
    query::{Query, SearchTooLong, fold, folded_names},
    view::{InvalidView, Sort, View},
};
use uuid::Uuid;

use super::{Page, rows::Rows, scan};

/// A list that cannot be made. Its text is a sentence for the caller.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidList {
    /// A parameter of the view is invalid.
    #[error(transparent)]
    View(#[from] InvalidView),
    /// The cursor is from another order, or not from this server.
    #[error("“cursor” is not one that this server gave for this order.")]
    Cursor,
}

impl From<SearchTooLong> for InvalidList {
    fn from(error: SearchTooLong) -> Self {
        Self::View(error.into())
    }
}

/// A session with its line of the search text, which has its folded names. The line is empty if the
/// sort does not need it.
type Row<'a> = (&'a Arc<Session>, &'a str);

/// Makes a page.
pub fn page(revision: u64, rows: &Rows, view: &View) -> Result<Page, InvalidList> {
    view.check()?;
    let found = scan::matches(rows, &Query::parse(&view.q)?);
    let sort = normalized(view.order());
    let after = view
        .cursor
        .as_deref()
        .map(|text| Key::read(text, sort.column))
        .transpose()?;
    let limit = usize::from(view.limit);
    let wanted = |slot: &u32| {
        let row = rows.at(*slot).filter(|row| found.has(*slot) && wants(view, row))?;
        Some((row, line(rows, *slot, sort)))
    };
    let skip = (view.page as usize - 1) * limit;
    let slots = rows.by_start().iter();
    let cut = match (sort.column, sort.descending) {
        (Column::StartDate, true) => cut_sorted(slots.rev().filter_map(wanted), sort, after.as_ref(), skip, limit),
        (Column::StartDate, false) => cut_sorted(slots.filter_map(wanted), sort, after.as_ref(), skip, limit),
        _ => cut_unsorted(slots.filter_map(wanted), sort, after.as_ref(), skip, limit),
    };
    let Cut {
        offset,
        before,
        mut items,
    } = cut;
    let more = items.len() > limit;
    items.truncate(limit);
    let cursor = |row: Row<'_>| Key::of(row, sort.column).write();
    Ok(Page {
        revision,
        total: total(view, &found.counts),
        all: rows.counts().all,
        counts: found.counts,
        offset: u32::try_from(offset).unwrap_or(u32::MAX),
        next_cursor: items.last().filter(|_| more).map(|row| cursor(*row)),
        previous_cursor: before.map(cursor),
        items: items.into_iter().map(|(row, _)| SessionView::from(&**row)).collect(),
    })
}

/// All rows of a view over all its pages, in its order.
pub fn all(rows: &Rows, view: &View) -> Result<Vec<Arc<Session>>, InvalidList> {
    let found = scan::matches(rows, &Query::parse(&view.q)?);
    let sort = normalized(view.order());
    let slots = rows.by_start().iter();
    let wanted = slots.filter_map(|slot| {
        let row = rows.at(*slot).filter(|row| found.has(*slot) && wants(view, row))?;
        Some((row, line(rows, *slot, sort)))
    });
    let mut keyed: Vec<_> = wanted.map(|row| (Key::of(row, sort.column), row.0)).collect();
    keyed.sort_unstable_by(|a, b| a.0.order(&b.0, sort));
    Ok(keyed.into_iter().map(|(_, row)| row.clone()).collect())
}

fn line(rows: &Rows, slot: u32, sort: Sort) -> &str {
    match sort.column {
        Column::Environment | Column::Username | Column::Application => rows.line(slot),
        _ => "",
    }
}

/// Does the row pass the filters?
fn wants(view: &View, row: &Session) -> bool {
    view.status.is_none_or(|status| row.status == status) && (!view.connected || row.connected())
}

/// The number of rows that match the search and pass the filters.
fn total(view: &View, counts: &Counts) -> u32 {
    match (view.status, view.connected) {
        (None, false) => counts.all,
        (Some(status), false) => counts.of(status),
        (None | Some(Status::Active), true) => counts.connected,
        // A connected session is Active.
        (Some(_), true) => 0,
    }
}

/// A page, and its position among all rows.
struct Cut<'a> {
    /// The number of rows before the page.
    offset: usize,
    /// The row after which the previous page starts; `None` if that is the first page.
    before: Option<Row<'a>>,
    /// The rows, and one more if there is a next page.
    items: Vec<Row<'a>>,
}

/// Cuts a page out of sorted rows.
fn cut_sorted<'a>(
    mut rows: impl Iterator<Item = Row<'a>>,
    sort: Sort,
    after: Option<&Key<'_>>,
    skip: usize,
    limit: usize,
) -> Cut<'a> {
    let Some(after) = after else {
        return Cut {
            offset: skip,
            before: skip.checked_sub(limit + 1).and_then(|place| rows.by_ref().nth(place)),
            items: rows.skip(skip.min(limit)).take(limit + 1).collect(),
        };
    };
    let (mut offset, mut passed, mut items) = (0, std::collections::VecDeque::with_capacity(limit + 1), Vec::new());
    for row in rows {
        if after.before(row, sort) {
            items.push(row);
            if items.len() > limit {
                break;
            }
        } else {
            offset += 1;
            if passed.len() > limit {
                passed.pop_front();
            }
            passed.push_back(row);
        }
    }
    let before = passed.front().copied().filter(|_| offset > limit);
    Cut { offset, before, items }
}

/// Cuts a page out of unsorted rows. Only the rows near the page are sorted.
fn cut_unsorted<'a>(
    rows: impl Iterator<Item = Row<'a>>,
    sort: Sort,
    after: Option<&Key<'_>>,
    skip: usize,
    limit: usize,
) -> Cut<'a> {
    let mut keyed: Vec<_> = rows.map(|row| (Key::of(row, sort.column), row)).collect();
    let order = |a: &(Key<'_>, _), b: &(Key<'_>, _)| a.0.order(&b.0, sort);
    let offset = after.map_or(skip, |after| {
        keyed.iter().filter(|(key, _)| after.order(key, sort).is_ge()).count()
    });
    let (first, end) = (offset.saturating_sub(limit + 1), offset + limit + 1);
    if end < keyed.len() {
        keyed.select_nth_unstable_by(end, order);
        keyed.truncate(end);
    }
    if first < keyed.len() {
        keyed.select_nth_unstable_by(first, order);
        keyed.drain(..first);
    } else {
        keyed.clear();
    }
    keyed.sort_unstable_by(order);
    Cut {
        offset,
        before: keyed.first().map(|(_, row)| *row).filter(|_| offset > limit),
        items: keyed.iter().skip(offset - first).map(|(_, row)| *row).collect(),
    }
}

/// Maps the sort by age to the reverse sort by start date.
const fn normalized(sort: Sort) -> Sort {
    match sort.column {
        Column::StartedAgo => Sort {
            column: Column::StartDate,
            descending: !sort.descending,
        },
        _ => sort,
    }
}

/// The sort key of a row: the column's value, then the id, so that no two rows are equal.
struct Key<'a> {
    value: Value<'a>,
    id: Uuid,
}

/// The value of a column. A missing value sorts before all others.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Value<'a> {
    Missing,
    Number(i64),
    Text(Cow<'a, str>),
    Id(Uuid),
}

impl<'a> Key<'a> {
    fn of((row, line): (&'a Arc<Session>, &'a str), column: Column) -> Self {
        let [environment, username, application] = folded_names(line);
        let end = row.end.as_ref();
        let value = match column {
            Column::SessionId => Value::Id(row.id.0),
            Column::EnvironmentId => Value::Id(row.environment_id.0),
            Column::UserId => Value::Id(row.user_id.0),
            Column::Environment => Value::Text(environment.into()),
            Column::Username => Value::Text(username.into()),
            Column::Application => Value::Text(application.into()),
            Column::Status => Value::Number(row.status as i64),
            Column::Connected => Value::Number(i64::from(row.connected())),
            Column::StartDate | Column::StartedAgo => time(row.started_at),
            Column::ValidUntil => time(row.valid_until),
            Column::Ended => end.map_or(Value::Missing, |end| time(end.at)),
            Column::EndedBy => end.map_or(Value::Missing, |end| text(&end.by)),
            Column::EndReason => end.map_or(Value::Missing, |end| text(end.reason.label())),
            Column::Error => row.error.as_deref().map_or(Value::Missing, text),
            Column::ConnectedSince => row.connected_since.map_or(Value::Missing, time),
            Column::NextDeadline => session::lifecycle::deadline(row).map_or(Value::Missing, |(at, _)| time(at)),
            Column::Node => text(&row.node),
        };
        Self { value, id: row.id.0 }
    }

    /// Compares two keys in the order of the sort.
    fn order(&self, other: &Key<'_>, sort: Sort) -> std::cmp::Ordering {
        let ascending = self.value.cmp(&other.value).then(self.id.cmp(&other.id));
        if sort.descending {
            ascending.reverse()
        } else {
            ascending
        }
    }

    /// Does the row come after this key?
    fn before(&self, row: Row<'_>, sort: Sort) -> bool {
        self.order(&Key::of(row, sort.column), sort).is_lt()
    }

    fn write(&self) -> String {
        let id = self.id.simple();
        match &self.value {
            Value::Missing => format!("{id}-"),
            Value::Number(number) => format!("{id}n{number}"),
            Value::Text(text) => format!("{id}t{text}"),
            Value::Id(other) => format!("{id}i{}", other.simple()),
        }
    }

    fn read(text: &str, column: Column) -> Result<Key<'static>, InvalidList> {
        let (id, rest) = text.split_at_checked(32).ok_or(InvalidList::Cursor)?;
        let id = Uuid::parse_str(id).map_err(|_| InvalidList::Cursor)?;
        let mut letters = rest.chars();
        let value = match (letters.next(), kind(column)) {
            (Some('-'), _) => Value::Missing,
            (Some('n'), 'n') => Value::Number(letters.as_str().parse().map_err(|_| InvalidList::Cursor)?),
            (Some('t'), 't') => Value::Text(Cow::Owned(letters.as_str().to_owned())),
            (Some('i'), 'i') => Value::Id(Uuid::parse_str(letters.as_str()).map_err(|_| InvalidList::Cursor)?),
            _ => return Err(InvalidList::Cursor),
        };
        Ok(Key { value, id })
    }
}

/// The letter for the type of a column's values, in cursors.
const fn kind(column: Column) -> char {
    match column {
        Column::SessionId | Column::EnvironmentId | Column::UserId => 'i',
        Column::Environment
        | Column::Username
        | Column::Application
        | Column::EndedBy
        | Column::EndReason
        | Column::Error
        | Column::Node => 't',
        Column::Status
        | Column::Connected
        | Column::StartDate
        | Column::StartedAgo
        | Column::ValidUntil
        | Column::Ended
        | Column::ConnectedSince
        | Column::NextDeadline => 'n',
    }
}

fn text(text: &str) -> Value<'_> {
    let plain = text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase());
    Value::Text(if plain {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(fold(text))
    })
}

fn time(at: Timestamp) -> Value<'static> {
    Value::Number(at.timestamp_micros())
}
