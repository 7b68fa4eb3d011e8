//! The limits a session lives under. Each is Off (`None`) or a duration in seconds; there is no "0 means off". And what its
//! sandbox allows beyond the usual.

use crate::format;
use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// A limit: `None` is Off.
pub type Limit = Option<std::num::NonZeroU32>;

/// Limits of one delivery method, in seconds, and permissions. The defaults are those of docs/spec.md §5.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// From launch to ready; then the session is in Error. Default 5 min.
    pub start_seconds: Limit,
    /// From ready to the first tab; then it expires. Default 10 min.
    pub never_connected_seconds: Limit,
    /// From the last key press or click in its tab; then the tab is closed. Default 30 min.
    pub idle_seconds: Limit,
    /// From the last tab's leaving; then it expires. Default 15 min.
    pub disconnected_seconds: Limit,
    /// From launch; then it expires. Default 8 h. Off still ends: at [`Policy::LONGEST_SECONDS`].
    pub total_seconds: Limit,
    /// May the application make user namespaces of its own? Browsers build their sandboxes from them; to anything else they
    /// are a way to parts of the kernel that it does not need. Default false. Rows of earlier versions do not have it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub allow_user_namespaces: bool,
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
            idle_seconds: minutes(30),
            disconnected_seconds: minutes(15),
            total_seconds: minutes(8 * 60),
            allow_user_namespaces: false,
        }
    }
}

/// One of the five limits of a [`Policy`], in the order of its fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyLimit {
    /// See [`Policy::start_seconds`].
    Start,
    /// See [`Policy::never_connected_seconds`].
    NeverConnected,
    /// See [`Policy::idle_seconds`].
    Idle,
    /// See [`Policy::disconnected_seconds`].
    Disconnected,
    /// See [`Policy::total_seconds`].
    Total,
}

impl PolicyLimit {
    /// Every limit, in order.
    pub const ALL: [Self; 5] = [
        Self::Start,
        Self::NeverConnected,
        Self::Idle,
        Self::Disconnected,
        Self::Total,
    ];

    /// What people read.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Start => "Start",
            Self::NeverConnected => "Never connected",
            Self::Idle => "Idle",
            Self::Disconnected => "Disconnected",
            Self::Total => "Total",
        }
    }

    /// From when to what it counts, and what then happens.
    pub const fn description(self) -> &'static str {
        match self {
            Self::Start => "Time from launch until the application is ready. After that the session goes to Error.",
            Self::NeverConnected => "Time until the session is opened for the first time. After that it expires.",
            Self::Idle => "Time since the last key press or click. After that the tab is disconnected.",
            Self::Disconnected => "Time since the tab was closed or disconnected. After that the session expires.",
            Self::Total => "Time since launch. After that the session expires. Off means one year.",
        }
    }

    /// This limit of a policy.
    pub const fn of(self, policy: &Policy) -> Limit {
        match self {
            Self::Start => policy.start_seconds,
            Self::NeverConnected => policy.never_connected_seconds,
            Self::Idle => policy.idle_seconds,
            Self::Disconnected => policy.disconnected_seconds,
            Self::Total => policy.total_seconds,
        }
    }

    /// Sets this limit of a policy.
    pub const fn set(self, policy: &mut Policy, limit: Limit) {
        match self {
            Self::Start => policy.start_seconds = limit,
            Self::NeverConnected => policy.never_connected_seconds = limit,
            Self::Idle => policy.idle_seconds = limit,
            Self::Disconnected => policy.disconnected_seconds = limit,
            Self::Total => policy.total_seconds = limit,
        }
    }

    /// This limit of a policy, in words: `Off`, `5 min`, `1 h 30 min`.
    pub fn words(self, policy: &Policy) -> String {
        let Some(seconds) = self.of(policy) else {
            return "Off".into();
        };
        format::span(seconds.get())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_of_an_earlier_version_allows_no_user_namespaces() {
        let mut policy = Policy::default();
        let text = serde_json::to_string(&policy).unwrap();
        assert!(!text.contains("namespaces"), "earlier versions can read it: {text}");
        assert_eq!(serde_json::from_str::<Policy>(&text).unwrap(), policy);
        policy.allow_user_namespaces = true;
        let text = serde_json::to_string(&policy).unwrap();
        assert_eq!(serde_json::from_str::<Policy>(&text).unwrap(), policy);
    }

    #[test]
    fn a_limit_is_told_in_the_units_it_needs() {
        for (seconds, words) in [
            (0, "Off"),
            (45, "45 s"),
            (300, "5 min"),
            (5400, "1 h 30 min"),
            (8 * 3600, "8 h"),
        ] {
            let mut policy = Policy::default();
            PolicyLimit::Total.set(&mut policy, std::num::NonZeroU32::new(seconds));
            assert_eq!(PolicyLimit::Total.words(&policy), words);
            assert_eq!(PolicyLimit::Start.words(&policy), "5 min", "the others stay");
        }
    }
}
