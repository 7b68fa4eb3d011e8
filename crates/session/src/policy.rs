//! The limits and sandbox permissions of sessions. Each limit is Off (`None`) or a duration in
//! seconds; zero is not a value.

use crate::format;
use serde::{Deserialize, Serialize};

use crate::{Timestamp, Transfer};

/// Seconds; `None` is Off.
pub type Limit = Option<std::num::NonZeroU32>;

/// Limits, in seconds, and permissions of one delivery method. The defaults are in docs/spec.md §5.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// From launch to ready, then Error. Default 5 min.
    pub start_seconds: Limit,
    /// From ready to the first tab, then expired. Default 10 min.
    pub never_connected_seconds: Limit,
    /// From the last key press or click in its tab, then disconnected. Default 30 min.
    pub idle_seconds: Limit,
    /// From the departure of the last tab, then expired. Default 15 min.
    pub disconnected_seconds: Limit,
    /// From launch, then expired. Default 8 h. Off means [`Policy::LONGEST_SECONDS`].
    pub total_seconds: Limit,
    /// Whether the application may create user namespaces. Browsers build their sandboxes from
    /// them; for other programs they only expose unnecessary parts of the kernel. Default false,
    /// also for stored rows of earlier versions, which lack the field.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub allow_user_namespaces: bool,
    /// Directions of the clipboard. Default both ways, also for stored rows of earlier versions,
    /// which lack the field.
    #[serde(default, skip_serializing_if = "Transfer::is_default")]
    pub clipboard: Transfer,
    /// Directions of uploads and downloads while a session of the application is live. Default both
    /// ways, also for stored rows of earlier versions, which lack the field.
    #[serde(default, skip_serializing_if = "Transfer::is_default")]
    pub files: Transfer,
    /// Whether the tab plays the sound of the application. Default true, also for stored rows of
    /// earlier versions, which lack the field.
    #[serde(default = "allowed", skip_serializing_if = "Clone::clone")]
    pub sound: bool,
}

/// The value of a permission that a stored row or a request lacks.
pub(crate) const fn allowed() -> bool {
    true
}

impl Policy {
    /// Seconds until the end if the total limit is Off: one year, so that "Valid until" always has
    /// a value.
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
            clipboard: Transfer::Both,
            files: Transfer::Both,
            sound: true,
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
    /// All limits, in order.
    pub const ALL: [Self; 5] = [
        Self::Start,
        Self::NeverConnected,
        Self::Idle,
        Self::Disconnected,
        Self::Total,
    ];

    /// Label for people.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Start => "Start",
            Self::NeverConnected => "Never connected",
            Self::Idle => "Idle",
            Self::Disconnected => "Disconnected",
            Self::Total => "Total",
        }
    }

    /// Start and end of the limit and its effect.
    pub const fn description(self) -> &'static str {
        match self {
            Self::Start => "Time from launch until the application is ready. After that the session goes to Error.",
            Self::NeverConnected => "Time until the session is opened for the first time. After that it expires.",
            Self::Idle => "Time since the last key press or click. After that the tab is disconnected.",
            Self::Disconnected => "Time since the tab was closed or disconnected. After that the session expires.",
            Self::Total => "Time since launch. After that the session expires. Off means one year.",
        }
    }

    /// The value of this limit in a policy.
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

    /// The value of this limit as text: `Off`, `5 min`, `1 h 30 min`.
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
    fn a_policy_of_an_earlier_version_has_the_defaults_of_the_later_fields() {
        let mut policy = Policy::default();
        let text = serde_json::to_string(&policy).unwrap();
        assert!(!text.contains("namespaces"), "earlier versions can read it: {text}");
        for later in ["clipboard", "files", "sound"] {
            assert!(!text.contains(later), "earlier versions can read it: {text}");
        }
        assert_eq!(serde_json::from_str::<Policy>(&text).unwrap(), policy);
        policy.allow_user_namespaces = true;
        policy.clipboard = Transfer::Out;
        policy.files = Transfer::In;
        policy.sound = false;
        let text = serde_json::to_string(&policy).unwrap();
        assert_eq!(serde_json::from_str::<Policy>(&text).unwrap(), policy);
    }

    #[test]
    fn a_limit_is_described_in_the_units_it_needs() {
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
