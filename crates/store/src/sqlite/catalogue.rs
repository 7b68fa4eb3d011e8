//! Environments and applications. Each change is one transaction with its event.

use futures::TryStreamExt;
use session::{
    Actor, ApplicationId, EndReason, EnvironmentId, EventKind, Timestamp,
    catalogue::{Admission, ApplicationSpec},
    event::ApplicationChange,
    query::fold,
};
use sqlx::SqliteConnection;

use super::{Sqlite, change::Change, rows::Columns, sessions};
use crate::{
    Application, Edited, EnvironmentRow, Result,
    decide::Launchable,
    values::{Shared, json},
};

macro_rules! columns {
    () => {
        "applications.id, applications.name, launch_text, environment_id, command, policy, seats, applications.open"
    };
}

/// What a launch needs to know.
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

pub(super) async fn add_environment(store: &Sqlite, row: &EnvironmentRow, by: &Actor, at: Timestamp) -> Result<()> {
    let mut change = Change::begin(store, by, at).await?;
    sqlx::query("INSERT INTO environments (id, name, kind, open) VALUES (?1, ?2, ?3, ?4)")
        .bind(&row.id.0.as_bytes()[..])
        .bind(&*row.name)
        .bind(&*row.kind)
        .bind(row.open)
        .execute(change.connection())
        .await
        .map_err(|error| super::refused(error, &row.name, "environment"))?;
    change.log(environment_changed(row));
    change.commit().await
}

pub(super) async fn set_environment_launches(
    store: &Sqlite,
    id: EnvironmentId,
    to: Admission,
    by: &Actor,
    at: Timestamp,
) -> Result<bool> {
    let mut change = Change::begin(store, by, at).await?;
    let row = sqlx::query("SELECT id, name, kind, open FROM environments WHERE id = ?1")
        .bind(&id.0.as_bytes()[..])
        .fetch_optional(change.connection())
        .await?;
    let Some(row) = row else { return Ok(false) };
    let before = environment(&mut Columns::of(&row))?;
    let open = to.is_open();
    if before.open != open {
        sqlx::query("UPDATE environments SET open = ?2 WHERE id = ?1")
            .bind(&id.0.as_bytes()[..])
            .bind(open)
            .execute(change.connection())
            .await?;
        change.log(environment_changed(&EnvironmentRow { open, ..before }));
    }
    if to == Admission::CloseAndEnd {
        change
            .end(sessions::UNENDED_OF_ENVIRONMENT, id.0, EndReason::EnvironmentClosed)
            .await?;
    }
    change.commit().await?;
    Ok(true)
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

pub(super) async fn add_application(
    store: &Sqlite,
    application: &Application,
    by: &Actor,
    at: Timestamp,
) -> Result<()> {
    let mut change = Change::begin(store, by, at).await?;
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
    .execute(change.connection())
    .await
    .map_err(|error| super::refused(error, &application.name, "environment"))?;
    let added = ApplicationChange::Added(Box::new(application.spec()));
    change.log(application_changed(application, added));
    change.commit().await
}

pub(super) async fn update_application(
    store: &Sqlite,
    id: ApplicationId,
    seen: &ApplicationSpec,
    wanted: &ApplicationSpec,
    by: &Actor,
    at: Timestamp,
) -> Result<Edited> {
    let mut change = Change::begin(store, by, at).await?;
    let Some(before) = by_id(change.connection(), id).await? else {
        return Ok(Edited::NotFound);
    };
    let is = before.spec();
    // Also whoever repeats an edit whose answer was lost is told that it is done.
    if is == *wanted {
        return Ok(Edited::Done(before));
    }
    if is != *seen {
        return Ok(Edited::Conflict(before));
    }
    sqlx::query(
        "UPDATE applications SET name = ?2, launch_text = ?3, environment_id = ?4, command = ?5, policy = ?6, seats = ?7 \
         WHERE id = ?1",
    )
    .bind(&id.0.as_bytes()[..])
    .bind(&*wanted.name)
    .bind(&*wanted.launch_text)
    .bind(&wanted.environment_id.0.as_bytes()[..])
    .bind(json(&wanted.command)?)
    .bind(json(&wanted.policy)?)
    .bind(wanted.seats)
    .execute(change.connection())
    .await
    .map_err(|error| super::refused(error, &wanted.name, "environment"))?;
    let after = Application::new(id, wanted.clone(), before.open);
    let edited = ApplicationChange::Edited(Box::new(wanted.clone()));
    change.log(application_changed(&after, edited));
    change.commit().await?;
    Ok(Edited::Done(after))
}

pub(super) async fn set_application_launches(
    store: &Sqlite,
    id: ApplicationId,
    to: Admission,
    by: &Actor,
    at: Timestamp,
) -> Result<bool> {
    let mut change = Change::begin(store, by, at).await?;
    let Some(before) = by_id(change.connection(), id).await? else {
        return Ok(false);
    };
    let open = to.is_open();
    if before.open != open {
        sqlx::query("UPDATE applications SET open = ?2 WHERE id = ?1")
            .bind(&id.0.as_bytes()[..])
            .bind(open)
            .execute(change.connection())
            .await?;
        let how = if open {
            ApplicationChange::Opened
        } else {
            ApplicationChange::Closed
        };
        change.log(application_changed(&before, how));
    }
    if to == Admission::CloseAndEnd {
        change
            .end(sessions::UNENDED_OF_APPLICATION, id.0, EndReason::ApplicationWithdrawn)
            .await?;
    }
    change.commit().await?;
    Ok(true)
}

async fn by_id(connection: &mut SqliteConnection, id: ApplicationId) -> Result<Option<Application>> {
    let row = sqlx::query(concat!("SELECT ", columns!(), " FROM applications WHERE id = ?1"))
        .bind(&id.0.as_bytes()[..])
        .fetch_optional(connection)
        .await?;
    row.map(|row| application(&mut Columns::of(&row))).transpose()
}

fn environment_changed(row: &EnvironmentRow) -> EventKind {
    EventKind::EnvironmentChanged {
        environment_id: row.id,
        name: row.name.clone(),
        open: row.open,
    }
}

fn application_changed(application: &Application, change: ApplicationChange) -> EventKind {
    EventKind::ApplicationChanged {
        application_id: application.id,
        name: application.name.clone(),
        change,
    }
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
