//! One batch, one transaction. A word with the connection costs more than the work in SQLite, so what its requests need to
//! know is read for all of them at once, decided in memory ([`decide`](crate::decide)), and written for all of them at once.

use session::{SessionId, Timestamp};
use sqlx::SqliteConnection;

use super::{Sqlite, catalogue, events, people, rows::Columns, sessions};
use crate::{
    Committed, Result, WriteRequest,
    decide::{Batch, LoadedRows, PURGE_AT_ONCE, Reads, latest_end},
    values::micros,
};

/// [`lifecycle::purgeable`](session::lifecycle::purgeable), in the words of SQL.
pub(super) const PURGE: &str = "DELETE FROM sessions WHERE id IN (SELECT id FROM sessions \
     WHERE teardown IN ('confirmed', 'given_up') AND ended_at <= ?1 ORDER BY ended_at, id LIMIT ?2) RETURNING id";

pub(super) async fn write(store: &Sqlite, requests: &[WriteRequest]) -> Result<Committed> {
    let mut transaction = store.begin().await?;
    let connection = &mut transaction.connection;
    let before = sessions::revision(connection).await?;
    let mut batch = Batch::new(before + 1);
    let mut outcomes = Vec::with_capacity(requests.len());
    // A purge is the database's: what was decided before it is written, and what comes after it is read anew.
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
        sessions::set_revision(connection, revision).await?;
    }
    transaction.commit().await?;
    Ok(Committed { revision, outcomes })
}

async fn read_rows(connection: &mut SqliteConnection, reads: &Reads) -> Result<LoadedRows> {
    let mut rows = LoadedRows {
        users: people::by_ids(connection, &reads.users).await?,
        sessions: sessions::by_ids(connection, &reads.sessions).await?,
        ..LoadedRows::default()
    };
    rows.sessions.extend(sessions::live(connection, &reads.pairs).await?);
    rows.blocked = sessions::blocked(connection, &reads.pairs).await?;
    for id in &reads.holders {
        rows.held.insert(*id, sessions::held(connection, *id).await?);
    }
    for id in &reads.applications {
        let Some(found) = catalogue::launchable(connection, *id).await? else {
            continue;
        };
        let id = found.application.id;
        if found.application.seats.is_some() {
            rows.taken.insert(id, sessions::taken(connection, id).await?);
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
    sessions::insert_all(connection, revision, &rows.added).await?;
    sessions::update_all(connection, &rows.changed).await
}

async fn purge(connection: &mut SqliteConnection, at: Timestamp) -> Result<Vec<SessionId>> {
    let rows = sqlx::query(PURGE)
        .bind(micros(latest_end(at)))
        .bind(PURGE_AT_ONCE)
        .fetch_all(connection)
        .await?;
    rows.iter().map(|row| Ok(SessionId(Columns::of(row).id()?))).collect()
}
