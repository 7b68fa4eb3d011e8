//! The log of what happened: one row for each change, never updated, never removed.

use futures::TryStreamExt;
use session::{BatchId, Event, EventKind, SessionId};
use sqlx::{QueryBuilder, SqliteConnection, sqlite::SqliteRow};

use super::{Sqlite, rows::Columns};
use crate::{
    Result,
    chain::{self, Check, Hash, Link, Verified},
    values::{corrupt, json, micros, number},
};

pub(super) const PURGED: &str =
    "SELECT session_id FROM events WHERE kind = 'purged' AND revision > ?1 ORDER BY revision, id";
/// The condition is that of the index `events_of_access`, word for word.
pub(super) const OF_ACCESS: &str = "SELECT at, session_id, actor, what FROM events WHERE revision > ?1 \
     AND kind IN ('user_changed', 'signed_out', 'application_changed', 'environment_changed') ORDER BY revision, id";
pub(super) const OF_SESSION: &str = "SELECT at, session_id, actor, what FROM events WHERE session_id = ?1 ORDER BY id";
pub(super) const NOTED: &str =
    "SELECT EXISTS (SELECT 1 FROM events WHERE kind = 'batch_expired' AND json_extract(what, '$.batch') = ?1)";

/// Adds events in order, each chained to the one before it.
pub(super) async fn insert(connection: &mut SqliteConnection, revision: u64, events: &[Event]) -> Result<()> {
    if events.is_empty() {
        return Ok(());
    }
    let row = sqlx::query("SELECT head FROM log").fetch_one(&mut *connection).await?;
    let mut head = chain::head(Columns::of(&row).value()?)?;
    let texts = events
        .iter()
        .map(|event| Ok((json(&event.actor)?, json(&event.what)?)))
        .collect::<Result<Vec<_>>>()?;
    let rows: Vec<_> = events
        .iter()
        .zip(&texts)
        .map(|(event, (actor, what))| {
            let link = Link {
                revision: number(revision),
                session_id: event.session_id,
                at: micros(event.at),
                kind: event.what.code(),
                actor,
                what,
            };
            head = link.hash(&head);
            (link, head)
        })
        .collect();
    insert_all(connection, &rows).await?;
    sqlx::query("UPDATE log SET head = ?1")
        .bind(&head[..])
        .execute(connection)
        .await?;
    Ok(())
}

async fn insert_all(connection: &mut SqliteConnection, mut rows: &[(Link<'_>, Hash)]) -> Result<()> {
    // Three lengths, so that there are three statements, which stay prepared.
    for size in [64, 8, 1] {
        while let Some((some, rest)) = rows.split_at_checked(size) {
            insert_some(connection, some).await?;
            rows = rest;
        }
    }
    Ok(())
}

async fn insert_some(connection: &mut SqliteConnection, rows: &[(Link<'_>, Hash)]) -> Result<()> {
    let mut query =
        QueryBuilder::<sqlx::Sqlite>::new("INSERT INTO events (revision, session_id, at, kind, actor, what, hash) ");
    query.push_values(rows, |mut row, (link, hash)| {
        row.push_bind(link.revision)
            .push_bind(link.session_id.as_ref().map(|id| &id.0.as_bytes()[..]))
            .push_bind(link.at)
            .push_bind(link.kind)
            .push_bind(link.actor)
            .push_bind(link.what)
            .push_bind(&hash[..]);
    });
    query.build().execute(connection).await?;
    Ok(())
}

/// Reads every event of one snapshot and checks the chain.
pub(super) async fn verify(store: &Sqlite, heads: &[Hash]) -> Result<Verified> {
    let mut snapshot = store.snapshot().await?;
    let mut check = Check::new(heads);
    let mut rows = sqlx::query("SELECT id, revision, session_id, at, kind, actor, what, hash FROM events ORDER BY id")
        .fetch(&mut *snapshot);
    while let Some(row) = rows.try_next().await? {
        let mut columns = Columns::of(&row);
        let id = columns.value()?;
        let link = Link {
            revision: columns.value()?,
            session_id: session_id(&mut columns)?,
            at: columns.value()?,
            kind: columns.value()?,
            actor: columns.value()?,
            what: columns.value()?,
        };
        check.next(id, &link, columns.value()?);
    }
    drop(rows);
    let row = sqlx::query("SELECT head FROM log").fetch_one(&mut *snapshot).await?;
    Ok(check.end(Columns::of(&row).value()?))
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

/// Is this batch noted?
pub(super) async fn noted(connection: &mut SqliteConnection, id: BatchId) -> Result<bool> {
    let row = sqlx::query(NOTED).bind(id.to_string()).fetch_one(connection).await?;
    Columns::of(&row).value()
}

pub(super) fn session_id(columns: &mut Columns<'_>) -> Result<Option<SessionId>> {
    let id = columns.value::<Option<&[u8]>>()?.map(uuid::Uuid::from_slice);
    Ok(id.transpose().map_err(corrupt)?.map(SessionId))
}

pub(super) fn event(row: &SqliteRow) -> Result<Event> {
    let mut columns = Columns::of(row);
    let at = columns.time()?;
    let session_id = session_id(&mut columns)?;
    Ok(Event {
        at,
        session_id,
        actor: columns.json()?,
        what: columns.json::<EventKind>()?,
    })
}
