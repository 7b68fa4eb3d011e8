//! Environments and applications.

use session::{
    Actor, ApplicationId, EndReason, EnvironmentId, Event, EventKind, Timestamp,
    catalogue::{Admission, ApplicationSpec},
    event::ApplicationChange,
};

use super::{State, event, sessions};
use crate::{Application, Edited, EnvironmentRow, Result, StoreError};

pub(super) fn add_environment(
    state: &mut State,
    events: &mut Vec<Event>,
    row: &EnvironmentRow,
    by: &Actor,
    at: Timestamp,
) -> Result<()> {
    if state
        .environments
        .values()
        .any(|other| other.id == row.id || other.name == row.name)
    {
        return Err(StoreError::AlreadyExists(row.name.to_string()));
    }
    state.environments.insert(row.id, row.clone());
    events.push(environment_changed(row, by, at));
    Ok(())
}

pub(super) fn set_environment_launches(
    state: &mut State,
    events: &mut Vec<Event>,
    id: EnvironmentId,
    to: Admission,
    by: &Actor,
    at: Timestamp,
) -> Result<bool> {
    let Some(row) = state.environments.get_mut(&id) else {
        return Ok(false);
    };
    if row.open != to.is_open() {
        row.open = to.is_open();
        events.push(environment_changed(row, by, at));
    }
    if to == Admission::CloseAndEnd {
        sessions::end(state, events, EndReason::EnvironmentClosed, (by, at), |session| {
            session.environment_id == id
        })?;
    }
    Ok(true)
}

pub(super) fn add_application(
    state: &mut State,
    events: &mut Vec<Event>,
    application: &Application,
    by: &Actor,
    at: Timestamp,
) -> Result<()> {
    if state.applications.contains_key(&application.id) {
        return Err(StoreError::AlreadyExists(application.name.to_string()));
    }
    fits(state, application)?;
    state.applications.insert(application.id, application.clone());
    let added = ApplicationChange::Added(Box::new(application.spec()));
    events.push(application_changed(application, by, at, added));
    Ok(())
}

pub(super) fn update_application(
    state: &mut State,
    events: &mut Vec<Event>,
    id: ApplicationId,
    (seen, wanted): (&ApplicationSpec, &ApplicationSpec),
    by: &Actor,
    at: Timestamp,
) -> Result<Edited> {
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
    fits(state, &after)?;
    state.applications.insert(id, after.clone());
    let edited = ApplicationChange::Edited(Box::new(wanted.clone()));
    events.push(application_changed(&after, by, at, edited));
    Ok(Edited::Done(after))
}

pub(super) fn set_application_launches(
    state: &mut State,
    events: &mut Vec<Event>,
    id: ApplicationId,
    to: Admission,
    by: &Actor,
    at: Timestamp,
) -> Result<bool> {
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
    if to == Admission::CloseAndEnd {
        sessions::end(state, events, EndReason::ApplicationWithdrawn, (by, at), |session| {
            session.application_id == id
        })?;
    }
    Ok(true)
}

/// Its name is its own, and its environment is there.
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
