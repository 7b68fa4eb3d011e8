//! One batch, one transaction. What its requests need to know is read for all of them at once, decided in memory
//! ([`decide`](crate::decide)), and written for all of them at once: a word with the database is a word over the network.

use session::{Session, SessionId, Timestamp};

use super::{
    Postgres, catalogue,
    connections::Lease,
    events, people,
    rows::{Columns, Moment},
    sessions,
    transaction::Transaction,
};
use crate::{
    Committed, Result, WriteRequest,
    decide::{Batch, LoadedRows, PURGE_AT_ONCE, Reads, latest_end},
};

/// [`lifecycle::purgeable`](session::lifecycle::purgeable), in the words of SQL.
pub(super) const PURGE: &str = "DELETE FROM sessions WHERE id IN (SELECT id FROM sessions \
     WHERE teardown IN ('confirmed', 'given_up') AND ended_at <= $1 ORDER BY ended_at, id LIMIT $2) RETURNING id";

pub(super) async fn write(store: &Postgres, requests: &[WriteRequest]) -> Result<Committed> {
    let mut transaction = Transaction::begin(store).await?;
    let before = transaction.before();
    let mut batch = Batch::new(before + 1);
    let mut outcomes = Vec::with_capacity(requests.len());
    // A purge is the database's: what was decided before it is written, and what comes after it is read anew.
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

async fn read_rows(lease: &mut Lease, reads: &Reads) -> Result<LoadedRows> {
    let mut found: Vec<Session> = sessions::by_ids(lease, &reads.sessions).await?;
    found.extend(sessions::live(lease, &reads.pairs).await?);
    let launchable = catalogue::launchable(lease, &reads.applications).await?;
    let counted: Vec<_> = launchable
        .iter()
        .filter(|found| found.application.seats.is_some())
        .map(|found| found.application.id.0)
        .collect();
    Ok(LoadedRows {
        users: people::by_ids(lease, &reads.users).await?,
        launchable,
        sessions: found,
        taken: sessions::taken(lease, &counted).await?,
        held: sessions::held(lease, &reads.holders).await?,
        blocked: sessions::blocked(lease, &reads.pairs).await?,
        noted: events::noted(lease, &reads.batches).await?.into_iter().collect(),
    })
}

async fn flush(lease: &mut Lease, batch: &mut Batch, revision: u64) -> Result<()> {
    let rows = batch.rows();
    sessions::insert(lease, revision, &rows.added).await?;
    sessions::update(lease, &rows.changed).await
}

async fn purge(lease: &mut Lease, at: Timestamp) -> Result<Vec<SessionId>> {
    let statement = sqlx::query(PURGE)
        .bind(Moment(latest_end(at)))
        .bind(i64::from(PURGE_AT_ONCE));
    let rows = lease.all(statement).await?;
    rows.iter().map(|row| Ok(SessionId(Columns::of(row).id()?))).collect()
}
