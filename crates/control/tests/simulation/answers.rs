//! The answers to requests, and the checks at the moment of each answer.

use std::{collections::HashMap, sync::Arc};

use chrono::TimeDelta;
use control::{Clock, Control, Error};
use session::{Session, SessionId, Status, UserId, api::SessionView, view::View};
use store::{LaunchRefusal, StoreError};

use super::{
    rules::Rule,
    seed_data::{APPLICATIONS, ENVIRONMENTS, STUDENTS},
    steps::Action,
    world::World,
};

/// The outcome of a request, as far as its answer tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A launch returned this session.
    Launched(SessionId),
    /// A launch of this person was refused.
    Denied(UserId),
    /// A launch was refused because the user does not exist. The event of the refusal has no
    /// person.
    DeniedUnknownUser,
    /// The request succeeded.
    Done,
    /// The request failed, and wrote nothing.
    NothingWritten,
    /// The answer was lost, or there was none.
    Unknown,
}

impl Outcome {
    /// The outcome that an error tells.
    pub const fn of(error: &Error) -> Self {
        match error {
            Error::Denied(LaunchRefusal::UnknownUser) => Self::DeniedUnknownUser,
            Error::Store(StoreError::Full | StoreError::Busy | StoreError::Unreachable(_)) => Self::NothingWritten,
            _ => Self::Unknown,
        }
    }
}

impl World {
    /// Records the outcome of a request.
    pub fn record_outcome(&self, request: u32, outcome: Outcome) {
        self.outcomes.lock().insert(request, outcome);
    }

    /// Checks and records the answer to a launch.
    pub fn launched(&self, request: u32, by: UserId, done: control::Result<SessionView>) {
        let outcome = match &done {
            Ok(view) => {
                if !self.rows().was_launched(view.id) {
                    self.recorder
                        .violated(Rule::AnsweredIsKept, format_args!("launch {request} is not in the log"));
                }
                Outcome::Launched(view.id)
            }
            Err(Error::Denied(refusal)) if *refusal != LaunchRefusal::UnknownUser => Outcome::Denied(by),
            Err(error) => Outcome::of(error),
        };
        self.recorder
            .note(format_args!("  {request} launch: {}", summary(&done)));
        self.record_outcome(request, outcome);
    }

    /// Checks and records the answer to an unconditional expire.
    pub fn ended(self: &Arc<Self>, request: u32, node: usize, id: SessionId, done: &control::Result<SessionView>) {
        let name = self.rows().name(id);
        self.recorder
            .note(format_args!("  {request} expire of s{name}: {}", summary(done)));
        match done {
            Ok(_) => {
                self.record_outcome(request, Outcome::Done);
                self.expire_answered(node, id);
            }
            Err(error) => {
                self.record_outcome(request, Outcome::of(error));
                let refused = matches!(error, Error::Ended(_) | Error::Status(_) | Error::Changed(_));
                if refused {
                    self.recorder.violated(
                        Rule::OneExpire,
                        format_args!("expire of s{name} was refused: {error:?}"),
                    );
                }
            }
        }
    }

    /// Records that a node answered that a session is expired: the log must agree, and no tab may
    /// have it open.
    pub fn expire_answered(self: &Arc<Self>, node: usize, id: SessionId) {
        if self
            .rows()
            .get(id)
            .is_some_and(|session| session.status != Status::Expired)
        {
            let name = self.rows().name(id);
            self.recorder
                .violated(Rule::AnsweredIsKept, format_args!("s{name} is not expired in the log"));
        }
        self.expired.lock().entry(id).or_default().insert(node);
        self.check_tabs();
    }

    /// Checks that all sessions for which `is` holds have ended, after an answer that says so.
    fn check_ended_with_cause(&self, what: &str, is: impl Fn(&Session) -> bool) {
        for session in self.rows().all() {
            if session.status != Status::Expired && is(&session) {
                let name = self.rows().name(session.id);
                self.recorder
                    .violated(Rule::EndedWithCause, format_args!("s{name} goes on after {what}"));
            }
        }
    }

    /// Checks that the sessions without a cause have ended. A session of the last minute is left
    /// out: a concurrent request may have restored its cause.
    pub fn check_cause_removed(&self, action: Action) {
        let now = self.recorder.now();
        let old = |session: &Session| session.started_at + TimeDelta::seconds(60) < now;
        let pending = |session: &Session| session.status != Status::Expired && old(session);
        match action {
            Action::Block { who, blocked: true, .. } | Action::Remove { who, .. } => {
                self.check_ended_with_cause("their user is blocked", |session| {
                    session.user_id == STUDENTS[who] && pending(session)
                });
            }
            Action::SetApplicationLaunches { what, to: 2, .. } => {
                self.check_ended_with_cause("the application is withdrawn", |session| {
                    session.application_id == APPLICATIONS[what] && pending(session)
                });
            }
            Action::SetEnvironmentLaunches { environment, to: 2, .. } => {
                self.check_ended_with_cause("the environment is closed", |session| {
                    session.environment_id == ENVIRONMENTS[environment] && pending(session)
                });
            }
            _ => {}
        }
    }

    /// Reads the list of a node and compares it with the history of the rows.
    pub fn check_list(&self, node: usize, control: &Control) {
        let (_, me) = self.admin_request();
        let view = View {
            limit: 200,
            ..View::default()
        };
        let Ok(list) = control.list(&me, &view) else {
            return self.recorder.violated(Rule::Snapshot, "there is no list");
        };
        let rows: HashMap<_, _> = list.items.iter().map(|row| (row.id, row)).collect();
        let head = &list.head;
        let wrong = |how: String| {
            self.recorder.violated(
                Rule::Snapshot,
                format_args!("node {node}, revision {}: {how}", head.revision),
            );
        };
        if rows.len() != list.items.len() || usize::try_from(head.total).ok() != Some(rows.len()) {
            wrong(format!("{} rows of {}", rows.len(), head.total));
        }
        let mut live: HashMap<(UserId, _), SessionId> = HashMap::new();
        for row in list.items.iter().filter(|row| row.status.is_live()) {
            if let Some(other) = live.insert((row.user_id, row.application_id), row.id) {
                wrong(format!("both {other} and {} are live", row.id));
            }
        }
        let versions = self.rows().versions();
        for row in &list.items {
            let was = versions
                .iter()
                .find(|version| version.id == row.id && version.revision == row.version);
            let was = was.and_then(|version| version.after.as_ref());
            if was.is_none_or(|was| SessionView::from(was) != *row) {
                wrong(format!("it was never so: {row:?}"));
            }
        }
        for version in versions.iter().filter(|version| version.revision <= head.revision) {
            let row = rows.get(&version.id);
            if version.after.is_none() && row.is_some() {
                wrong(format!("it still has {}", version.id));
            }
            if row.is_some_and(|row| row.version < version.revision) {
                wrong(format!("it has an old state of {}", version.id));
            }
        }
    }
}

/// A short text for the log.
pub fn summary<T>(done: &control::Result<T>) -> String {
    match done {
        Ok(_) => "done".into(),
        // Without the id: it would make the logs of two runs differ.
        Err(Error::NoSession(_)) => "no such session".into(),
        Err(error) => error.to_string(),
    }
}
