//! The events in the order of their time.

use futures::TryStreamExt;
use session::audit::{Numbered, Place};
use sqlx::{QueryBuilder, sqlite::SqliteRow};

use super::{Sqlite, events, rows::Columns};
use crate::{
    EventScan, Result,
    values::{corrupt, micros, number},
};

pub(super) async fn events(store: &Sqlite, scan: &EventScan) -> Result<Vec<Numbered>> {
    question(scan, "")
        .build()
        .fetch(&store.readers)
        .map_err(Into::into)
        .and_then(async |row| numbered(&row))
        .try_collect()
        .await
}

/// The statement, with something before it.
pub(super) fn question(scan: &EventScan, before: &str) -> QueryBuilder<sqlx::Sqlite> {
    let mut query = QueryBuilder::new(before);
    query
        .push("SELECT id, revision, at, session_id, actor, what FROM events WHERE at >= ")
        .push_bind(scan.from.map_or(i64::MIN, micros))
        .push(" AND at < ")
        .push_bind(scan.until.map_or(i64::MAX, micros));
    if let Some(id) = scan.session {
        query.push(" AND session_id = ").push_bind(id.0.as_bytes().to_vec());
    }
    let (beside, order) = match scan.place {
        Place::Newest => (None, "DESC"),
        Place::Before(id) => (Some(("<", id)), "DESC"),
        Place::After(id) => (Some((">", id)), "ASC"),
    };
    if let Some((side, id)) = beside {
        query
            .push(format!(" AND (at, id) {side} (SELECT at, id FROM events WHERE id = "))
            .push_bind(number(id))
            .push(")");
    }
    query
        .push(format!(" ORDER BY at {order}, id {order} LIMIT "))
        .push_bind(scan.limit);
    query
}

fn numbered(row: &SqliteRow) -> Result<Numbered> {
    let mut columns = Columns::of(row);
    Ok(Numbered {
        id: columns.value::<i64>()?.try_into().map_err(corrupt)?,
        revision: columns.revision()?,
        event: session::Event {
            at: columns.time()?,
            session_id: events::session_id(&mut columns)?,
            actor: columns.json()?,
            what: columns.json()?,
        },
    })
}
