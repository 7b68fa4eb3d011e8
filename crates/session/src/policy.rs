//! The limits a session lives under. Each is Off (`None`) or a duration in seconds; there is no "0 means off".

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// A limit: `None` is Off.
pub type Limit = Option<std::num::NonZeroU32>;

/// Limits of one delivery method, in seconds. The defaults are those of SPEC.md §5.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// From launch to ready; then the session is in Error. Default 5 min.
    pub start_seconds: Limit,
    /// From ready to the first tab; then it expires. Default 10 min.
    pub never_connected_seconds: Limit,
    /// From the last tab's leaving; then it expires. Default 15 min.
    pub disconnected_seconds: Limit,
    /// From launch; then it expires. Default 8 h. Off still ends: at [`Policy::LONGEST_SECONDS`].
    pub total_seconds: Limit,
}

impl Policy {
    /// A session whose total limit is Off is valid for a year: "Valid until" always names a moment.
    pub const LONGEST_SECONDS: u32 = 365 * 24 * 3600;

    /// "Valid until" of a session launched at `started_at`.
    pub fn valid_until(&self, started_at: Timestamp) -> Timestamp {
        let seconds = self
            .total_seconds
            .map_or(Self::LONGEST_SECONDS, std::num::NonZeroU32::get);
        started_at + chrono::TimeDelta::seconds(i64::from(seconds))
    }
}

impl Default for Policy {
    fn default() -> Self {
        let minutes = |n: u32| std::num::NonZeroU32::new(n * 60);
        Self {
            start_seconds: minutes(5),
            never_connected_seconds: minutes(10),
            disconnected_seconds: minutes(15),
            total_seconds: minutes(8 * 60),
        }
    }
}
