//! Environments and applications.

use std::cmp::Reverse;

use async_trait::async_trait;
use session::{
    Actor, ApplicationId, EndReason, EnvironmentId, Event, EventKind, Homes, Timestamp,
    catalogue::{ApplicationSpec, LaunchState, appearance::Appearance},
    event::ApplicationChange,
    query::fold,
};
use store::{Application, Catalogue, Edited, EnvironmentRow, Result, StoreError, values::truncate_to_micros};

use super::{Memory, State, batch, event};

#[async_trait]
impl Catalogue for Memory {
    async fn environments(&self) -> Result<Vec<EnvironmentRow>> {
        self.read(|state| {
            let mut all: Vec<_> = state.environments.values().cloned().collect();
            all.sort_by_key(|row| (fold(&row.name), row.id));
            all
        })
    }

    async fn add_environment(&self, row: &EnvironmentRow, by: &Actor, at: Timestamp) -> Result<()> {
        self.record(|state, events| {
            let mut others = state.environments.values();
            if others.any(|other| other.id == row.id || other.name == row.name) {
                return Err(StoreError::AlreadyExists(row.name.to_string()));
            }
            state.environments.insert(row.id, row.clone());
            events.push(environment_changed(row, by, at));
            Ok(())
        })
    }

    async fn set_environment_launches(
        &self,
        id: EnvironmentId,
        to: LaunchState,
        by: &Actor,
        at: Timestamp,
    ) -> Result<bool> {
        self.record(|state, events| {
            let Some(row) = state.environments.get_mut(&id) else {
                return Ok(false);
            };
            if row.open != to.is_open() {
                row.open = to.is_open();
                events.push(environment_changed(row, by, at));
            }
            if to == LaunchState::ClosedAndEnded {
                batch::end(state, events, EndReason::EnvironmentClosed, (by, at), |session| {
                    session.environment_id == id
                })?;
            }
            Ok(true)
        })
    }

    async fn set_homes(&self, id: EnvironmentId, to: Homes, by: &Actor, at: Timestamp) -> Result<bool> {
        self.record(|state, events| {
            let Some(row) = state.environments.get_mut(&id) else {
                return Ok(false);
            };
            if row.homes != Some(to) {
                row.homes = Some(to);
                let what = EventKind::EnvironmentChanged {
                    environment_id: id,
                    name: row.name.clone(),
                    open: row.open,
                    homes: Some(to),
                };
                events.push(event(by, at, what));
            }
            Ok(true)
        })
    }

    async fn applications(&self) -> Result<Vec<Application>> {
        self.read(|state| {
            let mut all: Vec<_> = state.applications.values().cloned().collect();
            all.sort_by_key(|row| (fold(&row.name), row.id));
            all
        })
    }

    async fn add_application(&self, application: &Application, by: &Actor, at: Timestamp) -> Result<()> {
        self.record(|state, events| {
            has_picture(state, &application.appearance)?;
            if state.applications.contains_key(&application.id) {
                return Err(StoreError::AlreadyExists(application.name.to_string()));
            }
            fits(state, application)?;
            state.applications.insert(application.id, application.clone());
            let added = ApplicationChange::Added(Box::new(application.spec()));
            events.push(application_changed(application, by, at, added));
            Ok(())
        })
    }

    async fn update_application(
        &self,
        id: ApplicationId,
        seen: &ApplicationSpec,
        wanted: &ApplicationSpec,
        by: &Actor,
        at: Timestamp,
    ) -> Result<Edited> {
        self.record(|state, events| {
            let Some(before) = state.applications.get(&id).cloned() else {
                return Ok(Edited::NotFound);
            };
            if before.spec() == *wanted {
                return Ok(Edited::Done(before));
            }
            if before.spec() != *seen {
                return Ok(Edited::Conflict(before));
            }
            let after = Application::new(id, wanted.clone(), before.open);
            has_picture(state, &after.appearance)?;
            fits(state, &after)?;
            state.applications.insert(id, after.clone());
            let edited = ApplicationChange::Edited(Box::new(wanted.clone()));
            events.push(application_changed(&after, by, at, edited));
            Ok(Edited::Done(after))
        })
    }

    async fn set_application_launches(
        &self,
        id: ApplicationId,
        to: LaunchState,
        by: &Actor,
        at: Timestamp,
    ) -> Result<bool> {
        self.record(|state, events| {
            let Some(row) = state.applications.get_mut(&id) else {
                return Ok(false);
            };
            if row.open != to.is_open() {
                row.open = to.is_open();
                let how = if row.open {
                    ApplicationChange::Opened
                } else {
                    ApplicationChange::Closed
                };
                events.push(application_changed(row, by, at, how));
            }
            if to == LaunchState::ClosedAndEnded {
                batch::end(state, events, EndReason::ApplicationWithdrawn, (by, at), |session| {
                    session.application_id == id
                })?;
            }
            Ok(true)
        })
    }

    async fn add_picture(&self, hash: [u8; 32], png: &[u8], at: Timestamp) -> Result<()> {
        self.transact(|state| {
            let kept = state
                .pictures
                .remove(&hash)
                .map_or_else(|| png.to_vec(), |(_, png)| png);
            state.pictures.insert(hash, (truncate_to_micros(at), kept));
            let used: Vec<_> = state
                .applications
                .values()
                .filter_map(|row| row.appearance.picture())
                .collect();
            let mut unused: Vec<_> = state
                .pictures
                .iter()
                .filter(|(hash, _)| !used.contains(*hash))
                .map(|(hash, (at, _))| (Reverse(*at), *hash))
                .collect();
            unused.sort_unstable();
            for (_, hash) in unused.into_iter().skip(100) {
                state.pictures.remove(&hash);
            }
            Ok(())
        })
    }

    async fn picture(&self, hash: [u8; 32]) -> Result<Option<Vec<u8>>> {
        self.read(|state| state.pictures.get(&hash).map(|(_, png)| png.clone()))
    }
}

/// Checks that its picture exists.
fn has_picture(state: &State, appearance: &Appearance) -> Result<()> {
    match appearance.picture() {
        Some(hash) if !state.pictures.contains_key(&hash) => Err(StoreError::NotFound("picture")),
        _ => Ok(()),
    }
}

/// Checks that its name is unique and that its environment exists.
fn fits(state: &State, application: &Application) -> Result<()> {
    let mut others = state.applications.values().filter(|other| other.id != application.id);
    if others.any(|other| other.name == application.name) {
        return Err(StoreError::AlreadyExists(application.name.to_string()));
    }
    if !state.environments.contains_key(&application.environment_id) {
        return Err(StoreError::NotFound("environment"));
    }
    Ok(())
}

fn environment_changed(row: &EnvironmentRow, by: &Actor, at: Timestamp) -> Event {
    let what = EventKind::EnvironmentChanged {
        environment_id: row.id,
        name: row.name.clone(),
        open: row.open,
        homes: None,
    };
    event(by, at, what)
}

fn application_changed(application: &Application, by: &Actor, at: Timestamp, change: ApplicationChange) -> Event {
    let what = EventKind::ApplicationChanged {
        application_id: application.id,
        name: application.name.clone(),
        change,
    };
    event(by, at, what)
}
