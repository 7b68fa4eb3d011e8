//! Sessions that are expired together: what was chosen, and what became of each.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{
    BatchId, SessionId,
    lifecycle::Seen,
    view::View,
    wire::{Problem, SessionView},
};

/// Most sessions that can be chosen at once.
pub const MAX_CHOSEN: usize = 10_000;
/// Most sessions of one request: a batch goes to the server in parts, so that it can be followed and stopped.
pub const MAX_PART: usize = 250;
/// From how many sessions on the number must be typed before they are expired.
pub const TYPED_ABOVE: usize = 25;

/// Which sessions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Selector {
    /// These.
    Ids(Vec<SessionId>),
    /// All that a view shows, on whatever page.
    Matching(Box<View>),
}

/// One chosen session, as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chosen {
    /// Which.
    pub id: SessionId,
    /// Whose.
    pub username: Arc<str>,
    /// Where.
    pub environment: Arc<str>,
    /// Name of its application.
    #[serde(default)]
    pub application: Arc<str>,
    /// What the decision will be based on.
    pub seen: Seen,
}

/// What a selector chooses now: one snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Selection {
    /// Names the batch, should they be expired.
    pub batch: BatchId,
    /// Sessions that can be expired.
    pub sessions: Vec<Chosen>,
    /// Chosen ones that have ended already, or are gone.
    pub ended: u32,
}

/// A part of a batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpireMany {
    /// [`Selection::batch`]; the same for all its parts.
    pub batch: BatchId,
    /// How many sessions the whole batch has.
    pub size: u32,
    /// Shown to the users and kept.
    #[serde(default)]
    pub reason: Option<String>,
    /// Keep the users from launching the applications again for 15 minutes.
    #[serde(default)]
    pub block_relaunch: bool,
    /// At most [`MAX_PART`].
    pub sessions: Vec<Target>,
}

/// One session of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// Which.
    pub id: SessionId,
    /// What the decision was based on; without it the session is expired whatever it is.
    #[serde(default)]
    pub seen: Option<Seen>,
}

/// What became of one session of a batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// Which.
    pub id: SessionId,
    /// The session, where it is expired now: also where somebody was quicker.
    pub session: Option<SessionView>,
    /// Why it was not expired.
    pub problem: Option<Problem>,
}
