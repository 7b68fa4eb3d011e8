//! The log of events: reading and verifying it, and its checkpoints.

use async_trait::async_trait;
use session::{
    Event, SessionId, Timestamp,
    audit::{Numbered, Place},
};

use crate::{Checkpoint, Hash, Head, Result, Verified};

/// A part of the events, ordered by time, and by number at the same time. A search filters above
/// the store, so that every database finds the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventScan {
    /// Only events of this session.
    pub session: Option<SessionId>,
    /// Only events at this time or later.
    pub from: Option<Timestamp>,
    /// Only events before this time.
    pub until: Option<Timestamp>,
    /// The start and the direction. Nothing is found next to an event that does not exist.
    pub place: Place,
    /// The most events to return.
    pub limit: u32,
}

/// The events: one for each change. They are only ever added, and chained by hashes
/// ([`chain`](crate::chain)).
#[async_trait]
pub trait EventLog: Send + Sync + 'static {
    /// The events of a session, oldest first. Those of a purged session as well.
    async fn events(&self, id: SessionId) -> Result<Vec<Event>>;
    /// A part of all events: newest first, or oldest first with [`Place::After`].
    async fn scan_events(&self, scan: &EventScan) -> Result<Vec<Numbered>>;
    /// Reads every event, checks the chain, and finds the events that have these hashes.
    async fn verify_events(&self, heads: &[Hash]) -> Result<Verified>;
    /// The last event.
    async fn head(&self) -> Result<Head>;
    /// The hash of an event; `None` if no event has that number.
    async fn event_hash(&self, number: u64) -> Result<Option<Hash>>;
    /// Keeps a checkpoint. An earlier one of the same event stays as it is.
    async fn add_checkpoint(&self, checkpoint: &Checkpoint) -> Result<()>;
    /// Every checkpoint, oldest event first.
    async fn checkpoints(&self) -> Result<Vec<Checkpoint>>;
    /// Adds an event that changes nothing else, such as a failed sign-in.
    async fn log_event(&self, event: &Event) -> Result<()>;
}
