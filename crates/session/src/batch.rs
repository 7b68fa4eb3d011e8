//! Sessions that an administrator expires together: selection, request and outcomes.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{
    BatchId, SessionId,
    api::{Problem, SessionView},
    lifecycle::Seen,
    view::View,
};

/// Maximum number of sessions in a selection.
pub const MAX_CHOSEN: usize = 10_000;
/// Maximum number of sessions in one request. A batch is sent in parts, so that the person can
/// follow and stop it.
pub const MAX_PART: usize = 250;
/// Above this many sessions, the administrator must type the number to confirm.
pub const TYPED_ABOVE: usize = 25;

/// Sessions to select.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Selector {
    /// By id.
    Ids(Vec<SessionId>),
    /// All that match a view, on any page.
    Matching(Box<View>),
}

/// One selected session in its current state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chosen {
    /// Session id.
    pub id: SessionId,
    /// Name of the session's user.
    pub username: Arc<str>,
    /// Name of its environment.
    pub environment: Arc<str>,
    /// Name of its application.
    #[serde(default)]
    pub application: Arc<str>,
    /// Current state, the basis of the decision.
    pub seen: Seen,
}

/// The sessions that a selector matches, as one snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Selection {
    /// Id for the batch, if the administrator expires them.
    pub batch: BatchId,
    /// Sessions that can be expired.
    pub sessions: Vec<Chosen>,
    /// Number of selected sessions that have ended or were purged.
    pub ended: u32,
}

/// A request to expire a part of a batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpireMany {
    /// [`Selection::batch`], the same for all parts.
    pub batch: BatchId,
    /// Number of sessions in the whole batch.
    pub size: u32,
    /// Reason, logged and shown to the users.
    #[serde(default)]
    pub reason: Option<String>,
    /// Whether to block the users from relaunching the applications for 15 minutes.
    #[serde(default)]
    pub block_relaunch: bool,
    /// At most [`MAX_PART`].
    pub sessions: Vec<Target>,
}

/// One session of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// Session id.
    pub id: SessionId,
    /// State that the decision was based on; `None` = expire in any state.
    #[serde(default)]
    pub seen: Option<Seen>,
}

/// The outcome for one session of a batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// Session id.
    pub id: SessionId,
    /// The session, if it is expired now, also if another actor ended it first.
    pub session: Option<SessionView>,
    /// Reason why it was not expired.
    pub problem: Option<Problem>,
}
