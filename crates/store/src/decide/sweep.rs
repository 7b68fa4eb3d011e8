//! The turn to sweep.

use chrono::TimeDelta;
use session::Timestamp;

use crate::Claim;

/// The answer to a claim, and whether to record its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decided {
    /// Answer to the node that asked.
    pub claim: Claim,
    /// True if the time of the claim must be written as that of the last sweep.
    pub record: bool,
}

/// Decides a claim after the sweep that was granted at `last`.
///
/// A time a little before `last` is too early as well: the claim was made before the last one, or
/// by a node whose clock is behind, and arrived later. A time further back shows that the clock was
/// set back. The wait then counts from the new time, so that it is never longer than one interval.
pub fn claim(last: Option<Timestamp>, now: Timestamp, interval: TimeDelta) -> Decided {
    match last {
        Some(last) if (now - last).abs() < interval => Decided {
            claim: Claim::Wait(last + interval),
            record: false,
        },
        Some(last) if now < last => Decided {
            claim: Claim::Wait(now + interval),
            record: true,
        },
        _ => Decided {
            claim: Claim::Granted,
            record: true,
        },
    }
}

#[cfg(test)]
mod tests;
