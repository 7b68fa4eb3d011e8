//! The last failure of each user and application, for My apps.

use std::collections::HashMap;

use session::{ApplicationId, Session, SessionId, Status, Timestamp, UserId};

type Key = (UserId, ApplicationId);

/// The newest session of each (user, application) that ever had one in Error. The map is as large
/// as the number of failures in the list.
#[derive(Default)]
pub struct Failures(HashMap<Key, Newest>);

#[derive(Clone, Copy)]
struct Newest {
    /// Start and id: the order of launches.
    launch: (Timestamp, SessionId),
    failed: bool,
}

impl Failures {
    /// Notes a row. Rows of one user and application must arrive in the order of their launches;
    /// later versions of a row may arrive at any time.
    pub fn note(&mut self, session: &Session) {
        let key = (session.user_id, session.application_id);
        let new = Newest {
            launch: (session.started_at, session.id),
            failed: session.status == Status::Error,
        };
        match self.0.get_mut(&key) {
            Some(known) if known.launch <= new.launch => *known = new,
            None if new.failed => _ = self.0.insert(key, new),
            Some(_) | None => {}
        }
    }

    /// Forgets a row that left the list.
    pub fn forget(&mut self, session: &Session) {
        let key = (session.user_id, session.application_id);
        if self.0.get(&key).is_some_and(|newest| newest.launch.1 == session.id) {
            self.0.remove(&key);
        }
    }

    /// The session in Error, if it is the user's newest one of this application.
    pub fn of(&self, user: UserId, application: ApplicationId) -> Option<SessionId> {
        let newest = self.0.get(&(user, application))?;
        newest.failed.then_some(newest.launch.1)
    }
}
