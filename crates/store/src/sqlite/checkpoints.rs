//! The end of the chain of events, and the heads that were signed.

use super::{Sqlite, rows::Columns};
use crate::{
    Checkpoint, Hash, Head, Result, chain,
    values::{micros, number},
};

pub(super) async fn head(store: &Sqlite) -> Result<Head> {
    // One statement sees one snapshot.
    let row = sqlx::query("SELECT (SELECT coalesce(max(id), 0) FROM events), head FROM log")
        .fetch_one(&store.readers)
        .await?;
    let mut columns = Columns::of(&row);
    Ok(Head {
        number: columns.value::<i64>()?.unsigned_abs(),
        hash: chain::head(columns.value()?)?,
    })
}

pub(super) async fn event_hash(store: &Sqlite, event: u64) -> Result<Option<Hash>> {
    let row = sqlx::query("SELECT hash FROM events WHERE id = ?1")
        .bind(number(event))
        .fetch_optional(&store.readers)
        .await?;
    row.map(|row| Columns::of(&row).hash()).transpose()
}

pub(super) async fn add(store: &Sqlite, checkpoint: &Checkpoint) -> Result<()> {
    let mut transaction = store.begin().await?;
    sqlx::query(
        "INSERT INTO checkpoints (event, hash, at, mac) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (event) DO NOTHING",
    )
    .bind(number(checkpoint.head.number))
    .bind(&checkpoint.head.hash[..])
    .bind(micros(checkpoint.at))
    .bind(&checkpoint.mac[..])
    .execute(&mut transaction.connection)
    .await?;
    transaction.commit().await
}

pub(super) async fn all(store: &Sqlite) -> Result<Vec<Checkpoint>> {
    let rows = sqlx::query("SELECT event, hash, at, mac FROM checkpoints ORDER BY event")
        .fetch_all(&store.readers)
        .await?;
    let checkpoint = |row| {
        let mut columns = Columns::of(row);
        Ok(Checkpoint {
            head: Head {
                number: columns.value::<i64>()?.unsigned_abs(),
                hash: columns.hash()?,
            },
            at: columns.time()?,
            mac: columns.hash()?,
        })
    };
    rows.iter().map(checkpoint).collect()
}
