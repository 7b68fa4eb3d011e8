//! Environments and applications. Each change is one transaction with its event.

use std::num::NonZeroU32;

use async_trait::async_trait;
use session::{
    Actor, ApplicationId, EnvironmentId, Homes, Timestamp,
    catalogue::{
        ApplicationSpec, LaunchState,
        appearance::{Appearance, hex},
    },
    query::fold,
};
use sqlx::SqliteConnection;
use store::{
    Application, Catalogue, Edited, EnvironmentRow, Result,
    decide::{
        catalogue::{self as decide, Edit, SetLaunches},
        reads::Launchable,
    },
    values::{Shared, json},
};
use uuid::Uuid;

use crate::{
    Sqlite,
    change::Change,
    error::{constraint, sql},
    pictures,
    rows::Columns,
    session_rows,
};

macro_rules! columns {
    () => {
        "applications.id, applications.name, launch_text, environment_id, command, policy, seats, description, category, icon, \
         picture, applications.open"
    };
}

#[async_trait]
impl Catalogue for Sqlite {
    async fn environments(&self) -> Result<Vec<EnvironmentRow>> {
        let rows = sqlx::query("SELECT id, name, kind, open, homes, home_limit_mib FROM environments")
            .fetch_all(&self.readers)
            .await
            .map_err(sql)?;
        let all = rows.iter().map(|row| environment(&mut Columns::of(row)));
        let mut all = all.collect::<Result<Vec<_>>>()?;
        all.sort_by_cached_key(|row| (fold(&row.name), row.id));
        Ok(all)
    }

