//! The catalogue as administrators see and change it: environments, applications, and the [`draft`] of an application.
//! Not what a launch makes of it: a session keeps the names and limits of its own launch.

pub mod draft;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use self::draft::Field;
use crate::{ApplicationId, EnvironmentId, Policy, Timestamp, policy::PolicyLimit};

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
    /// Does it accept launches?
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Open)
    }
}

/// An application with its delivery method: all that an administrator sets in its form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApplicationSpec {
    /// Unique name.
    pub name: Arc<str>,
    /// Text of its launch button.
    pub launch_text: Arc<str>,
    /// Where it runs.
    pub environment_id: EnvironmentId,
    /// Program and arguments.
    pub command: Vec<String>,
    /// Sessions that may be live at once; `None` = as many as come.
    pub seats: Option<u32>,
    /// Limits of its sessions.
    pub policy: Policy,
}

/// An application as the Applications page shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApplicationView {
    /// Its id.
    pub id: ApplicationId,
    /// What was set.
    pub spec: ApplicationSpec,
    /// Name of its environment.
    pub environment: Arc<str>,
    /// Open to launches?
    pub open: bool,
    /// Its sessions that are Pending or Active.
    pub live: u32,
}

impl ApplicationView {
    /// What is set in one field of its form, in words.
    pub fn words(&self, field: Field) -> String {
        let spec = &self.spec;
        match field {
            Field::Name => spec.name.to_string(),
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
            Field::UserNamespaces => if spec.policy.allow_user_namespaces { "Yes" } else { "No" }.to_owned(),
        }
    }
}

/// An environment to choose in the form of an application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnvironmentChoice {
    /// Its id.
    pub id: EnvironmentId,
    /// Its name.
    pub name: Arc<str>,
}

/// What the form of an application starts from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApplicationForm {
    /// The application as it is; `None` for a new one.
    pub application: Option<ApplicationView>,
    /// Where it may run.
    pub environments: Vec<EnvironmentChoice>,
}

/// How an environment stands to this server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EnvironmentState {
    /// It answered the last sweep.
    Answering,
    /// It did not answer the last sweep.
    Silent,
    /// No sweep has asked it since the server started.
    NotAsked,
    /// This server has no way to reach its kind.
    NotReachable,
}

impl EnvironmentState {
    /// What people read.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Answering => "Answering",
            Self::Silent => "Not answering",
            Self::NotAsked => "Not asked yet",
            Self::NotReachable => "Not reachable from this server",
        }
    }
}

/// What the last sweep of an environment found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Swept {
    /// When it was asked last.
    pub at: Timestamp,
    /// When it answered last; `None` = not since the server started.
    pub answered_at: Option<Timestamp>,
    /// Sessions that ran there when it answered last.
    pub running: u32,
    /// Why it did not answer this time.
    pub error: Option<Arc<str>>,
}

/// An environment as the Environments page and the API show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnvironmentView {
    /// Its id.
    pub id: EnvironmentId,
    /// Its name.
    pub name: Arc<str>,
    /// Which code runs it, e.g. `local`.
    pub kind: Arc<str>,
    /// How it stands to this server.
    pub state: EnvironmentState,
    /// Open to launches?
    pub open: bool,
    /// Its last sweep; `None` = none since the server started.
    pub swept: Option<Swept>,
    /// Its sessions that are Pending or Active.
    pub live: u32,
    /// Its applications that are open to launches.
    #[serde(default)]
    pub applications: u32,
    /// What limits the resources of a session there, as far as this server runs it.
    pub limits: Option<Arc<str>>,
}

/// All environments, by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnvironmentList {
    /// The server's clock when it answered: ages are counted from it.
    pub server_time: Timestamp,
    /// The environments.
    pub items: Vec<EnvironmentView>,
}
