//! What people are answered, and what must be true when they are.

use std::{collections::HashMap, sync::Arc};

use control::{Control, Error};
use session::{SessionId, Status, UserId, view::View, wire::SessionView};
use store::{LaunchRefusal, StoreError};

use super::{rules::Rule, world::World};

/// What became of a request, as far as who made it was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// A launch gave this session.
    Launched(SessionId),
    /// A launch of this person was denied.
    Denied(UserId),
    /// A launch was denied because there is no such user: in the log nobody asked for it.
    DeniedToNobody,
    /// It was done.
    Done,
    /// It was not done, and nothing was written.
    Nothing,
    /// Nobody knows.
    Unknown,
}

impl Fate {
    /// What an error says about what was written.
    pub const fn of(error: &Error) -> Self {
        match error {
            Error::Denied(LaunchRefusal::UnknownUser) => Self::DeniedToNobody,
            Error::Store(StoreError::Full | StoreError::Busy | StoreError::Unreachable(_)) => Self::Nothing,
            _ => Self::Unknown,
        }
    }
}

impl World {
    /// A request is answered.
    pub fn told(&self, request: u32, fate: Fate) {
        self.fates.lock().insert(request, fate);
    }

    /// A launch is answered.
    pub fn launched(&self, request: u32, by: UserId, done: control::Result<SessionView>) {
        let fate = match &done {
            Ok(view) => {
                if !self.ledger().knew(view.id) {
                    self.book
                        .broken(Rule::AnsweredIsKept, format_args!("launch {request} is not in the log"));
                }
                Fate::Launched(view.id)
            }
            Err(Error::Denied(refusal)) if *refusal != LaunchRefusal::UnknownUser => Fate::Denied(by),
            Err(error) => Fate::of(error),
        };
        self.book.say(format_args!("  {request} launch: {}", told(&done)));
        self.told(request, fate);
    }

    /// An expire without conditions is answered by a node.
    pub fn ended(self: &Arc<Self>, request: u32, node: usize, id: SessionId, done: &control::Result<SessionView>) {
        let name = self.ledger().name(id);
        self.book
            .say(format_args!("  {request} expire of s{name}: {}", told(done)));
        match done {
            Ok(_) => {
                self.told(request, Fate::Done);
                self.is_ended(node, id);
            }
            Err(error) => {
                self.told(request, Fate::of(error));
                let refused = matches!(error, Error::Ended(_) | Error::Status(_) | Error::Changed(_));
                if refused {
                    self.book.broken(
                        Rule::OneExpire,
                        format_args!("expire of s{name} was refused: {error:?}"),
                    );
                }
            }
        }
    }

    /// Somebody was answered by a node that a session is expired.
    pub fn is_ended(self: &Arc<Self>, node: usize, id: SessionId) {
        if self
            .ledger()
            .get(id)
            .is_some_and(|session| session.status != Status::Expired)
        {
            let name = self.ledger().name(id);
            self.book
                .broken(Rule::AnsweredIsKept, format_args!("s{name} is not expired in the log"));
        }
        self.expired.lock().entry(id).or_default().insert(node);
        self.look_at_tabs();
    }

    /// Somebody was answered that these sessions' cause is gone.
    pub fn cause_is_gone(&self, what: &str, is: impl Fn(&session::Session) -> bool) {
        for session in self.ledger().all() {
            if session.status != Status::Expired && is(&session) {
                let name = self.ledger().name(session.id);
                self.book
                    .broken(Rule::EndedWithCause, format_args!("s{name} goes on after {what}"));
            }
        }
    }

    /// Somebody looks at the list of a node.
    pub fn look_at_list(&self, node: usize, control: &Control) {
        let (_, me) = self.admin();
        let view = View {
            limit: 200,
            ..View::default()
        };
        let Ok(list) = control.list(&me, &view) else {
            return self.book.broken(Rule::Snapshot, "there is no list");
        };
        let rows: HashMap<_, _> = list.items.iter().map(|row| (row.id, row)).collect();
        let head = &list.head;
        let wrong = |how: String| {
            self.book.broken(
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
        let noted = self.ledger().noted();
        for row in &list.items {
            let was = noted
                .iter()
                .find(|noted| noted.id == row.id && noted.revision == row.version);
            let was = was.and_then(|noted| noted.after.as_ref());
            if was.is_none_or(|was| SessionView::from(was) != *row) {
                wrong(format!("it was never so: {row:?}"));
            }
        }
        for noted in noted.iter().filter(|noted| noted.revision <= head.revision) {
            let row = rows.get(&noted.id);
            if noted.after.is_none() && row.is_some() {
                wrong(format!("it still has {}", noted.id));
            }
            if row.is_some_and(|row| row.version < noted.revision) {
                wrong(format!("it has an old state of {}", noted.id));
            }
        }
    }
}

/// An answer, in a few words.
pub fn told<T>(done: &control::Result<T>) -> String {
    match done {
        Ok(_) => "done".into(),
        // An id tells of no seed.
        Err(Error::NoSession(_)) => "no such session".into(),
        Err(error) => error.to_string(),
    }
}
