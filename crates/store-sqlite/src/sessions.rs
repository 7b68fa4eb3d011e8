//! Sessions and the log's revision. A round trip costs more than the query, so the rows for a whole
//! batch are read once, decided in memory ([`store::decide::batch`]), and written once.

use async_trait::async_trait;
use futures::TryStreamExt;
use session::{Session, SessionId, Timestamp};
use sqlx::SqliteConnection;
use store::{
    Changes, Committed, Result, Sessions, StoreError, WriteRequest,
    decide::{
        batch::Batch,
        reads::{LoadedRows, Reads},
        sessions::{PURGE_AT_ONCE, SEEDED_AT_ONCE, latest_end, launched},
    },
    values::{Shared, corrupt, micros, number},
};

use crate::{
    Sqlite, catalogue,
    error::sql,
    events, load, own_applications, people,
    rows::Columns,
    session_rows::{self, revision, set_revision},
};

/// [`lifecycle::purgeable`](session::lifecycle::purgeable) in SQL.
pub(crate) const PURGE: &str = "DELETE FROM sessions WHERE id IN (SELECT id FROM sessions \
     WHERE teardown IN ('confirmed', 'given_up') AND ended_at <= ?1 ORDER BY ended_at, id LIMIT ?2) RETURNING id";

/// The most synthetic rows of one statement.
const SEEDED_ROWS: usize = 250;

#[async_trait]
impl Sessions for Sqlite {
    async fn load(&self) -> Result<Changes> {
        let path = self.path.clone();
        let loaded = tokio::task::spawn_blocking(move || load::sessions(&path));
        // The only other error is a panic.
        loaded.await.unwrap_or_else(|error| Err(corrupt(error)))
    }

    async fn changes(&self, after: u64) -> Result<Changes> {
        let mut snapshot = self.snapshot().await?;
        let revision = revision(&mut *snapshot).await?;
        let mut changes = Changes {
            revision,
            ..Changes::default()
        };
        if revision <= after {
            return Ok(changes);
        }
        let mut shared = Shared::default();
        let query = |statement| sqlx::query(statement).bind(number(after));
        let mut rows = query(session_rows::CHANGED).fetch(&mut *snapshot);
        while let Some(row) = rows.try_next().await.map_err(sql)? {
            changes.sessions.push(session_rows::session(&row, &mut shared)?);
        }
        drop(rows);
        let mut rows = query(events::PURGED).fetch(&mut *snapshot);
        while let Some(row) = rows.try_next().await.map_err(sql)? {
            changes.purged.push(SessionId(Columns::of(&row).id()?));
        }
        drop(rows);
        let mut rows = query(events::OF_ACCESS).fetch(&mut *snapshot);
        while let Some(row) = rows.try_next().await.map_err(sql)? {
            changes.access.push(events::event(&row)?);
        }
        drop(rows);
        Ok(changes)
    }

    async fn revision(&self) -> Result<u64> {
        revision(&self.readers).await
    }

    async fn write(&self, requests: &[WriteRequest]) -> Result<Committed> {
        let mut transaction = self.begin().await?;
        let connection = &mut transaction.connection;
        let before = revision(&mut *connection).await?;
        let mut batch = Batch::new(before + 1);
        let mut outcomes = Vec::with_capacity(requests.len());
        // The database answers a purge: the rows decided before it are written, and those after it
        // are read again.
        for part in requests.split_inclusive(|request| matches!(request, WriteRequest::Purge { .. })) {
            batch.load(read_rows(connection, &Reads::of(part)).await?);
            for request in part {
                outcomes.push(match request {
                    WriteRequest::Purge { at } => {
                        flush(connection, &mut batch, before + 1).await?;
                        batch.purged(purge(connection, *at).await?, *at)
                    }
                    request => batch.decide(request),
                });
            }
        }
        flush(connection, &mut batch, before + 1).await?;
        let mut revision = before;
        if !batch.events.is_empty() {
            revision += 1;
            events::insert(connection, revision, &batch.events).await?;
            set_revision(connection, revision).await?;
        }
        transaction.commit().await?;
        Ok(Committed { revision, outcomes })
    }

    async fn seed(&self, sessions: &[Session]) -> Result<()> {
        for (index, chunk) in sessions.chunks(SEEDED_AT_ONCE).enumerate() {
            let mut transaction = self.begin().await?;
            let connection = &mut transaction.connection;
            if index == 0 {
                let any: bool = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM sessions)")
                    .fetch_one(&mut *connection)
                    .await
                    .map_err(sql)?;
                if any {
                    return Err(StoreError::NotEmpty);
                }
            }
            let revision = revision(&mut *connection).await? + 1;
            for rows in chunk.chunks(SEEDED_ROWS) {
                let launches: Vec<_> = rows.iter().map(launched).collect();
                session_rows::insert(connection, revision, rows).await?;
                events::insert(connection, revision, &launches).await?;
            }
            set_revision(connection, revision).await?;
            transaction.commit().await?;
        }
        Ok(())
    }
}

async fn read_rows(connection: &mut SqliteConnection, reads: &Reads) -> Result<LoadedRows> {
    let mut rows = LoadedRows {
        users: people::by_ids(connection, &reads.users).await?,
        sessions: session_rows::by_ids(connection, &reads.sessions).await?,
        ..LoadedRows::default()
    };
    rows.sessions
        .extend(session_rows::live(connection, &reads.pairs).await?);
    rows.blocked = session_rows::blocked(connection, &reads.pairs).await?;
    for id in &reads.holders {
        rows.held.insert(*id, session_rows::held(connection, *id).await?);
    }
    for id in &reads.applications {
        let Some(found) = catalogue::launchable(connection, *id).await? else {
            continue;
        };
        let id = found.application.id;
        if found.application.seats.is_some() {
            rows.taken.insert(id, session_rows::taken(connection, id).await?);
        }
        rows.launchable.push(found);
    }
    for id in &reads.batches {
        if events::noted(connection, *id).await? {
            rows.noted.insert(*id);
        }
    }
    Ok(rows)
}

async fn flush(connection: &mut SqliteConnection, batch: &mut Batch, revision: u64) -> Result<()> {
    let rows = batch.rows();
    session_rows::insert_all(connection, revision, &rows.added).await?;
    own_applications::used(connection, &rows.added).await?;
    session_rows::update_all(connection, &rows.changed).await
}

async fn purge(connection: &mut SqliteConnection, at: Timestamp) -> Result<Vec<SessionId>> {
    let rows = sqlx::query(PURGE)
        .bind(micros(latest_end(at)))
        .bind(PURGE_AT_ONCE)
        .fetch_all(connection)
        .await
        .map_err(sql)?;
    rows.iter().map(|row| Ok(SessionId(Columns::of(row).id()?))).collect()
}
