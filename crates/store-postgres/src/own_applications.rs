//! The applications that a person has marked or used.

use std::collections::BTreeMap;

use session::{ApplicationId, Session, UserId};
use store::{OwnApplication, Result};

use crate::{
    Postgres,
    connections::Lease,
    rows::{Columns, Moment},
};

pub(crate) async fn of(store: &Postgres, user_id: UserId) -> Result<Vec<OwnApplication>> {
    let select = sqlx::query(
        "SELECT application_id, favourite, used_at FROM own_applications WHERE user_id = $1 ORDER BY application_id",
    )
    .bind(user_id.0);
    let rows = store.read_all(select).await?;
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

pub(crate) async fn mark(store: &Postgres, user_id: UserId, id: ApplicationId, favourite: bool) -> Result<()> {
    let statement = sqlx::query(
        "INSERT INTO own_applications (user_id, application_id, favourite) VALUES ($1, $2, $3) \
         ON CONFLICT (user_id, application_id) DO UPDATE SET favourite = excluded.favourite",
    )
    .bind(user_id.0)
    .bind(id.0)
    .bind(favourite);
    let lease = store.writers.acquire().await?;
    lease.write(statement, "", "user or application").await?;
    Ok(())
}

/// Writes the time of each launch as the last use.
pub(crate) async fn used(lease: &mut Lease, launched: &[Session]) -> Result<()> {
    if launched.is_empty() {
        return Ok(());
    }
    // One statement can't change a row twice.
    let mut last = BTreeMap::new();
    for session in launched {
        let at = last
            .entry((session.user_id.0, session.application_id.0))
            .or_insert(session.started_at);
        *at = session.started_at.max(*at);
    }
    let statement = sqlx::query(
        "INSERT INTO own_applications AS own (user_id, application_id, used_at) \
         SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[]) \
         ON CONFLICT (user_id, application_id) DO UPDATE SET used_at = greatest(own.used_at, excluded.used_at)",
    )
    .bind(last.keys().map(|(user, _)| *user).collect::<Vec<_>>())
    .bind(last.keys().map(|(_, application)| *application).collect::<Vec<_>>())
    .bind(last.values().copied().map(Moment).collect::<Vec<_>>());
    lease.execute(statement).await?;
    Ok(())
}
