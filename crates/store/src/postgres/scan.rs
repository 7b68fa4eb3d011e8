//! The events in the order of their time.

use session::{
    Event, SessionId,
    audit::{Numbered, Place},
};
use sqlx::{QueryBuilder, postgres::PgRow};
use uuid::Uuid;

use super::{
    Postgres,
    rows::{Columns, Moment},
};
use crate::{EventScan, Result, values::number};

pub(super) async fn events(store: &Postgres, scan: &EventScan) -> Result<Vec<Numbered>> {
    let rows = store.read_all(question(scan, "").build()).await?;
    rows.iter().map(numbered).collect()
}

/// The statement, with something before it.
pub(super) fn question(scan: &EventScan, before: &str) -> QueryBuilder<sqlx::Postgres> {
    let mut query = QueryBuilder::new(before);
    query.push("SELECT id, revision, at, session_id, actor, what FROM events WHERE true");
    if let Some(from) = scan.from {
        query.push(" AND at >= ").push_bind(Moment(from));
    }
    if let Some(until) = scan.until {
        query.push(" AND at < ").push_bind(Moment(until));
    }
    if let Some(id) = scan.session {
        query.push(" AND session_id = ").push_bind(id.0);
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
        .push_bind(i64::from(scan.limit));
    query
}

fn numbered(row: &PgRow) -> Result<Numbered> {
    let mut columns = Columns::of(row);
    Ok(Numbered {
        id: columns.count()?,
        revision: columns.count()?,
        event: Event {
            at: columns.time()?,
            session_id: columns.value::<Option<Uuid>>()?.map(SessionId),
            actor: columns.json()?,
            what: columns.json()?,
        },
    })
}
