//! Environments and applications.

use futures::TryStreamExt;
use session::{ApplicationId, EnvironmentId, query::fold};
use sqlx::SqliteConnection;

use super::{
    Sqlite,
    rows::{Columns, Shared, json},
};
use crate::{Application, EnvironmentRow, Result};

macro_rules! columns {
    () => {
        "applications.id, applications.name, launch_text, environment_id, command, policy, seats, applications.open"
    };
}

/// What a launch needs to know.
pub(super) struct Launchable {
    pub(super) application: Application,
    pub(super) environment: EnvironmentRow,
}

pub(super) async fn launchable(connection: &mut SqliteConnection, id: ApplicationId) -> Result<Option<Launchable>> {
    let row = sqlx::query(concat!(
        "SELECT ",
        columns!(),
        ", environments.id, environments.name, kind, environments.open \
         FROM applications JOIN environments ON environments.id = environment_id WHERE applications.id = ?1"
    ))
    .bind(&id.0.as_bytes()[..])
    .fetch_optional(connection)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let mut columns = Columns::of(&row);
    Ok(Some(Launchable {
        application: application(&mut columns)?,
        environment: environment(&mut columns)?,
    }))
}

pub(super) async fn environments(store: &Sqlite) -> Result<Vec<EnvironmentRow>> {
    let mut all: Vec<_> = sqlx::query("SELECT id, name, kind, open FROM environments")
        .fetch(&store.readers)
        .map_err(Into::into)
        .and_then(async |row| environment(&mut Columns::of(&row)))
        .try_collect()
        .await?;
    all.sort_by_cached_key(|row: &EnvironmentRow| (fold(&row.name), row.id));
    Ok(all)
}

pub(super) async fn add_environment(store: &Sqlite, row: &EnvironmentRow) -> Result<()> {
    let mut transaction = store.begin().await?;
    sqlx::query("INSERT INTO environments (id, name, kind, open) VALUES (?1, ?2, ?3, ?4)")
        .bind(&row.id.0.as_bytes()[..])
        .bind(&*row.name)
        .bind(&*row.kind)
        .bind(row.open)
        .execute(&mut transaction.connection)
        .await
        .map_err(|error| super::refused(error, &row.name, "environment"))?;
    transaction.commit().await
}

pub(super) async fn open_environment(store: &Sqlite, id: EnvironmentId, open: bool) -> Result<bool> {
    let mut transaction = store.begin().await?;
    let done = sqlx::query("UPDATE environments SET open = ?2 WHERE id = ?1")
        .bind(&id.0.as_bytes()[..])
        .bind(open)
        .execute(&mut transaction.connection)
        .await?;
    transaction.commit().await?;
    Ok(done.rows_affected() > 0)
}

pub(super) async fn applications(store: &Sqlite) -> Result<Vec<Application>> {
    let mut all: Vec<_> = sqlx::query(concat!("SELECT ", columns!(), " FROM applications"))
        .fetch(&store.readers)
        .map_err(Into::into)
        .and_then(async |row| application(&mut Columns::of(&row)))
        .try_collect()
        .await?;
    all.sort_by_cached_key(|row: &Application| (fold(&row.name), row.id));
    Ok(all)
}

pub(super) async fn add_application(store: &Sqlite, application: &Application) -> Result<()> {
    let mut transaction = store.begin().await?;
    sqlx::query(
        "INSERT INTO applications (id, name, launch_text, environment_id, command, policy, seats, open) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )
    .bind(&application.id.0.as_bytes()[..])
    .bind(&*application.name)
    .bind(&*application.launch_text)
    .bind(&application.environment_id.0.as_bytes()[..])
    .bind(json(&application.command)?)
    .bind(json(&application.policy)?)
    .bind(application.seats)
    .bind(application.open)
    .execute(&mut transaction.connection)
    .await
    .map_err(|error| super::refused(error, &application.name, "environment"))?;
    transaction.commit().await
}

pub(super) async fn open_application(store: &Sqlite, id: ApplicationId, open: bool) -> Result<bool> {
    let mut transaction = store.begin().await?;
    let done = sqlx::query("UPDATE applications SET open = ?2 WHERE id = ?1")
        .bind(&id.0.as_bytes()[..])
        .bind(open)
        .execute(&mut transaction.connection)
        .await?;
    transaction.commit().await?;
    Ok(done.rows_affected() > 0)
}

fn application(columns: &mut Columns<'_>) -> Result<Application> {
    let shared = &mut Shared::default();
    Ok(Application {
        id: ApplicationId(columns.id()?),
        name: columns.text(shared)?,
        launch_text: columns.text(shared)?,
        environment_id: EnvironmentId(columns.id()?),
        command: columns.json()?,
        policy: columns.json()?,
        seats: columns.value()?,
        open: columns.value()?,
    })
}

fn environment(columns: &mut Columns<'_>) -> Result<EnvironmentRow> {
    let shared = &mut Shared::default();
    Ok(EnvironmentRow {
        id: EnvironmentId(columns.id()?),
        name: columns.text(shared)?,
        kind: columns.text(shared)?,
        open: columns.value()?,
    })
}