    async fn add_environment(&self, row: &EnvironmentRow, by: &Actor, at: Timestamp) -> Result<()> {
        let mut change = Change::begin(self, by, at).await?;
        sqlx::query(
            "INSERT INTO environments (id, name, kind, open, homes, home_limit_mib) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )
        .bind(&row.id.0.as_bytes()[..])
        .bind(&*row.name)
        .bind(&*row.kind)
        .bind(row.open)
        .bind(row.homes.map(|homes| homes.kind.code()))
        .bind(row.homes.and_then(|homes| homes.limit_mib).map(NonZeroU32::get))
        .execute(change.connection())
        .await
        .map_err(|error| constraint(error, &row.name, "environment"))?;
        change.commit_one(decide::environment_added(row)).await
    }

    async fn set_environment_launches(
        &self,
        id: EnvironmentId,
        to: LaunchState,
        by: &Actor,
        at: Timestamp,
    ) -> Result<bool> {
        let mut change = Change::begin(self, by, at).await?;
        let row = sqlx::query("SELECT id, name, kind, open, homes, home_limit_mib FROM environments WHERE id = ?1")
            .bind(&id.0.as_bytes()[..])
            .fetch_optional(change.connection())
            .await
            .map_err(sql)?;
        let Some(row) = row else { return Ok(false) };
        let decided = decide::set_environment_launches(&environment(&mut Columns::of(&row))?, to);
        let statements = (
            "UPDATE environments SET open = ?2 WHERE id = ?1",
            session_rows::UNENDED_OF_ENVIRONMENT,
        );
        set_launches(change, id.0, decided, statements).await
    }

    async fn set_homes(&self, id: EnvironmentId, to: Homes, by: &Actor, at: Timestamp) -> Result<bool> {
        let mut change = Change::begin(self, by, at).await?;
        let row = sqlx::query("SELECT id, name, kind, open, homes, home_limit_mib FROM environments WHERE id = ?1")
            .bind(&id.0.as_bytes()[..])
            .fetch_optional(change.connection())
            .await
            .map_err(sql)?;
        let Some(row) = row else { return Ok(false) };
        let Some(event) = decide::set_homes(&environment(&mut Columns::of(&row))?, to) else {
            return Ok(true);
        };
        sqlx::query("UPDATE environments SET homes = ?2, home_limit_mib = ?3 WHERE id = ?1")
            .bind(&id.0.as_bytes()[..])
            .bind(to.kind.code())
            .bind(to.limit_mib.map(NonZeroU32::get))
            .execute(change.connection())
            .await
            .map_err(sql)?;
        change.commit_one(event).await?;
        Ok(true)
    }

    async fn applications(&self) -> Result<Vec<Application>> {
        let rows = sqlx::query(concat!("SELECT ", columns!(), " FROM applications"))
            .fetch_all(&self.readers)
            .await
            .map_err(sql)?;
        let all = rows.iter().map(|row| application(&mut Columns::of(row)));
        let mut all = all.collect::<Result<Vec<_>>>()?;
        all.sort_by_cached_key(|row| (fold(&row.name), row.id));
        Ok(all)
    }

    async fn add_application(&self, application: &Application, by: &Actor, at: Timestamp) -> Result<()> {
        let mut change = Change::begin(self, by, at).await?;
        let look = &application.appearance;
        pictures::check(change.connection(), look).await?;
        sqlx::query(
            "INSERT INTO applications (id, name, launch_text, environment_id, command, policy, seats, description, category, \
             icon, picture, open) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        )
        .bind(&application.id.0.as_bytes()[..])
        .bind(&*application.name)
        .bind(&*application.launch_text)
        .bind(&application.environment_id.0.as_bytes()[..])
        .bind(json(&application.command)?)
        .bind(json(&application.policy)?)
        .bind(application.seats)
        .bind(&*look.description)
        .bind(&*look.category)
        .bind(kept_icon(look))
        .bind(look.picture().map(Vec::from))
        .bind(application.open)
        .execute(change.connection())
        .await
        .map_err(|error| constraint(error, &application.name, "environment"))?;
        change.commit_one(decide::application_added(application)).await
    }

    async fn update_application(
        &self,
        id: ApplicationId,
        seen: &ApplicationSpec,
        wanted: &ApplicationSpec,
        by: &Actor,
        at: Timestamp,
    ) -> Result<Edited> {
        let mut change = Change::begin(self, by, at).await?;
        let before = by_id(change.connection(), id).await?;
        let (after, event) = match decide::update_application(id, before, seen, wanted) {
            Edit::Nothing(outcome) => return Ok(outcome),
            Edit::Write(after, event) => (after, event),
        };
        let look = &after.appearance;
        pictures::check(change.connection(), look).await?;
        sqlx::query(
            "UPDATE applications SET name = ?2, launch_text = ?3, environment_id = ?4, command = ?5, policy = ?6, seats = ?7, \
             description = ?8, category = ?9, icon = ?10, picture = ?11 WHERE id = ?1",
        )
        .bind(&id.0.as_bytes()[..])
        .bind(&*after.name)
        .bind(&*after.launch_text)
        .bind(&after.environment_id.0.as_bytes()[..])
        .bind(json(&after.command)?)
        .bind(json(&after.policy)?)
        .bind(after.seats)
        .bind(&*look.description)
        .bind(&*look.category)
        .bind(kept_icon(look))
        .bind(look.picture().map(Vec::from))
        .execute(change.connection())
        .await
        .map_err(|error| constraint(error, &after.name, "environment"))?;
        change.commit_one(event).await?;
        Ok(Edited::Done(after))
    }

    async fn set_application_launches(
        &self,
        id: ApplicationId,
        to: LaunchState,
        by: &Actor,
        at: Timestamp,
    ) -> Result<bool> {
        let mut change = Change::begin(self, by, at).await?;
        let Some(before) = by_id(change.connection(), id).await? else {
            return Ok(false);
        };
        let decided = decide::set_application_launches(&before, to);
        let statements = (
            "UPDATE applications SET open = ?2 WHERE id = ?1",
            session_rows::UNENDED_OF_APPLICATION,
        );
        set_launches(change, id.0, decided, statements).await
    }

    async fn add_picture(&self, hash: [u8; 32], png: &[u8], at: Timestamp) -> Result<()> {
        pictures::add(self, hash, png, at).await
    }

    async fn picture(&self, hash: [u8; 32]) -> Result<Option<Vec<u8>>> {
        pictures::one(self, hash).await
    }
}

/// The icon, unless it is a picture, which has a column of its own.
fn kept_icon(look: &Appearance) -> Option<&str> {
    look.icon.as_deref().filter(|_| look.picture().is_none())
}

/// Writes an opening or a closing: with one statement to update the row, and one to find its
/// sessions.
async fn set_launches(
    mut change: Change<'_>,
    id: Uuid,
    decided: SetLaunches,
    (update, unended): (&'static str, &'static str),
) -> Result<bool> {
    if let Some((open, event)) = decided.open {
        sqlx::query(update)
            .bind(&id.as_bytes()[..])
            .bind(open)
            .execute(change.connection())
            .await
            .map_err(sql)?;
        change.log(event);
    }
    if let Some(reason) = decided.end_sessions {
        change.end(unended, id, reason).await?;
    }
    change.commit().await?;
    Ok(true)
}

/// The row of an application and that of its environment, for launches.
pub(crate) async fn launchable(connection: &mut SqliteConnection, id: ApplicationId) -> Result<Option<Launchable>> {
    let row = sqlx::query(concat!(
        "SELECT ",
        columns!(),
        ", environments.id, environments.name, kind, environments.open, homes, home_limit_mib \
         FROM applications JOIN environments ON environments.id = environment_id WHERE applications.id = ?1"
    ))
    .bind(&id.0.as_bytes()[..])
    .fetch_optional(connection)
    .await
    .map_err(sql)?;
    let Some(row) = row else { return Ok(None) };
    let mut columns = Columns::of(&row);
    Ok(Some(Launchable {
        application: application(&mut columns)?,
        environment: environment(&mut columns)?,
    }))
}

async fn by_id(connection: &mut SqliteConnection, id: ApplicationId) -> Result<Option<Application>> {
    let row = sqlx::query(concat!("SELECT ", columns!(), " FROM applications WHERE id = ?1"))
        .bind(&id.0.as_bytes()[..])
        .fetch_optional(connection)
        .await
        .map_err(sql)?;
    row.map(|row| application(&mut Columns::of(&row))).transpose()
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
        appearance: appearance(columns, shared)?,
        open: columns.value()?,
    })
}

fn appearance(columns: &mut Columns<'_>, shared: &mut Shared) -> Result<Appearance> {
    Ok(Appearance {
        description: columns.text(shared)?,
        category: columns.text(shared)?,
        icon: match (columns.opt_text(shared)?, columns.opt_hash()?) {
            (_, Some(picture)) => Some(hex(&picture).into()),
            (icon, None) => icon,
        },
    })
}

fn environment(columns: &mut Columns<'_>) -> Result<EnvironmentRow> {
    let shared = &mut Shared::default();
    Ok(EnvironmentRow {
        id: EnvironmentId(columns.id()?),
        name: columns.text(shared)?,
        kind: columns.text(shared)?,
        open: columns.value()?,
        homes: homes(columns)?,
    })
}

fn homes(columns: &mut Columns<'_>) -> Result<Option<Homes>> {
    let (kind, limit_mib) = (columns.opt_parsed()?, columns.value::<Option<u32>>()?);
    Ok(kind.map(|kind| Homes {
        kind,
        limit_mib: limit_mib.and_then(NonZeroU32::new),
    }))
}
