//! The rows that a batch needs: they are read once for the whole batch.

use std::collections::{BTreeSet, HashMap, HashSet};

use session::{ApplicationId, BatchId, Session, Timestamp, UserId};
use uuid::Uuid;

use crate::{Application, EnvironmentRow, User, WriteRequest};

/// An application with its environment.
pub struct Launchable {
    /// The application.
    pub application: Application,
    /// The environment that runs it.
    pub environment: EnvironmentRow,
}

/// A user and an application.
pub type Pair = (UserId, ApplicationId);

/// The rows to read for a batch.
#[derive(Default)]
pub struct Reads {
    /// The sessions of these ids.
    pub sessions: Vec<Uuid>,
    /// These users.
    pub users: Vec<Uuid>,
    /// These applications with their environments, and the number of their live sessions if their
    /// seats are limited.
    pub applications: Vec<ApplicationId>,
    /// The live sessions of these pairs, and the end of their relaunch blocks.
    pub pairs: BTreeSet<Pair>,
    /// The number of live sessions of these users.
    pub holders: BTreeSet<UserId>,
    /// Those of these batches that the log has.
    pub batches: Vec<BatchId>,
}

impl Reads {
    /// The rows that these requests need.
    pub fn of(requests: &[WriteRequest]) -> Self {
        let mut reads = Self::default();
        let (mut users, mut applications) = (BTreeSet::new(), BTreeSet::new());
        for request in requests {
            match request {
                WriteRequest::Launch {
                    application_id,
                    user_id,
                    most,
                    ..
                } => {
                    reads.pairs.insert((*user_id, *application_id));
                    reads.holders.extend(most.map(|_| *user_id));
                }
                WriteRequest::RecordRefusal {
                    user_id,
                    application_id,
                    ..
                } => {
                    users.insert(user_id.0);
                    applications.extend(*application_id);
                }
                WriteRequest::Step { session_id, .. } => reads.sessions.push(session_id.0),
                WriteRequest::Batch { batch, .. } => reads.batches.push(*batch),
                WriteRequest::Purge { .. } => {}
            }
        }
        users.extend(reads.pairs.iter().map(|(user, _)| user.0));
        applications.extend(reads.pairs.iter().map(|(_, application)| *application));
        reads.users.extend(users);
        reads.applications.extend(applications);
        reads
    }
}

/// The rows that [`Reads`] names, as far as they exist.
#[derive(Default)]
pub struct LoadedRows {
    /// The users, in any order.
    pub users: Vec<User>,
    /// The applications, in any order, each with its environment.
    pub launchable: Vec<Launchable>,
    /// The sessions, in any order; one may be there twice.
    pub sessions: Vec<Session>,
    /// The number of live sessions, at least of applications with limited seats.
    pub taken: HashMap<ApplicationId, i64>,
    /// The number of live sessions of the holders.
    pub held: HashMap<UserId, i64>,
    /// The end of each pair's relaunch block.
    pub blocked: HashMap<Pair, Timestamp>,
    /// The batches that the log has.
    pub noted: HashSet<BatchId>,
}
