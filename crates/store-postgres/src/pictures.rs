//! Uploaded pictures, the icons of applications.

use session::{Timestamp, catalogue::appearance::Appearance};
use store::{Result, StoreError, UNUSED_PICTURES};

use crate::{
    Postgres,
    connections::Lease,
    rows::{Columns, Moment},
    transaction::Transaction,
};

/// Forgets the oldest pictures that no application uses.
const FORGET: &str = "DELETE FROM pictures WHERE hash IN (SELECT hash FROM pictures \
     WHERE NOT EXISTS (SELECT 1 FROM applications WHERE picture = hash) ORDER BY added_at DESC, hash OFFSET $1)";

/// Under the lock of the log, like each change of an application, so that no picture is forgotten
/// while an application takes it.
pub(crate) async fn add(store: &Postgres, hash: [u8; 32], png: &[u8], at: Timestamp) -> Result<()> {
    let mut transaction = Transaction::begin(store).await?;
    let insert = sqlx::query(
        "INSERT INTO pictures (hash, png, added_at) VALUES ($1, $2, $3) \
         ON CONFLICT (hash) DO UPDATE SET added_at = excluded.added_at",
    )
    .bind(&hash[..])
    .bind(png)
    .bind(Moment(at));
    transaction.lease().execute(insert).await?;
    let forget = sqlx::query(FORGET).bind(i64::from(UNUSED_PICTURES));
    transaction.lease().execute(forget).await?;
    transaction.commit_unlogged().await
}

pub(crate) async fn one(store: &Postgres, hash: [u8; 32]) -> Result<Option<Vec<u8>>> {
    let select = sqlx::query("SELECT png FROM pictures WHERE hash = $1").bind(hash.to_vec());
    let row = store.read_optional(select).await?;
    row.map(|row| Columns::of(&row).value()).transpose()
}

/// Refuses an appearance whose picture does not exist.
pub(crate) async fn check(lease: &mut Lease, appearance: &Appearance) -> Result<()> {
    let Some(hash) = appearance.picture() else {
        return Ok(());
    };
    let select = sqlx::query("SELECT 1 FROM pictures WHERE hash = $1").bind(&hash[..]);
    match lease.optional(select).await? {
        Some(_) => Ok(()),
        None => Err(StoreError::NotFound("picture")),
    }
}
