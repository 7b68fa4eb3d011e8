//! Uploaded pictures, the icons of applications.

use session::{Timestamp, catalogue::appearance::Appearance};
use sqlx::SqliteConnection;
use store::{Result, StoreError, UNUSED_PICTURES, values::micros};

use crate::{Sqlite, error::sql};

/// Forgets the oldest pictures that no application uses.
const FORGET: &str = "DELETE FROM pictures WHERE hash IN (SELECT hash FROM pictures \
     WHERE NOT EXISTS (SELECT 1 FROM applications WHERE picture = hash) ORDER BY added_at DESC, hash LIMIT -1 OFFSET ?1)";

pub(crate) async fn add(store: &Sqlite, hash: [u8; 32], png: &[u8], at: Timestamp) -> Result<()> {
    let mut transaction = store.begin().await?;
    sqlx::query(
        "INSERT INTO pictures (hash, png, added_at) VALUES (?1, ?2, ?3) \
         ON CONFLICT (hash) DO UPDATE SET added_at = excluded.added_at",
    )
    .bind(&hash[..])
    .bind(png)
    .bind(micros(at))
    .execute(&mut transaction.connection)
    .await
    .map_err(sql)?;
    sqlx::query(FORGET)
        .bind(UNUSED_PICTURES)
        .execute(&mut transaction.connection)
        .await
        .map_err(sql)?;
    transaction.commit().await
}

pub(crate) async fn one(store: &Sqlite, hash: [u8; 32]) -> Result<Option<Vec<u8>>> {
    sqlx::query_scalar("SELECT png FROM pictures WHERE hash = ?1")
        .bind(&hash[..])
        .fetch_optional(&store.readers)
        .await
        .map_err(sql)
}

/// Refuses an appearance whose picture does not exist.
pub(crate) async fn check(connection: &mut SqliteConnection, appearance: &Appearance) -> Result<()> {
    let Some(hash) = appearance.picture() else {
        return Ok(());
    };
    let exists: bool = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM pictures WHERE hash = ?1)")
        .bind(&hash[..])
        .fetch_one(connection)
        .await
        .map_err(sql)?;
    if exists {
        Ok(())
    } else {
        Err(StoreError::NotFound("picture"))
    }
}
