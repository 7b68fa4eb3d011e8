//! Sessions and the log's revision. Each query is a round trip over the network, so the rows for a
//! whole batch are read once, decided in memory ([`store::decide::batch`]), and written once.

use std::time::Duration;

use async_trait::async_trait;
use session::{Session, SessionId, Timestamp};
use store::{
    Changes, Committed, Result, Sessions, StoreError, WriteRequest,
    decide::{
        batch::Batch,
        reads::{LoadedRows, Reads},
        sessions::{PURGE_AT_ONCE, SEEDED_AT_ONCE, latest_end, launched},
    },
    values::{Shared, number},
};

use crate::{
    Postgres, catalogue,
    connections::Lease,
    events, own_applications, people,
    rows::{Columns, Moment},
    session_rows,
    transaction::Transaction,
};

/// [`lifecycle::purgeable`](session::lifecycle::purgeable) in SQL.
pub(crate) const PURGE: &str = "DELETE FROM sessions WHERE id IN (SELECT id FROM sessions \
     WHERE teardown IN ('confirmed', 'given_up') AND ended_at <= $1 ORDER BY ended_at, id LIMIT $2) RETURNING id";

/// The most synthetic rows of one statement.
const SEEDED_ROWS: usize = 1_000;
/// The time limit of a transaction of synthetic rows.
const SEED_TIMEOUT: Duration = Duration::from_secs(30);

#[async_trait]
impl Sessions for Postgres {
    async fn load(&self) -> Result<Changes> {
        let mut snapshot = self.long_snapshot().await?;
        let revision = session_rows::revision(&mut snapshot).await?;
        let row = snapshot.one(sqlx::query("SELECT count(*) FROM sessions")).await?;
        // The exact size: a vector that grows step by step takes twice the memory at its peak.
        let mut sessions = Vec::with_capacity(Columns::of(&row).count()?);
        let mut shared = Shared::default();
        snapshot
            .each(sqlx::query(session_rows::ALL), |row| {
                sessions.push(session_rows::session(row, &mut shared)?);
                Ok(())
            })
            .await?;
        self.end(snapshot).await?;
        Ok(Changes {
            revision,
            sessions,
            ..Changes::default()
        })
    }

    async fn changes(&self, after: u64) -> Result<Changes> {
        let revision = self.current_revision().await?;
        let mut changes = Changes {
            revision,
            ..Changes::default()
        };
        // Most callers are up to date: no snapshot is needed for that.
        if revision <= after {
            return Ok(changes);
        }
        let mut snapshot = self.long_snapshot().await?;
        changes.revision = session_rows::revision(&mut snapshot).await?;
        let mut shared = Shared::default();
        let query = |statement| sqlx::query(statement).bind(number(after));
        snapshot
            .each(query(session_rows::CHANGED), |row| {
                changes.sessions.push(session_rows::session(row, &mut shared)?);
                Ok(())
            })
            .await?;
        snapshot
            .each(query(events::PURGED), |row| {
                changes.purged.push(SessionId(Columns::of(row).id()?));
                Ok(())
            })
            .await?;
        snapshot
            .each(query(events::OF_ACCESS), |row| {
                changes.access.push(events::event(row)?);
                Ok(())
            })
            .await?;
        self.end(snapshot).await?;
        Ok(changes)
    }

    async fn revision(&self) -> Result<u64> {
        self.current_revision().await
    }

    async fn write(&self, requests: &[WriteRequest]) -> Result<Committed> {
        let mut transaction = Transaction::begin(self).await?;
        let before = transaction.before();
        let mut batch = Batch::new(before + 1);
        let mut outcomes = Vec::with_capacity(requests.len());
        // The database answers a purge: the rows decided before it are written, and those after it
        // are read again.
        for part in requests.split_inclusive(|request| matches!(request, WriteRequest::Purge { .. })) {
            let lease = transaction.lease();
            batch.load(read_rows(lease, &Reads::of(part)).await?);
            for request in part {
                outcomes.push(match request {
                    WriteRequest::Purge { at } => {
                        flush(lease, &mut batch, before + 1).await?;
                        batch.purged(purge(lease, *at).await?, *at)
                    }
                    request => batch.decide(request),
                });
            }
        }
        flush(transaction.lease(), &mut batch, before + 1).await?;
        let revision = if batch.events.is_empty() {
            transaction.undo().await?;
            before
        } else {
            transaction.commit(&batch.events).await?
        };
        Ok(Committed { revision, outcomes })
    }

    async fn seed(&self, sessions: &[Session]) -> Result<()> {
        for (index, chunk) in sessions.chunks(SEEDED_AT_ONCE).enumerate() {
            let mut transaction = Transaction::begin_long(self, SEED_TIMEOUT).await?;
            let revision = transaction.before() + 1;
            let lease = transaction.lease();
            if index == 0 {
                let any = lease.one(sqlx::query("SELECT EXISTS (SELECT 1 FROM sessions)")).await?;
                if Columns::of(&any).value()? {
                    transaction.undo().await?;
                    return Err(StoreError::NotEmpty);
                }
            }
            for rows in chunk.chunks(SEEDED_ROWS) {
                session_rows::insert(lease, revision, rows).await?;
            }
            let launches: Vec<_> = chunk.iter().map(launched).collect();
            transaction.commit(&launches).await?;
        }
        Ok(())
    }
}

async fn read_rows(lease: &mut Lease, reads: &Reads) -> Result<LoadedRows> {
    let mut sessions: Vec<Session> = session_rows::by_ids(lease, &reads.sessions).await?;
    sessions.extend(session_rows::live(lease, &reads.pairs).await?);
    let launchable = catalogue::launchable(lease, &reads.applications).await?;
    let counted: Vec<_> = launchable
        .iter()
        .filter(|found| found.application.seats.is_some())
        .map(|found| found.application.id.0)
        .collect();
    Ok(LoadedRows {
        users: people::by_ids(lease, &reads.users).await?,
        launchable,
        sessions,
        taken: session_rows::taken(lease, &counted).await?,
        held: session_rows::held(lease, &reads.holders).await?,
        blocked: session_rows::blocked(lease, &reads.pairs).await?,
        noted: events::noted(lease, &reads.batches).await?.into_iter().collect(),
    })
}

async fn flush(lease: &mut Lease, batch: &mut Batch, revision: u64) -> Result<()> {
    let rows = batch.rows();
    session_rows::insert(lease, revision, &rows.added).await?;
    own_applications::used(lease, &rows.added).await?;
    session_rows::update(lease, &rows.changed).await
}

async fn purge(lease: &mut Lease, at: Timestamp) -> Result<Vec<SessionId>> {
    let statement = sqlx::query(PURGE)
        .bind(Moment(latest_end(at)))
        .bind(i64::from(PURGE_AT_ONCE));
    let rows = lease.all(statement).await?;
    rows.iter().map(|row| Ok(SessionId(Columns::of(row).id()?))).collect()
}
