//! The log of events: one row per change, never updated and never removed.

use async_trait::async_trait;
use session::{
    BatchId, Event, EventKind, SessionId,
    audit::{Numbered, Place},
};
use sqlx::{QueryBuilder, postgres::PgRow};
use store::{
    Checkpoint, EventLog, EventScan, Hash, Head, Result, Verified,
    chain::{Check, Link},
    values::{corrupt, json, micros, number},
};
use uuid::Uuid;

use crate::{
    Postgres,
    change::Change,
    connections::Lease,
    rows::{Columns, Moment},
    transaction::Log,
};

pub(crate) const PURGED: &str =
    "SELECT session_id FROM events WHERE kind = 'purged' AND revision > $1 ORDER BY revision, id";
/// The condition must be exactly that of the index `events_of_access`.
pub(crate) const OF_ACCESS: &str = "SELECT at, session_id, actor, what FROM events WHERE revision > $1 \
     AND kind IN ('user_changed', 'signed_out', 'application_changed', 'environment_changed') ORDER BY revision, id";
pub(crate) const OF_SESSION: &str = "SELECT at, session_id, actor, what FROM events WHERE session_id = $1 ORDER BY id";
pub(crate) const NOTED: &str = "SELECT batch_id FROM events WHERE batch_id = ANY ($1)";

#[async_trait]
impl EventLog for Postgres {
    async fn events(&self, id: SessionId) -> Result<Vec<Event>> {
        let rows = self.read_all(sqlx::query(OF_SESSION).bind(id.0)).await?;
        rows.iter().map(event).collect()
    }

    async fn scan_events(&self, scan: &EventScan) -> Result<Vec<Numbered>> {
        let rows = self.read_all(scan_query(scan, "").build()).await?;
        rows.iter().map(numbered).collect()
    }

    async fn verify_events(&self, heads: &[Hash]) -> Result<Verified> {
        let mut snapshot = self.long_snapshot().await?;
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
                    actor: columns.json_text()?,
                    what: columns.json_text()?,
                };
                check.next(id, &link, columns.value()?);
                Ok(())
            })
            .await?;
        let row = snapshot.one(sqlx::query("SELECT head FROM log")).await?;
        self.end(snapshot).await?;
        Ok(check.end(Columns::of(&row).value()?))
    }

    async fn head(&self) -> Result<Head> {
        let row = self.read_optional(sqlx::query("SELECT events, head FROM log")).await?;
        let row = row.ok_or_else(|| corrupt("the row of the log is missing"))?;
        let mut columns = Columns::of(&row);
        Ok(Head {
            number: columns.count()?,
            hash: columns.value()?,
        })
    }

    async fn event_hash(&self, event: u64) -> Result<Option<Hash>> {
        let statement = sqlx::query("SELECT hash FROM events WHERE id = $1").bind(number(event));
        let row = self.read_optional(statement).await?;
        row.map(|row| Columns::of(&row).value()).transpose()
    }

    async fn add_checkpoint(&self, checkpoint: &Checkpoint) -> Result<()> {
        let statement = sqlx::query(
            "INSERT INTO checkpoints (event, hash, at, mac) VALUES ($1, $2, $3, $4) ON CONFLICT (event) DO NOTHING",
        )
        .bind(number(checkpoint.head.number))
        .bind(&checkpoint.head.hash[..])
        .bind(Moment(checkpoint.at))
        .bind(&checkpoint.mac[..]);
        let mut lease = self.writers.acquire().await?;
        lease.execute(statement).await?;
        lease.release();
        Ok(())
    }

    async fn checkpoints(&self) -> Result<Vec<Checkpoint>> {
        let statement = sqlx::query("SELECT event, hash, at, mac FROM checkpoints ORDER BY event");
        let rows = self.read_all(statement).await?;
        let checkpoint = |row| {
            let mut columns = Columns::of(row);
            Ok(Checkpoint {
                head: Head {
                    number: columns.count()?,
                    hash: columns.value()?,
                },
                at: columns.time()?,
                mac: columns.value()?,
            })
        };
        rows.iter().map(checkpoint).collect()
    }

    async fn log_event(&self, event: &Event) -> Result<()> {
        let change = Change::begin(self, &event.actor, event.at).await?;
        change.commit_one(event.what.clone()).await
    }
}

/// Adds events in order, each chained to the one before it, and returns the log's row after them.
pub(crate) async fn insert(lease: &mut Lease, mut log: Log, revision: u64, events: &[Event]) -> Result<Log> {
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

/// Those of these batches that the log has.
pub(crate) async fn noted(lease: &mut Lease, ids: &[BatchId]) -> Result<Vec<BatchId>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows = lease
        .all(sqlx::query(NOTED).bind(ids.iter().map(|id| id.0).collect::<Vec<_>>()))
        .await?;
    rows.iter().map(|row| Ok(BatchId(Columns::of(row).id()?))).collect()
}

/// The statement of a scan, with a prefix.
pub(crate) fn scan_query(scan: &EventScan, prefix: &str) -> QueryBuilder<sqlx::Postgres> {
    let mut query = QueryBuilder::new(prefix);
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

/// An event of the columns `at, session_id, actor, what`.
pub(crate) fn event(row: &PgRow) -> Result<Event> {
    event_of(&mut Columns::of(row))
}

fn numbered(row: &PgRow) -> Result<Numbered> {
    let mut columns = Columns::of(row);
    Ok(Numbered {
        id: columns.count()?,
        revision: columns.count()?,
        event: event_of(&mut columns)?,
    })
}

fn event_of(columns: &mut Columns<'_>) -> Result<Event> {
    Ok(Event {
        at: columns.time()?,
        session_id: columns.value::<Option<Uuid>>()?.map(SessionId),
        actor: columns.json()?,
        what: columns.json::<EventKind>()?,
    })
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
