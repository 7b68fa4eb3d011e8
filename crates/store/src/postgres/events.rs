//! The log of what happened: one row for each change, never updated, never removed.

use session::{BatchId, Event, EventKind, SessionId};
use sqlx::postgres::PgRow;
use uuid::Uuid;

use super::{
    Postgres,
    connections::Lease,
    rows::{Columns, Moment},
    transaction::Log,
};
use crate::{
    Result,
    chain::{Check, Hash, Link, Verified},
    values::{json, micros, number},
};

pub(super) const PURGED: &str =
    "SELECT session_id FROM events WHERE kind = 'purged' AND revision > $1 ORDER BY revision, id";
/// The condition is that of the index `events_of_access`, word for word.
pub(super) const OF_ACCESS: &str = "SELECT at, session_id, actor, what FROM events WHERE revision > $1 \
     AND kind IN ('user_changed', 'signed_out', 'application_changed', 'environment_changed') ORDER BY revision, id";
pub(super) const OF_SESSION: &str = "SELECT at, session_id, actor, what FROM events WHERE session_id = $1 ORDER BY id";
pub(super) const NOTED: &str = "SELECT batch_id FROM events WHERE batch_id = ANY ($1)";

/// Adds events in order, each chained to the one before it, and gives the log's row after them.
pub(super) async fn insert(lease: &mut Lease, mut log: Log, revision: u64, events: &[Event]) -> Result<Log> {
    let start = log.events;
    log.revision = revision;
    let (mut actors, mut whats, mut hashes) = (Vec::new(), Vec::new(), Vec::new());
    for event in events {
        let (actor, what) = (json(&event.actor)?, json(&event.what)?);
        let link = Link {
            revision: number(revision),
            session_id: event.session_id,
            at: micros(event.at),
            kind: event.what.code(),
            actor: &actor,
            what: &what,
        };
        log.head = link.hash(&log.head);
        log.events += 1;
        hashes.push(log.head);
        actors.push(actor);
        whats.push(what);
    }
    if events.is_empty() {
        return Ok(log);
    }
    let statement = sqlx::query(
        "INSERT INTO events (id, revision, session_id, batch_id, at, kind, actor, what, hash) \
         SELECT $1 + number, $2, session_id, batch_id, at, kind, actor::json, what::json, hash \
         FROM unnest($3::uuid[], $4::uuid[], $5::timestamptz[], $6::text[], $7::text[], $8::text[], $9::bytea[]) \
         WITH ORDINALITY AS event (session_id, batch_id, at, kind, actor, what, hash, number)",
    )
    .bind(start)
    .bind(number(revision))
    .bind(column(events, |event| event.session_id.map(|id| id.0)))
    .bind(column(events, |event| batch_of(&event.what)))
    .bind(column(events, |event| Moment(event.at)))
    .bind(column(events, |event| event.what.code()))
    .bind(actors)
    .bind(whats)
    .bind(hashes);
    lease.execute(statement).await?;
    Ok(log)
}

fn column<'a, T>(events: &'a [Event], of: impl Fn(&'a Event) -> T) -> Vec<T> {
    events.iter().map(of).collect()
}

const fn batch_of(what: &EventKind) -> Option<Uuid> {
    match what {
        EventKind::BatchExpired { batch, .. } => Some(batch.0),
        _ => None,
    }
}

/// Reads every event of one snapshot and checks the chain.
pub(super) async fn verify(store: &Postgres, heads: &[Hash]) -> Result<Verified> {
    let mut snapshot = store.long_snapshot().await?;
    let mut check = Check::new(heads);
    let all = sqlx::query("SELECT id, revision, session_id, at, kind, actor, what, hash FROM events ORDER BY id");
    snapshot
        .each(all, |row| {
            let mut columns = Columns::of(row);
            let id = columns.value()?;
            let link = Link {
                revision: columns.value()?,
                session_id: columns.value::<Option<Uuid>>()?.map(SessionId),
                at: micros(columns.time()?),
                kind: columns.value()?,
                actor: columns.letters()?,
                what: columns.letters()?,
            };
            check.next(id, &link, columns.value()?);
            Ok(())
        })
        .await?;
    let row = snapshot.one(sqlx::query("SELECT head FROM log")).await?;
    store.end(snapshot).await?;
    Ok(check.end(Columns::of(&row).value()?))
}

pub(super) async fn of_session(store: &Postgres, id: SessionId) -> Result<Vec<Event>> {
    let rows = store.read_all(sqlx::query(OF_SESSION).bind(id.0)).await?;
    rows.iter().map(event).collect()
}

/// Those of these batches that are noted.
pub(super) async fn noted(lease: &mut Lease, ids: &[BatchId]) -> Result<Vec<BatchId>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows = lease
        .all(sqlx::query(NOTED).bind(ids.iter().map(|id| id.0).collect::<Vec<_>>()))
        .await?;
    rows.iter().map(|row| Ok(BatchId(Columns::of(row).id()?))).collect()
}

pub(super) fn event(row: &PgRow) -> Result<Event> {
    let mut columns = Columns::of(row);
    Ok(Event {
        at: columns.time()?,
        session_id: columns.value::<Option<Uuid>>()?.map(SessionId),
        actor: columns.json()?,
        what: columns.json::<EventKind>()?,
    })
}
