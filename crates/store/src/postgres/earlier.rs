//! A database whose first layout came in two files: what they made is the same but for three indexes that nobody needed; the second
//! may be missing. It goes on as one that was made by the single file of today.

use sqlx::{Connection, PgConnection, migrate::Migrator};

use crate::Result;

/// SHA-384 of the first of the two, as such a database names it.
const FIRST: &str = "ca64f898863b97ed1ca9530fbdc0d17e9368ce19f195ce0462c82ce90175f54ca29ab422bccf4ec19867332ed11996ec";

/// To be called before the layout is brought up to date; all or nothing, and does nothing to any other database.
pub(super) async fn adopt(connection: &mut PgConnection, migrations: &Migrator) -> Result<()> {
    let known: bool = sqlx::query_scalar("SELECT to_regclass('_sqlx_migrations') IS NOT NULL")
        .fetch_one(&mut *connection)
        .await?;
    let Some(first) = migrations.iter().next().filter(|_| known) else {
        return Ok(());
    };
    let mut transaction = connection.begin().await?;
    // Of two nodes that come at once, the second waits here, and finds it done.
    let adopted =
        sqlx::query("UPDATE _sqlx_migrations SET checksum = $1 WHERE version = 1 AND checksum = decode($2, 'hex')")
            .bind(&*first.checksum)
            .bind(FIRST)
            .execute(&mut *transaction)
            .await?;
    if adopted.rows_affected() > 0 {
        sqlx::raw_sql(
            "DELETE FROM _sqlx_migrations WHERE version = 2; CREATE INDEX IF NOT EXISTS events_by_time ON events (at, id); DROP INDEX events_refused, events_of_people, events_of_catalogue",
        )
        .execute(&mut *transaction)
        .await?;
    }
    Ok(transaction.commit().await?)
}

/// The layout of a database that is not up to date; `None` for one that is, and for an empty one.
pub(super) async fn version(connection: &mut PgConnection, migrations: &Migrator) -> Result<Option<i64>> {
    let known: bool = sqlx::query_scalar("SELECT to_regclass('_sqlx_migrations') IS NOT NULL")
        .fetch_one(&mut *connection)
        .await?;
    if !known {
        return Ok(None);
    }
    let found: Vec<(i64, bool)> =
        sqlx::query_as("SELECT version, checksum = decode($1, 'hex') FROM _sqlx_migrations ORDER BY version")
            .bind(FIRST)
            .fetch_all(connection)
            .await?;
    if found.is_empty() {
        return Ok(None);
    }
    let lacks_one = migrations
        .iter()
        .any(|known| !found.iter().any(|(version, _)| *version == known.version));
    let earlier = lacks_one || found.iter().any(|(_, first)| *first);
    Ok(earlier.then(|| found.last().map_or(0, |(version, _)| *version)))
}
