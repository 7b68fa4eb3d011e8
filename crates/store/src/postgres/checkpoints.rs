//! The end of the chain of events, and the heads that were signed.

use super::{
    Postgres,
    rows::{Columns, Moment},
};
use crate::{
    Checkpoint, Hash, Head, Result,
    values::{corrupt, number},
};

pub(super) async fn head(store: &Postgres) -> Result<Head> {
    let row = store.read_optional(sqlx::query("SELECT events, head FROM log")).await?;
    let row = row.ok_or_else(|| corrupt("the row of the log is missing"))?;
    let mut columns = Columns::of(&row);
    Ok(Head {
        number: columns.count()?,
        hash: columns.value()?,
    })
}

pub(super) async fn event_hash(store: &Postgres, event: u64) -> Result<Option<Hash>> {
    let statement = sqlx::query("SELECT hash FROM events WHERE id = $1").bind(number(event));
    let row = store.read_optional(statement).await?;
    row.map(|row| Columns::of(&row).value()).transpose()
}

pub(super) async fn add(store: &Postgres, checkpoint: &Checkpoint) -> Result<()> {
    let statement = sqlx::query(
        "INSERT INTO checkpoints (event, hash, at, mac) VALUES ($1, $2, $3, $4) ON CONFLICT (event) DO NOTHING",
    )
    .bind(number(checkpoint.head.number))
    .bind(&checkpoint.head.hash[..])
    .bind(Moment(checkpoint.at))
    .bind(&checkpoint.mac[..]);
    let mut lease = store.writers.acquire().await?;
    lease.execute(statement).await?;
    lease.release();
    Ok(())
}

pub(super) async fn all(store: &Postgres) -> Result<Vec<Checkpoint>> {
    let statement = sqlx::query("SELECT event, hash, at, mac FROM checkpoints ORDER BY event");
    let rows = store.read_all(statement).await?;
    let checkpoint = |row| {
        let mut columns = Columns::of(row);
        Ok(Checkpoint {
            head: Head {
                number: columns.count()?,
                hash: columns.value()?,
            },
            at: columns.time()?,
            mac: columns.value()?,
        })
    };
    rows.iter().map(checkpoint).collect()
}
