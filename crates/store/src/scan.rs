//! Reading the log of events in order, a part at a time. What of it somebody looks for is decided above the store, so that every
//! database finds the same.

use session::{SessionId, Timestamp, audit::Place};

/// A part of the events. They are in the order of their time, and of their number where that is the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventScan {
    /// Only what happened to this session.
    pub session: Option<SessionId>,
    /// Only what happened then or later.
    pub from: Option<Timestamp>,
    /// Only what happened earlier.
    pub until: Option<Timestamp>,
    /// Where to start, and which way to go. There is nothing beside an event that does not exist.
    pub place: Place,
    /// At most so many.
    pub limit: u32,
}
