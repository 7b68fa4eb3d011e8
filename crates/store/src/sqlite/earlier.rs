//! A database whose first layout came in two files: what they made is the same but for three indexes that nobody needed; the second
//! may be missing. It goes on as one that was made by the single file of today.

use sqlx::{Connection, SqliteConnection, migrate::Migrator};

use crate::Result;

/// SHA-384 of the first of the two, as such a database names it.
const FIRST: &str = "b4f122c8b1441169e3f52ba3ceffaf07c986e148b040d222f32e2f233249dc7c063396ace3b7d269ff9b1263ec8092e0";

/// To be called before the layout is brought up to date, by one program at a time. All or nothing; leaves any other database alone.
pub(super) async fn adopt(connection: &mut SqliteConnection, migrations: &Migrator) -> Result<()> {
    let Some(first) = migrations.iter().next() else {
        return Ok(());
    };
    if !is_earlier(connection).await? {
        return Ok(());
    }
    let mut transaction = connection.begin().await?;
    sqlx::query("UPDATE _sqlx_migrations SET checksum = ?1 WHERE version = 1")
        .bind(&*first.checksum)
        .execute(&mut *transaction)
        .await?;
    sqlx::raw_sql(
        "DELETE FROM _sqlx_migrations WHERE version = 2; CREATE INDEX IF NOT EXISTS events_by_time ON events (at, id); \
         DROP INDEX events_refused; DROP INDEX events_of_people; DROP INDEX events_of_catalogue",
    )
    .execute(&mut *transaction)
    .await?;
    Ok(transaction.commit().await?)
}

/// The layout of a database that is not up to date; `None` for one that is, and for an empty one.
pub(super) async fn version(connection: &mut SqliteConnection, migrations: &Migrator) -> Result<Option<i64>> {
    let tables: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_master WHERE name = '_sqlx_migrations'")
        .fetch_one(&mut *connection)
        .await?;
    if tables == 0 {
        return Ok(None);
    }
    let found: Vec<i64> = sqlx::query_scalar("SELECT version FROM _sqlx_migrations ORDER BY version")
        .fetch_all(&mut *connection)
        .await?;
    let lacks_one = migrations.iter().any(|known| !found.contains(&known.version));
    let earlier = lacks_one || is_earlier(connection).await?;
    Ok(earlier.then(|| found.last().copied().unwrap_or_default()))
}

async fn is_earlier(connection: &mut SqliteConnection) -> Result<bool> {
    let tables: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_master WHERE name = '_sqlx_migrations'")
        .fetch_one(&mut *connection)
        .await?;
    if tables == 0 {
        return Ok(false);
    }
    let found: i64 =
        sqlx::query_scalar("SELECT count(*) FROM _sqlx_migrations WHERE version = 1 AND checksum = unhex(?1)")
            .bind(FIRST)
            .fetch_one(connection)
            .await?;
    Ok(found > 0)
}
