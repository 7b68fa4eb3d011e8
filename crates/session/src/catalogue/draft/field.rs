//! The fields of an application's form.

use serde::{Deserialize, Serialize};

use crate::policy::PolicyLimit;

/// A field of the form, in display order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// See [`ApplicationDraft::name`](super::ApplicationDraft::name).
    Name,
    /// See [`ApplicationDraft::description`](super::ApplicationDraft::description).
    Description,
    /// See [`ApplicationDraft::category`](super::ApplicationDraft::category).
    Category,
    /// See [`ApplicationDraft::icon`](super::ApplicationDraft::icon).
    Icon,
    /// See [`ApplicationDraft::launch_text`](super::ApplicationDraft::launch_text).
    LaunchText,
    /// See [`ApplicationDraft::environment_id`](super::ApplicationDraft::environment_id).
    Environment,
    /// See [`ApplicationDraft::program`](super::ApplicationDraft::program).
    Program,
    /// See [`ApplicationDraft::arguments`](super::ApplicationDraft::arguments).
    Arguments,
    /// See [`ApplicationDraft::seats`](super::ApplicationDraft::seats).
    Seats,
    /// See [`PolicyLimit::Start`].
    Start,
    /// See [`PolicyLimit::NeverConnected`].
    NeverConnected,
    /// See [`PolicyLimit::Idle`].
    Idle,
    /// See [`PolicyLimit::Disconnected`].
    Disconnected,
    /// See [`PolicyLimit::Total`].
    Total,
    /// See [`ApplicationDraft::allow_user_namespaces`](super::ApplicationDraft::allow_user_namespaces).
    UserNamespaces,
    /// See [`ApplicationDraft::clipboard`](super::ApplicationDraft::clipboard).
    Clipboard,
    /// See [`ApplicationDraft::files`](super::ApplicationDraft::files).
    Files,
    /// See [`ApplicationDraft::sound`](super::ApplicationDraft::sound).
    Sound,
}

impl Field {
    /// All fields, from top to bottom.
    pub const ALL: [Self; 18] = [
        Self::Name,
        Self::Description,
        Self::Category,
        Self::Icon,
        Self::LaunchText,
        Self::Environment,
        Self::Program,
        Self::Arguments,
        Self::Seats,
        Self::Start,
        Self::NeverConnected,
        Self::Idle,
        Self::Disconnected,
        Self::Total,
        Self::UserNamespaces,
        Self::Clipboard,
        Self::Files,
        Self::Sound,
    ];

    /// Name in the form and in JSON.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Description => "description",
            Self::Category => "category",
            Self::Icon => "icon",
            Self::LaunchText => "launch_text",
            Self::Environment => "environment",
            Self::Program => "program",
            Self::Arguments => "arguments",
            Self::Seats => "seats",
            Self::Start => "start",
            Self::NeverConnected => "never_connected",
            Self::Idle => "idle",
            Self::Disconnected => "disconnected",
            Self::Total => "total",
            Self::UserNamespaces => "user_namespaces",
            Self::Clipboard => "clipboard",
            Self::Files => "files",
            Self::Sound => "sound",
        }
    }

    /// Label in the form.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Name => "Name",
            Self::Description => "Description",
            Self::Category => "Category",
            Self::Icon => "Icon",
            Self::LaunchText => "Launch text",
            Self::Environment => "Environment",
            Self::Program => "Program",
            Self::Arguments => "Arguments",
            Self::Seats => "Seats",
            Self::Start => PolicyLimit::Start.label(),
            Self::NeverConnected => PolicyLimit::NeverConnected.label(),
            Self::Idle => PolicyLimit::Idle.label(),
            Self::Disconnected => PolicyLimit::Disconnected.label(),
            Self::Total => PolicyLimit::Total.label(),
            Self::UserNamespaces => "Allow user namespaces",
            Self::Clipboard => "Clipboard",
            Self::Files => "Files",
            Self::Sound => "Allow sound",
        }
    }

    /// The field of a limit.
    pub const fn of(limit: PolicyLimit) -> Self {
        match limit {
            PolicyLimit::Start => Self::Start,
            PolicyLimit::NeverConnected => Self::NeverConnected,
            PolicyLimit::Idle => Self::Idle,
            PolicyLimit::Disconnected => Self::Disconnected,
            PolicyLimit::Total => Self::Total,
        }
    }
}
