//! One batch, one transaction. A word with the connection costs more than the work in SQLite, so what its requests need to
//! know is read for all of them at once, decided in memory ([`decide`](crate::decide)), and written for all of them at once.

use session::{SessionId, Timestamp};
use sqlx::SqliteConnection;

use super::{Sqlite, catalogue, events, people, rows::Columns, sessions};
use crate::{
    Committed, Request, Result,
    decide::{Batch, Facts, PURGE_AT_ONCE, Questions, latest_end},
    values::micros,
};

/// [`lifecycle::purgeable`](session::lifecycle::purgeable), in the words of SQL.
pub(super) const PURGE: &str = "DELETE FROM sessions WHERE id IN (SELECT id FROM sessions \
     WHERE teardown IN ('confirmed', 'given_up') AND ended_at <= ?1 ORDER BY ended_at, id LIMIT ?2) RETURNING id";

pub(super) async fn write(store: &Sqlite, requests: &[Request]) -> Result<Committed> {
    let mut transaction = store.begin().await?;
    let connection = &mut transaction.connection;
    let before = sessions::revision(connection).await?;
    let mut batch = Batch::new(before + 1);
    let mut answers = Vec::with_capacity(requests.len());
    // A purge is the database's: what was decided before it is written, and what comes after it is read anew.
    for part in requests.split_inclusive(|request| matches!(request, Request::Purge { .. })) {
        batch.learn(facts(connection, &Questions::of(part)).await?);
        for request in part {
            answers.push(match request {
                Request::Purge { at } => {
                    flush(connection, &mut batch, before + 1).await?;
                    batch.purged(purge(connection, *at).await?, *at)
                }
                request => batch.answer(request),
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
    Ok(Committed { revision, answers })
}

async fn facts(connection: &mut SqliteConnection, asked: &Questions) -> Result<Facts> {
    let mut facts = Facts {
        users: people::by_ids(connection, &asked.users).await?,
        sessions: sessions::by_ids(connection, &asked.sessions).await?,
        ..Facts::default()
    };
    facts.sessions.extend(sessions::live(connection, &asked.pairs).await?);
    facts.blocked = sessions::blocked(connection, &asked.pairs).await?;
    for id in &asked.holders {
        facts.held.insert(*id, sessions::held(connection, *id).await?);
    }
    for id in &asked.applications {
        let Some(found) = catalogue::launchable(connection, *id).await? else {
            continue;
        };
        let id = found.application.id;
        if found.application.seats.is_some() {
            facts.taken.insert(id, sessions::taken(connection, id).await?);
        }
        facts.launchable.push(found);
    }
    for id in &asked.batches {
        if events::noted(connection, *id).await? {
            facts.noted.insert(*id);
        }
    }
    Ok(facts)
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
