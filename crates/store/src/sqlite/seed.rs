//! Synthetic history for trials and benchmarks.

use session::Session;

use super::{Sqlite, events, sessions};
use crate::{
    Result, StoreError,
    decide::{SEEDED_AT_ONCE, launched},
};

/// Rows of a statement.
const ROWS: usize = 250;

pub(super) async fn seed(store: &Sqlite, all: &[Session]) -> Result<()> {
    for (index, chunk) in all.chunks(SEEDED_AT_ONCE).enumerate() {
        let mut transaction = store.begin().await?;
        let connection = &mut transaction.connection;
        if index == 0 {
            let any: bool = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM sessions)")
                .fetch_one(&mut *connection)
                .await?;
            if any {
                return Err(StoreError::NotEmpty);
            }
        }
        let revision = sessions::revision(connection).await? + 1;
        for rows in chunk.chunks(ROWS) {
            let launches: Vec<_> = rows.iter().map(launched).collect();
            sessions::insert(connection, revision, rows).await?;
            events::insert(connection, revision, &launches).await?;
        }
        sessions::set_revision(connection, revision).await?;
        transaction.commit().await?;
    }
    Ok(())
}
