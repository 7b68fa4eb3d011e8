//! The log of events: one row per change, never updated and never removed.

use async_trait::async_trait;
use futures::TryStreamExt;
use session::{
    BatchId, Event, EventKind, SessionId,
    audit::{Numbered, Place},
};
use sqlx::{QueryBuilder, SqliteConnection, SqliteExecutor, sqlite::SqliteRow};
use store::{
    Checkpoint, EventLog, EventScan, Hash, Head, Result, Verified,
    chain::{self, Check, Link},
    values::{corrupt, json, micros, number},
};

use crate::{Sqlite, change::Change, error::sql, rows::Columns};

pub(crate) const PURGED: &str =
    "SELECT session_id FROM events WHERE kind = 'purged' AND revision > ?1 ORDER BY revision, id";
/// The condition must be exactly that of the index `events_of_access`.
pub(crate) const OF_ACCESS: &str = "SELECT at, session_id, actor, what FROM events WHERE revision > ?1 \
     AND kind IN ('user_changed', 'signed_out', 'application_changed', 'environment_changed') ORDER BY revision, id";
pub(crate) const OF_SESSION: &str = "SELECT at, session_id, actor, what FROM events WHERE session_id = ?1 ORDER BY id";
pub(crate) const NOTED: &str =
    "SELECT EXISTS (SELECT 1 FROM events WHERE kind = 'batch_expired' AND json_extract(what, '$.batch') = ?1)";

#[async_trait]
impl EventLog for Sqlite {
    async fn events(&self, id: SessionId) -> Result<Vec<Event>> {
        let rows = sqlx::query(OF_SESSION)
            .bind(&id.0.as_bytes()[..])
            .fetch_all(&self.readers)
            .await
            .map_err(sql)?;
        rows.iter().map(event).collect()
    }

    async fn scan_events(&self, scan: &EventScan) -> Result<Vec<Numbered>> {
        let rows = scan_query(scan, "")
            .build()
            .fetch_all(&self.readers)
            .await
            .map_err(sql)?;
        rows.iter().map(numbered).collect()
    }

    async fn verify_events(&self, heads: &[Hash]) -> Result<Verified> {
        // One snapshot, row by row: the log may be larger than the memory.
        let mut snapshot = self.snapshot().await?;
        let mut check = Check::new(heads);
        let mut rows =
            sqlx::query("SELECT id, revision, session_id, at, kind, actor, what, hash FROM events ORDER BY id")
                .fetch(&mut *snapshot);
        while let Some(row) = rows.try_next().await.map_err(sql)? {
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
        let row = log_head(&mut *snapshot).await?;
        Ok(check.end(Columns::of(&row).value()?))
    }

    async fn head(&self) -> Result<Head> {
        // One statement sees one snapshot.
        let row = sqlx::query("SELECT (SELECT coalesce(max(id), 0) FROM events), head FROM log")
            .fetch_one(&self.readers)
            .await
            .map_err(sql)?;
        let mut columns = Columns::of(&row);
        Ok(Head {
            number: columns.value::<i64>()?.unsigned_abs(),
            hash: chain::head(columns.value()?)?,
        })
    }

    async fn event_hash(&self, event: u64) -> Result<Option<Hash>> {
        let row = sqlx::query("SELECT hash FROM events WHERE id = ?1")
            .bind(number(event))
            .fetch_optional(&self.readers)
            .await
            .map_err(sql)?;
        row.map(|row| Columns::of(&row).hash()).transpose()
    }

    async fn add_checkpoint(&self, checkpoint: &Checkpoint) -> Result<()> {
        let mut transaction = self.begin().await?;
        sqlx::query(
            "INSERT INTO checkpoints (event, hash, at, mac) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (event) DO NOTHING",
        )
        .bind(number(checkpoint.head.number))
        .bind(&checkpoint.head.hash[..])
        .bind(micros(checkpoint.at))
        .bind(&checkpoint.mac[..])
        .execute(&mut transaction.connection)
        .await
        .map_err(sql)?;
        transaction.commit().await
    }

    async fn checkpoints(&self) -> Result<Vec<Checkpoint>> {
        let rows = sqlx::query("SELECT event, hash, at, mac FROM checkpoints ORDER BY event")
            .fetch_all(&self.readers)
            .await
            .map_err(sql)?;
        let checkpoint = |row| {
            let mut columns = Columns::of(row);
            Ok(Checkpoint {
                head: Head {
                    number: columns.value::<i64>()?.unsigned_abs(),
                    hash: columns.hash()?,
                },
                at: columns.time()?,
                mac: columns.hash()?,
            })
        };
        rows.iter().map(checkpoint).collect()
    }

    async fn log_event(&self, event: &Event) -> Result<()> {
        let change = Change::begin(self, &event.actor, event.at).await?;
        change.commit_one(event.what.clone()).await
    }
}

/// Adds events in order, each chained to the one before it.
pub(crate) async fn insert(connection: &mut SqliteConnection, revision: u64, events: &[Event]) -> Result<()> {
    if events.is_empty() {
        return Ok(());
    }
    let row = log_head(&mut *connection).await?;
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
        .await
        .map_err(sql)?;
    Ok(())
}

/// True if the log has this batch.
pub(crate) async fn noted(connection: &mut SqliteConnection, id: BatchId) -> Result<bool> {
    let row = sqlx::query(NOTED)
        .bind(id.to_string())
        .fetch_one(connection)
        .await
        .map_err(sql)?;
    Columns::of(&row).value()
}

/// The statement of a scan, with a prefix.
pub(crate) fn scan_query(scan: &EventScan, prefix: &str) -> QueryBuilder<sqlx::Sqlite> {
    let mut query = QueryBuilder::new(prefix);
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

/// An event of the columns `at, session_id, actor, what`.
pub(crate) fn event(row: &SqliteRow) -> Result<Event> {
    event_of(&mut Columns::of(row))
}

async fn log_head(executor: impl SqliteExecutor<'_>) -> Result<SqliteRow> {
    sqlx::query("SELECT head FROM log")
        .fetch_one(executor)
        .await
        .map_err(sql)
}

async fn insert_all(connection: &mut SqliteConnection, mut rows: &[(Link<'_>, Hash)]) -> Result<()> {
    // Three lengths: three statements, which stay prepared.
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
    query.build().execute(connection).await.map_err(sql)?;
    Ok(())
}

fn numbered(row: &SqliteRow) -> Result<Numbered> {
    let mut columns = Columns::of(row);
    Ok(Numbered {
        id: columns.value::<i64>()?.try_into().map_err(corrupt)?,
        revision: columns.revision()?,
        event: event_of(&mut columns)?,
    })
}

fn event_of(columns: &mut Columns<'_>) -> Result<Event> {
    Ok(Event {
        at: columns.time()?,
        session_id: session_id(columns)?,
        actor: columns.json()?,
        what: columns.json::<EventKind>()?,
    })
}

fn session_id(columns: &mut Columns<'_>) -> Result<Option<SessionId>> {
    let id = columns.value::<Option<&[u8]>>()?.map(uuid::Uuid::from_slice);
    Ok(id.transpose().map_err(corrupt)?.map(SessionId))
}
