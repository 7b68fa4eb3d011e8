//! The log of what happened: one row for each change, never updated, never removed.

use futures::TryStreamExt;
use session::{BatchId, Event, EventKind, SessionId};
use sqlx::{QueryBuilder, SqliteConnection, sqlite::SqliteRow};

use super::{
    Sqlite,
    rows::{Columns, json, micros, number},
};
use crate::Result;

pub(super) const PURGED: &str =
    "SELECT session_id FROM events WHERE kind = 'purged' AND revision > ?1 ORDER BY revision, id";
pub(super) const OF_SESSION: &str = "SELECT at, session_id, actor, what FROM events WHERE session_id = ?1 ORDER BY id";
pub(super) const REFUSED: &str =
    "SELECT at, session_id, actor, what FROM events WHERE kind = 'launch_refused' ORDER BY id DESC LIMIT ?1";
pub(super) const BATCH: &str = "SELECT at, session_id, actor, what FROM events \
     WHERE kind = 'batch_expired' AND json_extract(what, '$.batch') = ?1";
pub(super) const OF_CATALOGUE: &str = "SELECT at, session_id, actor, what FROM events \
    WHERE kind IN ('application_changed', 'environment_changed') ORDER BY id DESC LIMIT ?1";

/// Adds events in order.
pub(super) async fn insert(connection: &mut SqliteConnection, revision: u64, mut events: &[Event]) -> Result<()> {
    // Three lengths, so that there are three statements, which stay prepared.
    for size in [64, 8, 1] {
        while let Some((some, rest)) = events.split_at_checked(size) {
            insert_rows(connection, revision, some).await?;
            events = rest;
        }
    }
    Ok(())
}

async fn insert_rows(connection: &mut SqliteConnection, revision: u64, events: &[Event]) -> Result<()> {
    let texts = events
        .iter()
        .map(|event| Ok((json(&event.actor)?, json(&event.what)?)))
        .collect::<Result<Vec<_>>>()?;
    let mut query =
        QueryBuilder::<sqlx::Sqlite>::new("INSERT INTO events (revision, session_id, at, kind, actor, what) ");
    query.push_values(events.iter().zip(texts), |mut row, (event, (actor, what))| {
        row.push_bind(number(revision))
            .push_bind(event.session_id.as_ref().map(|id| &id.0.as_bytes()[..]))
            .push_bind(micros(event.at))
            .push_bind(event.what.code())
            .push_bind(actor)
            .push_bind(what);
    });
    query.build().execute(connection).await?;
    Ok(())
}

pub(super) async fn of_session(store: &Sqlite, id: SessionId) -> Result<Vec<Event>> {
    sqlx::query(OF_SESSION)
        .bind(&id.0.as_bytes()[..])
        .fetch(&store.readers)
        .map_err(Into::into)
        .and_then(async |row| event(&row))
        .try_collect()
        .await
}

pub(super) async fn denials(store: &Sqlite, limit: u32) -> Result<Vec<Event>> {
    newest(store, REFUSED, limit).await
}

pub(super) async fn of_catalogue(store: &Sqlite, limit: u32) -> Result<Vec<Event>> {
    newest(store, OF_CATALOGUE, limit).await
}

async fn newest(store: &Sqlite, query: &'static str, limit: u32) -> Result<Vec<Event>> {
    sqlx::query(query)
        .bind(limit)
        .fetch(&store.readers)
        .map_err(Into::into)
        .and_then(async |row| event(&row))
        .try_collect()
        .await
}

pub(super) async fn batch(connection: &mut SqliteConnection, id: BatchId) -> Result<Option<Event>> {
    let row = sqlx::query(BATCH)
        .bind(id.to_string())
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(event).transpose()
}

fn event(row: &SqliteRow) -> Result<Event> {
    let mut columns = Columns::of(row);
    let at = columns.time()?;
    let session_id = match columns.value::<Option<&[u8]>>()? {
        Some(bytes) => Some(SessionId(uuid::Uuid::from_slice(bytes).map_err(super::rows::corrupt)?)),
        None => None,
    };
    Ok(Event {
        at,
        session_id,
        actor: columns.json()?,
        what: columns.json::<EventKind>()?,
    })
}
