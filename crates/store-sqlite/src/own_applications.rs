//! The applications that a person has marked or used.

use session::{ApplicationId, Session, UserId};
use sqlx::{QueryBuilder, SqliteConnection};
use store::{OwnApplication, Result, values::micros};

use crate::{
    Sqlite,
    error::{constraint, sql},
    rows::Columns,
};

/// The most launches of one statement.
const AT_ONCE: usize = 64;

pub(crate) async fn of(store: &Sqlite, user_id: UserId) -> Result<Vec<OwnApplication>> {
    let rows = sqlx::query(
        "SELECT application_id, favourite, used_at FROM own_applications WHERE user_id = ?1 ORDER BY application_id",
    )
    .bind(&user_id.0.as_bytes()[..])
    .fetch_all(&store.readers)
    .await
    .map_err(sql)?;
    let own = |row| {
        let mut columns = Columns::of(row);
        Ok(OwnApplication {
            id: ApplicationId(columns.id()?),
            favourite: columns.value()?,
            used_at: columns.opt_time()?,
        })
    };
    rows.iter().map(own).collect()
}

pub(crate) async fn mark(store: &Sqlite, user_id: UserId, id: ApplicationId, favourite: bool) -> Result<()> {
    let mut transaction = store.begin().await?;
    sqlx::query(
        "INSERT INTO own_applications (user_id, application_id, favourite) VALUES (?1, ?2, ?3) \
         ON CONFLICT (user_id, application_id) DO UPDATE SET favourite = excluded.favourite",
    )
    .bind(&user_id.0.as_bytes()[..])
    .bind(&id.0.as_bytes()[..])
    .bind(favourite)
    .execute(&mut transaction.connection)
    .await
    .map_err(|error| constraint(error, "", "user or application"))?;
    transaction.commit().await
}

/// Writes the time of each launch as the last use.
pub(crate) async fn used(connection: &mut SqliteConnection, launched: &[Session]) -> Result<()> {
    for some in launched.chunks(AT_ONCE) {
        let mut query =
            QueryBuilder::<sqlx::Sqlite>::new("INSERT INTO own_applications (user_id, application_id, used_at) ");
        query.push_values(some, |mut row, session| {
            row.push_bind(&session.user_id.0.as_bytes()[..])
                .push_bind(&session.application_id.0.as_bytes()[..])
                .push_bind(micros(session.started_at));
        });
        query.push(
            " ON CONFLICT (user_id, application_id) DO UPDATE \
             SET used_at = max(excluded.used_at, coalesce(used_at, excluded.used_at))",
        );
        query.build().execute(&mut *connection).await.map_err(sql)?;
    }
    Ok(())
}
