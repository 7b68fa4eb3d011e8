//! The right to sweep: at most one each interval, over all nodes.

use chrono::TimeDelta;
use session::Timestamp;

use super::{
    Postgres,
    rows::{Columns, Moment},
    transaction::Transaction,
};
use crate::{Claim, Result, decide::too_early};

const GRANTED_AT: &str = "SELECT granted_at FROM sweeps";

pub(super) async fn claim(store: &Postgres, now: Timestamp, interval: TimeDelta) -> Result<Claim> {
    // Most askers are too early, and can be told without writing.
    if let Some(last) = granted_at(store).await?
        && too_early(now, last, interval)
    {
        return Ok(Claim::Wait(last + interval));
    }
    // Whoever has the log is alone with the row, on every node.
    let mut transaction = Transaction::begin(store).await?;
    let row = transaction.lease().optional(sqlx::query(GRANTED_AT)).await?;
    let claim = match row.map(|row| Columns::of(&row).time()).transpose()? {
        Some(last) if too_early(now, last, interval) => {
            transaction.undo().await?;
            return Ok(Claim::Wait(last + interval));
        }
        // The clock was set back. Counting from what it says now, nobody waits for longer than one interval.
        Some(last) if now < last => Claim::Wait(now + interval),
        _ => Claim::Granted,
    };
    let grant = sqlx::query(
        "INSERT INTO sweeps (granted_at) VALUES ($1) ON CONFLICT (single) DO UPDATE SET granted_at = excluded.granted_at",
    )
    .bind(Moment(now));
    transaction.lease().execute(grant).await?;
    transaction.commit_unlogged().await?;
    Ok(claim)
}

async fn granted_at(store: &Postgres) -> Result<Option<Timestamp>> {
    let row = store.read_optional(sqlx::query(GRANTED_AT)).await?;
    row.map(|row| Columns::of(&row).time()).transpose()
}
