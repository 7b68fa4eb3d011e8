//! Synthetic history for trials and benchmarks.

use std::time::Duration;

use session::Session;

use super::{Postgres, rows::Columns, sessions, transaction::Transaction};
use crate::{
    Result, StoreError,
    decide::{SEEDED_AT_ONCE, launched},
};

/// Rows of a statement.
const ROWS: usize = 1_000;
/// Longest time for a transaction.
const QUERY_TIMEOUT: Duration = Duration::from_secs(30);

pub(super) async fn seed(store: &Postgres, all: &[Session]) -> Result<()> {
    for (index, chunk) in all.chunks(SEEDED_AT_ONCE).enumerate() {
        let mut transaction = Transaction::begin_long(store, QUERY_TIMEOUT).await?;
        let revision = transaction.before() + 1;
        let lease = transaction.lease();
        if index == 0 {
            let any = lease.one(sqlx::query("SELECT EXISTS (SELECT 1 FROM sessions)")).await?;
            if Columns::of(&any).value()? {
                transaction.undo().await?;
                return Err(StoreError::NotEmpty);
            }
        }
        for rows in chunk.chunks(ROWS) {
            sessions::insert(lease, revision, rows).await?;
        }
        let launches: Vec<_> = chunk.iter().map(launched).collect();
        transaction.commit(&launches).await?;
    }
    Ok(())
}
