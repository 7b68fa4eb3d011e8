//! The right to sweep: at most one each interval.

use chrono::TimeDelta;
use session::Timestamp;
use sqlx::SqliteConnection;

use super::{Sqlite, rows::Columns};
use crate::{Claim, Result, decide::too_early, values::micros};

pub(super) async fn claim(store: &Sqlite, now: Timestamp, interval: TimeDelta) -> Result<Claim> {
    // Most askers are too early, and can be told without writing.
    let granted_at = granted_at(&mut *store.readers.acquire().await?).await?;
    if let Some(last) = granted_at
        && too_early(now, last, interval)
    {
        return Ok(Claim::Wait(last + interval));
    }
    let mut transaction = store.begin().await?;
    let claim = match self::granted_at(&mut transaction.connection).await? {
        Some(last) if too_early(now, last, interval) => return Ok(Claim::Wait(last + interval)),
        // The clock was set back. Counting from what it says now, nobody waits for longer than one interval.
        Some(last) if now < last => Claim::Wait(now + interval),
        _ => Claim::Granted,
    };
    sqlx::query(
        "INSERT INTO sweeps (only, granted_at) VALUES (1, ?1) ON CONFLICT (only) DO UPDATE SET granted_at = ?1",
    )
    .bind(micros(now))
    .execute(&mut transaction.connection)
    .await?;
    transaction.commit().await?;
    Ok(claim)
}

async fn granted_at(connection: &mut SqliteConnection) -> Result<Option<Timestamp>> {
    let row = sqlx::query("SELECT granted_at FROM sweeps")
        .fetch_optional(connection)
        .await?;
    row.map(|row| Columns::of(&row).time()).transpose()
}
