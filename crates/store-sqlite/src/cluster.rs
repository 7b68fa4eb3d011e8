//! The turn to sweep. A SQLite database has one server, so there are no other nodes.

use async_trait::async_trait;
use chrono::TimeDelta;
use session::Timestamp;
use sqlx::SqliteExecutor;
use store::{
    Claim, Cluster, Result,
    decide::sweep::{self, Decided},
    values::micros,
};

use crate::{Sqlite, error::sql, rows::Columns};

#[async_trait]
impl Cluster for Sqlite {
    async fn claim_sweep(&self, now: Timestamp, interval: TimeDelta) -> Result<Claim> {
        // Most claims are too early, and are answered without a write.
        let early = sweep::claim(granted_at(&self.readers).await?, now, interval);
        if !early.record {
            return Ok(early.claim);
        }
        let mut transaction = self.begin().await?;
        let granted_at = granted_at(&mut transaction.connection).await?;
        let Decided { claim, record } = sweep::claim(granted_at, now, interval);
        if record {
            sqlx::query(
                "INSERT INTO sweeps (only, granted_at) VALUES (1, ?1) ON CONFLICT (only) DO UPDATE SET granted_at = ?1",
            )
            .bind(micros(now))
            .execute(&mut transaction.connection)
            .await
            .map_err(sql)?;
            transaction.commit().await?;
        }
        Ok(claim)
    }
}

async fn granted_at(executor: impl SqliteExecutor<'_>) -> Result<Option<Timestamp>> {
    let row = sqlx::query("SELECT granted_at FROM sweeps")
        .fetch_optional(executor)
        .await
        .map_err(sql)?;
    row.map(|row| Columns::of(&row).time()).transpose()
}
