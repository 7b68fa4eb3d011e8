//! A page of the list: matched, ordered, cut. The place of a page is a cursor (the key of the row before it) or a number.

use std::{borrow::Cow, sync::Arc};

use session::{
    Session,
    columns::Column,
    query::{Query, fold},
    view::{Sort, View},
    wire::SessionView,
};
use uuid::Uuid;

use super::{Page, rows::Rows, scan};

/// Makes the page. The error says what is wrong with the view.
pub fn page(revision: u64, rows: &Rows, view: &View) -> Result<Page, String> {
    let found = scan::matches(rows, &Query::parse(&view.q)?);
    let sort = by_date(view.sort);
    let after = view
        .cursor
        .as_deref()
        .map(|text| Key::read(text, sort.column))
        .transpose()?;
    let skip = if after.is_some() {
        0
    } else {
        (view.page.max(1) as usize - 1) * usize::from(view.limit)
    };
    let wanted = |row: &Session| view.status.is_none_or(|status| row.status == status);
    let limit = usize::from(view.limit);

    let on_page = |slot: &u32| {
        let row = rows.at(*slot).filter(|row| found.has(*slot) && wanted(row))?;
        after.as_ref().is_none_or(|key| key.before(row, sort)).then_some(row)
    };
    let slots = rows.by_start().iter();
    let mut items: Vec<&Arc<Session>> = match (sort.column, sort.descending) {
        (Column::StartDate, true) => slots.rev().filter_map(on_page).skip(skip).take(limit + 1).collect(),
        (Column::StartDate, false) => slots.filter_map(on_page).skip(skip).take(limit + 1).collect(),
        _ => first(slots.filter_map(on_page), sort, skip + limit + 1)
            .into_iter()
            .skip(skip)
            .collect(),
    };
    let more = items.len() > limit;
    items.truncate(limit);
    Ok(Page {
        revision,
        total: view.status.map_or(found.counts.all, |status| found.counts.of(status)),
        all: rows.counts().all,
        counts: found.counts,
        next_cursor: items
            .last()
            .filter(|_| more)
            .map(|row| Key::of(row, sort.column).write()),
        items: items.into_iter().map(|row| SessionView::from(&**row)).collect(),
    })
}

/// Age is the start date the other way round.
const fn by_date(sort: Sort) -> Sort {
    match sort.column {
        Column::StartedAgo => Sort {
            column: Column::StartDate,
            descending: !sort.descending,
        },
        _ => sort,
    }
}

/// The first `end` rows in the order asked for: only these need an order among themselves.
fn first<'a>(rows: impl Iterator<Item = &'a Arc<Session>>, sort: Sort, end: usize) -> Vec<&'a Arc<Session>> {
    let mut keyed: Vec<_> = rows.map(|row| (Key::of(row, sort.column), row)).collect();
    let order = |a: &(Key<'_>, _), b: &(Key<'_>, _)| if sort.descending { b.0.cmp(&a.0) } else { a.0.cmp(&b.0) };
    if end < keyed.len() {
        keyed.select_nth_unstable_by(end, order);
        keyed.truncate(end);
    }
    keyed.sort_unstable_by(order);
    keyed.into_iter().map(|(_, row)| row).collect()
}

/// What a row is sorted by: the column's value, then its id, so that no two rows are equal.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Key<'a> {
    value: Value<'a>,
    id: Uuid,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Value<'a> {
    Number(i64),
    Text(Cow<'a, str>),
    Id(Uuid),
}

impl<'a> Key<'a> {
    fn of(row: &'a Session, column: Column) -> Self {
        let text = |text: &'a str| {
            let plain = text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase());
            Value::Text(if plain {
                Cow::Borrowed(text)
            } else {
                Cow::Owned(fold(text))
            })
        };
        let value = match column {
            Column::SessionId => Value::Id(row.id.0),
            Column::EnvironmentId => Value::Id(row.environment_id.0),
            Column::UserId => Value::Id(row.user_id.0),
            Column::Environment => text(&row.environment),
            Column::Username => text(&row.username),
            Column::Status => Value::Number(row.status as i64),
            Column::Connected => Value::Number(i64::from(row.connected())),
            Column::StartDate | Column::StartedAgo => Value::Number(row.started_at.timestamp_micros()),
            Column::ValidUntil => Value::Number(row.valid_until.timestamp_micros()),
        };
        Self { value, id: row.id.0 }
    }

    /// Does the row come after this key?
    fn before(&self, row: &Session, sort: Sort) -> bool {
        let other = Key::of(row, sort.column);
        if sort.descending { other < *self } else { other > *self }
    }

    fn write(&self) -> String {
        match &self.value {
            Value::Number(number) => format!("{}~{number}", self.id.simple()),
            Value::Text(text) => format!("{}~{text}", self.id.simple()),
            Value::Id(id) => format!("{}~{}", self.id.simple(), id.simple()),
        }
    }

    fn read(text: &str, column: Column) -> Result<Key<'static>, String> {
        let wrong = || "“cursor” is not one that this server gave for this order.".to_owned();
        let (id, value) = text.split_once('~').ok_or_else(wrong)?;
        let id = Uuid::parse_str(id).map_err(|_| wrong())?;
        let value = match column {
            Column::SessionId | Column::EnvironmentId | Column::UserId => {
                Value::Id(Uuid::parse_str(value).map_err(|_| wrong())?)
            }
            Column::Environment | Column::Username => Value::Text(Cow::Owned(value.to_owned())),
            _ => Value::Number(value.parse().map_err(|_| wrong())?),
        };
        Ok(Key { value, id })
    }
}
