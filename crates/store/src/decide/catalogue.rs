//! Changes of the catalogue.

use session::{
    ApplicationId, EndReason, EventKind, Homes,
    catalogue::{ApplicationSpec, LaunchState},
    event::ApplicationChange,
};

use crate::{Application, Edited, EnvironmentRow};

/// The writes of opening or closing something to launches, in one transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetLaunches {
    /// The new value of the column `open`, with its event; `None` if it has that value already.
    pub open: Option<(bool, EventKind)>,
    /// Ends all its sessions, each with its event, after the event above.
    pub end_sessions: Option<EndReason>,
}

/// An edit of an application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// Nothing is written; the outcome.
    Nothing(Edited),
    /// The application after the edit, with its event.
    Write(Application, EventKind),
}

/// The event of a new environment.
pub fn environment_added(row: &EnvironmentRow) -> EventKind {
    environment_event(row, row.open)
}

/// The event of a new application.
pub fn application_added(application: &Application) -> EventKind {
    let added = ApplicationChange::Added(Box::new(application.spec()));
    application_event(application, added)
}

/// Opens or closes an environment.
pub fn set_environment_launches(before: &EnvironmentRow, to: LaunchState) -> SetLaunches {
    let open = to.is_open();
    SetLaunches {
        open: (before.open != open).then(|| (open, environment_event(before, open))),
        end_sessions: (to == LaunchState::ClosedAndEnded).then_some(EndReason::EnvironmentClosed),
    }
}

/// Changes the homes of an environment: its event, or `None` if they are so already.
pub fn set_homes(before: &EnvironmentRow, to: Homes) -> Option<EventKind> {
    let changed = EventKind::EnvironmentChanged {
        environment_id: before.id,
        name: before.name.clone(),
        open: before.open,
        homes: Some(to),
    };
    (before.homes != Some(to)).then_some(changed)
}

/// Opens or closes an application.
pub fn set_application_launches(before: &Application, to: LaunchState) -> SetLaunches {
    let open = to.is_open();
    let change = if open {
        ApplicationChange::Opened
    } else {
        ApplicationChange::Closed
    };
    SetLaunches {
        open: (before.open != open).then(|| (open, application_event(before, change))),
        end_sessions: (to == LaunchState::ClosedAndEnded).then_some(EndReason::ApplicationWithdrawn),
    }
}

/// Edits the application `before` from `seen` to `wanted`. An edit that is repeated because its
/// answer was lost succeeds.
pub fn update_application(
    id: ApplicationId,
    before: Option<Application>,
    seen: &ApplicationSpec,
    wanted: &ApplicationSpec,
) -> Edit {
    let Some(before) = before else {
        return Edit::Nothing(Edited::NotFound);
    };
    let is = before.spec();
    if is == *wanted {
        return Edit::Nothing(Edited::Done(before));
    }
    if is != *seen {
        return Edit::Nothing(Edited::Conflict(before));
    }
    let after = Application::new(id, wanted.clone(), before.open);
    let edited = ApplicationChange::Edited(Box::new(wanted.clone()));
    let event = application_event(&after, edited);
    Edit::Write(after, event)
}

fn environment_event(row: &EnvironmentRow, open: bool) -> EventKind {
    EventKind::EnvironmentChanged {
        environment_id: row.id,
        name: row.name.clone(),
        open,
        homes: None,
    }
}

fn application_event(application: &Application, change: ApplicationChange) -> EventKind {
    EventKind::ApplicationChanged {
        application_id: application.id,
        name: application.name.clone(),
        change,
    }
}

#[cfg(test)]
mod tests;
