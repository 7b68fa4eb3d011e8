//! The catalogue as administrators see and change it: environments, applications, and the [`draft`]
//! of an application. Sessions do not refer to it: they keep the names and limits of their launch.

pub mod appearance;
pub mod draft;
pub mod form;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use self::{
    appearance::{Appearance, DEFAULT_ICON, KEPT_ICONS},
    draft::Field,
};
use crate::{ApplicationId, EnvironmentId, Homes, Policy, Timestamp, policy::PolicyLimit};

/// Whether an application or an environment accepts launches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LaunchState {
    /// It accepts launches.
    Open,
    /// It refuses launches. Live sessions keep running.
    Closed,
    /// It refuses launches, and its live sessions end.
    ClosedAndEnded,
}

impl LaunchState {
    /// Whether launches are accepted.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Open)
    }
}

/// An application with its delivery method: everything in its form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApplicationSpec {
    /// Unique name, at most [`draft::MAX_NAME_CHARS`].
    pub name: Arc<str>,
    /// Text of the launch button.
    pub launch_text: Arc<str>,
    /// Environment that runs it.
    pub environment_id: EnvironmentId,
    /// Program, then its arguments; never empty.
    pub command: Vec<String>,
    /// Maximum number of live sessions; `None` = unlimited.
    pub seats: Option<u32>,
    /// Limits of its sessions.
    pub policy: Policy,
    /// Description, category and icon on My apps.
    #[serde(default, skip_serializing_if = "Appearance::is_default")]
    pub appearance: Appearance,
}

/// An application, as shown on the Applications page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApplicationView {
    /// Id in addresses and in the log.
    pub id: ApplicationId,
    /// Settings from its form.
    pub spec: ApplicationSpec,
    /// Name of its environment.
    pub environment: Arc<str>,
    /// Whether it accepts launches.
    pub open: bool,
    /// Number of its Pending and Active sessions.
    pub live: u32,
}

impl ApplicationView {
    /// The value of one form field as text.
    pub fn words(&self, field: Field) -> String {
        let spec = &self.spec;
        match field {
            Field::Name => spec.name.to_string(),
            Field::Description => spec.appearance.description.to_string(),
            Field::Category => spec.appearance.category.to_string(),
            Field::Icon => icon_words(spec.appearance.icon.as_deref()),
            Field::LaunchText => spec.launch_text.to_string(),
            Field::Environment => self.environment.to_string(),
            Field::Program => spec.command.first().cloned().unwrap_or_default(),
            Field::Arguments => spec.command.get(1..).unwrap_or_default().join(" "),
            Field::Seats => spec
                .seats
                .map_or_else(|| "No limit".to_owned(), |seats| seats.to_string()),
            Field::Start => PolicyLimit::Start.words(&spec.policy),
            Field::NeverConnected => PolicyLimit::NeverConnected.words(&spec.policy),
            Field::Idle => PolicyLimit::Idle.words(&spec.policy),
            Field::Disconnected => PolicyLimit::Disconnected.words(&spec.policy),
            Field::Total => PolicyLimit::Total.words(&spec.policy),
            Field::Clipboard => spec.policy.clipboard.label().to_owned(),
            Field::Files => spec.policy.files.label().to_owned(),
            Field::Sound => yes_or_no(spec.policy.sound),
            Field::UserNamespaces => yes_or_no(spec.policy.allow_user_namespaces),
        }
    }
}

/// The label of an icon.
fn icon_words(icon: Option<&str>) -> String {
    let code = icon.unwrap_or(DEFAULT_ICON);
    let kept = KEPT_ICONS.iter().find(|(kept, _)| *kept == code);
    kept.map_or("An uploaded picture", |(_, label)| label).to_owned()
}

fn yes_or_no(yes: bool) -> String {
    if yes { "Yes" } else { "No" }.to_owned()
}

/// An environment to choose in the application form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnvironmentChoice {
    /// Id in addresses and in the log.
    pub id: EnvironmentId,
    /// Unique name, for people.
    pub name: Arc<str>,
}

/// The start values of an application form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApplicationForm {
    /// Current application; `None` for a new one.
    pub application: Option<ApplicationView>,
    /// Environments to choose from.
    pub environments: Vec<EnvironmentChoice>,
    /// Categories of all applications, each once, to choose from.
    #[serde(default)]
    pub categories: Vec<Arc<str>>,
}

/// The state of an environment, as known to this server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EnvironmentState {
    /// It responded to the last sweep.
    Answering,
    /// It did not respond to the last sweep.
    Silent,
    /// There was no sweep since the server started.
    NotAsked,
    /// This server has no adapter for its kind.
    NotReachable,
}

impl EnvironmentState {
    /// Label for people.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Answering => "Answering",
            Self::Silent => "Not answering",
            Self::NotAsked => "Not asked yet",
            Self::NotReachable => "Not reachable from this server",
        }
    }
}

/// The result of the last sweep of an environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Swept {
    /// Time of the last request to it.
    pub at: Timestamp,
    /// Time of its last response; `None` = none since the server started.
    pub answered_at: Option<Timestamp>,
    /// Number of sessions that ran there at its last response.
    pub running: u32,
    /// Error, if the last request failed.
    pub error: Option<Arc<str>>,
}

/// An environment, as shown on the Environments page and by the API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnvironmentView {
    /// Id in addresses and in the log.
    pub id: EnvironmentId,
    /// Unique name, for people.
    pub name: Arc<str>,
    /// Kind of adapter, e.g. `local`.
    pub kind: Arc<str>,
    /// State, as known to this server.
    pub state: EnvironmentState,
    /// Whether it accepts launches.
    pub open: bool,
    /// Last sweep; `None` = none since the server started.
    pub swept: Option<Swept>,
    /// Number of its Pending and Active sessions.
    pub live: u32,
    /// Number of its applications that accept launches.
    #[serde(default)]
    pub applications: u32,
    /// Homes of its sessions; `None` = its sessions have no files.
    #[serde(default)]
    pub homes: Option<Homes>,
    /// Resource limits of a session there, if this server runs the environment.
    pub limits: Option<Arc<str>>,
}

/// All environments, by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnvironmentList {
    /// The server's clock at the response, the base of all ages.
    pub server_time: Timestamp,
    /// Environments, by name.
    pub items: Vec<EnvironmentView>,
}
