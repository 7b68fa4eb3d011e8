//! Sessions: reading them and their changes, and writing batches of requests.

use std::{num::NonZeroU32, sync::Arc};

use async_trait::async_trait;
use session::{Actor, ApplicationId, BatchId, Event, Origin, Session, SessionId, Timestamp, UserId, lifecycle};

use crate::{LaunchRefusal, Result};

/// A write that is decided on the rows as its transaction sees them. A batch of requests is one
/// transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WriteRequest {
    /// Starts a session, resumes the user's live session of that application, or records the
    /// refusal.
    Launch {
        /// The id of the new session.
        session_id: SessionId,
        /// The application to launch.
        application_id: ApplicationId,
        /// The user to launch it for.
        user_id: UserId,
        /// The node that will run the session.
        node: Arc<str>,
        /// The origin of the HTTP request.
        origin: Option<Origin>,
        /// The most live sessions that the user may have; `None` = no limit.
        most: Option<NonZeroU32>,
        /// Refusals that the log already has: an equal one is answered but not written again.
        recorded: Vec<LaunchRefusal>,
        /// The time of the request.
        at: Timestamp,
    },
    /// Records a refusal that no [`WriteRequest::Launch`] has written.
    RecordRefusal {
        /// The user whose launch was refused.
        user_id: UserId,
        /// The application; `None` if the refusal is about launches in general.
        application_id: Option<ApplicationId>,
        /// The reason of the refusal.
        refusal: LaunchRefusal,
        /// The number of equal refusals since the log's last event of this one; `None` = this is
        /// the first.
        more: Option<NonZeroU32>,
        /// The origin of the HTTP request.
        origin: Option<Origin>,
        /// The time of the refusal.
        at: Timestamp,
    },
    /// Applies [`lifecycle::step`].
    Step {
        /// Session to change.
        session_id: SessionId,
        /// The command to apply.
        command: lifecycle::Command,
        /// The author of the command.
        by: Actor,
        /// The time of the command.
        at: Timestamp,
    },
    /// Notes that sessions are expired together: one event for the batch, however often it is
    /// noted.
    Batch {
        /// Id that all events of the batch carry.
        batch: BatchId,
        /// The number of sessions that the administrator chose.
        size: u32,
        /// The administrator's note.
        note: Option<Arc<str>>,
        /// Administrator that expired them.
        by: Actor,
        /// Time of all changes in the batch.
        at: Timestamp,
    },
    /// Removes sessions that are [`lifecycle::purgeable`], at most 1,000.
    Purge {
        /// The time to compare with.
        at: Timestamp,
    },
}

/// The facts that the start of a new session needs beside its row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// See [`User::number`](crate::User::number).
    pub user_number: u32,
}

/// The outcome of a [`WriteRequest`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WriteOutcome {
    /// A new session, Pending, and its start.
    Launched(Session, Start),
    /// The user's live session of that application. Nothing was written.
    Resumed(Session),
    /// The launch was refused. The refusal is in the log, written now unless it was already
    /// recorded.
    Denied(LaunchRefusal),
    /// The session after the command.
    Stepped {
        /// The session as it is now.
        session: Session,
        /// False if the command changed nothing, and so wrote nothing.
        changed: bool,
    },
    /// [`lifecycle::step`] refused; the session as it is.
    Refused(lifecycle::Refusal, Session),
    /// No session has that id.
    NotFound,
    /// The batch, or the refusal, is in the log.
    Noted,
    /// The sessions that were removed.
    Purged(Vec<SessionId>),
}

/// A committed batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// The log's revision after the batch; unchanged if nothing was written.
    pub revision: u64,
    /// One outcome per request, in order.
    pub outcomes: Vec<WriteOutcome>,
}

/// The changes after some revision: the newest state of each session, once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// The revision that these changes lead to.
    pub revision: u64,
    /// Sessions that are new or differ.
    pub sessions: Vec<Session>,
    /// Sessions that were removed.
    pub purged: Vec<SessionId>,
    /// Events that change access: of people, sign-outs, applications and environments. In order.
    pub access: Vec<Event>,
}

/// The sessions and the log's revision.
#[async_trait]
pub trait Sessions: Send + Sync + 'static {
    /// Every session, and the revision that they show.
    async fn load(&self) -> Result<Changes>;
    /// The changes after a revision.
    async fn changes(&self, after: u64) -> Result<Changes>;
    /// The log's revision.
    async fn revision(&self) -> Result<u64>;
    /// Writes a batch. Only [`Writer`](crate::Writer) may call it: one batch at a time, and never
    /// in a future that may be dropped.
    async fn write(&self, batch: &[WriteRequest]) -> Result<Committed>;
    /// Adds synthetic sessions as they are, except for their version, in transactions of some
    /// thousand rows, so that a running server gets its turn.
    /// [`StoreError::NotEmpty`](crate::StoreError::NotEmpty) if there are sessions already.
    async fn seed(&self, sessions: &[Session]) -> Result<()>;
}
