//! Environments and applications. Each change is one transaction with its event.

use session::{
    Actor, ApplicationId, EndReason, EnvironmentId, EventKind, Timestamp,
    catalogue::{Admission, ApplicationSpec},
    event::ApplicationChange,
    query::fold,
};

use super::{
    Postgres,
    change::Change,
    connections::Lease,
    rows::{Columns, text},
    sessions,
};
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

/// Those of these applications that exist, with their environments.
pub(super) async fn launchable(lease: &mut Lease, ids: &[ApplicationId]) -> Result<Vec<Launchable>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let question = sqlx::query(concat!(
        "SELECT ",
        columns!(),
        ", environments.id, environments.name, kind, environments.open \
         FROM applications JOIN environments ON environments.id = environment_id WHERE applications.id = ANY ($1)"
    ))
    .bind(ids.iter().map(|id| id.0).collect::<Vec<_>>());
    let rows = lease.all(question).await?;
    rows.iter()
        .map(|row| {
            let mut columns = Columns::of(row);
            Ok(Launchable {
                application: application(&mut columns)?,
                environment: environment(&mut columns)?,
            })
        })
        .collect()
}

pub(super) async fn environments(store: &Postgres) -> Result<Vec<EnvironmentRow>> {
    let rows = store
        .read_all(sqlx::query("SELECT id, name, kind, open FROM environments"))
        .await?;
    let all = rows.iter().map(|row| environment(&mut Columns::of(row)));
    let mut all = all.collect::<Result<Vec<_>>>()?;
    all.sort_by_cached_key(|row| (fold(&row.name), row.id));
    Ok(all)
}

pub(super) async fn add_environment(store: &Postgres, row: &EnvironmentRow, by: &Actor, at: Timestamp) -> Result<()> {
    let mut change = Change::begin(store, by, at).await?;
    let insert = sqlx::query("INSERT INTO environments (id, name, kind, open) VALUES ($1, $2, $3, $4)")
        .bind(row.id.0)
        .bind(text(&row.name))
        .bind(text(&row.kind))
        .bind(row.open);
    change.lease().insert(insert, &row.name, "environment").await?;
    change.log(environment_changed(row));
    change.commit().await
}

pub(super) async fn set_environment_launches(
    store: &Postgres,
    id: EnvironmentId,
    to: Admission,
    by: &Actor,
    at: Timestamp,
) -> Result<bool> {
    let mut change = Change::begin(store, by, at).await?;
    let question = sqlx::query("SELECT id, name, kind, open FROM environments WHERE id = $1").bind(id.0);
    let Some(row) = change.lease().optional(question).await? else {
        change.undo().await?;
        return Ok(false);
    };
    let before = environment(&mut Columns::of(&row))?;
    let open = to.is_open();
    if before.open != open {
        let update = sqlx::query("UPDATE environments SET open = $2 WHERE id = $1")
            .bind(id.0)
            .bind(open);
        change.lease().execute(update).await?;
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

pub(super) async fn applications(store: &Postgres) -> Result<Vec<Application>> {
    let rows = store
        .read_all(sqlx::query(concat!("SELECT ", columns!(), " FROM applications")))
        .await?;
    let all = rows.iter().map(|row| application(&mut Columns::of(row)));
    let mut all = all.collect::<Result<Vec<_>>>()?;
    all.sort_by_cached_key(|row| (fold(&row.name), row.id));
    Ok(all)
}

pub(super) async fn add_application(
    store: &Postgres,
    application: &Application,
    by: &Actor,
    at: Timestamp,
) -> Result<()> {
    let mut change = Change::begin(store, by, at).await?;
    let insert = sqlx::query(
        "INSERT INTO applications (id, name, launch_text, environment_id, command, policy, seats, open) \
         VALUES ($1, $2, $3, $4, $5::text::json, $6::text::json, $7, $8)",
    )
    .bind(application.id.0)
    .bind(text(&application.name))
    .bind(text(&application.launch_text))
    .bind(application.environment_id.0)
    .bind(json(&application.command)?)
    .bind(json(&application.policy)?)
    .bind(application.seats.map(i64::from))
    .bind(application.open);
    change.lease().insert(insert, &application.name, "environment").await?;
    let added = ApplicationChange::Added(Box::new(application.spec()));
    change.log(application_changed(application, added));
    change.commit().await
}

pub(super) async fn update_application(
    store: &Postgres,
    id: ApplicationId,
    seen: &ApplicationSpec,
    wanted: &ApplicationSpec,
    by: &Actor,
    at: Timestamp,
) -> Result<Edited> {
    let mut change = Change::begin(store, by, at).await?;
    let Some(before) = by_id(change.lease(), id).await? else {
        change.undo().await?;
        return Ok(Edited::NotFound);
    };
    let is = before.spec();
    // Also whoever repeats an edit whose answer was lost is told that it is done.
    if is == *wanted {
        change.undo().await?;
        return Ok(Edited::Done(before));
    }
    if is != *seen {
        change.undo().await?;
        return Ok(Edited::Conflict(before));
    }
    let update = sqlx::query(
        "UPDATE applications SET name = $2, launch_text = $3, environment_id = $4, command = $5::text::json, \
         policy = $6::text::json, seats = $7 WHERE id = $1",
    )
    .bind(id.0)
    .bind(text(&wanted.name))
    .bind(text(&wanted.launch_text))
    .bind(wanted.environment_id.0)
    .bind(json(&wanted.command)?)
    .bind(json(&wanted.policy)?)
    .bind(wanted.seats.map(i64::from));
    change.lease().insert(update, &wanted.name, "environment").await?;
    let after = Application::new(id, wanted.clone(), before.open);
    let edited = ApplicationChange::Edited(Box::new(wanted.clone()));
    change.log(application_changed(&after, edited));
    change.commit().await?;
    Ok(Edited::Done(after))
}

pub(super) async fn set_application_launches(
    store: &Postgres,
    id: ApplicationId,
    to: Admission,
    by: &Actor,
    at: Timestamp,
) -> Result<bool> {
    let mut change = Change::begin(store, by, at).await?;
    let Some(before) = by_id(change.lease(), id).await? else {
        change.undo().await?;
        return Ok(false);
    };
    let open = to.is_open();
    if before.open != open {
        let update = sqlx::query("UPDATE applications SET open = $2 WHERE id = $1")
            .bind(id.0)
            .bind(open);
        change.lease().execute(update).await?;
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

async fn by_id(lease: &mut Lease, id: ApplicationId) -> Result<Option<Application>> {
    let question = sqlx::query(concat!("SELECT ", columns!(), " FROM applications WHERE id = $1")).bind(id.0);
    let row = lease.optional(question).await?;
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
        seats: columns
            .value::<Option<i64>>()?
            .map(u32::try_from)
            .transpose()
            .map_err(crate::values::corrupt)?,
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
