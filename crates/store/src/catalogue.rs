//! The catalogue: environments and applications.

use std::sync::Arc;

use async_trait::async_trait;
use session::{
    Actor, ApplicationId, EnvironmentId, Homes, Policy, Timestamp,
    catalogue::{ApplicationSpec, LaunchState, appearance::Appearance},
};

use crate::Result;

/// An environment, as the catalogue describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvironmentRow {
    /// Id in addresses and in the log.
    pub id: EnvironmentId,
    /// The unique name that administrators see.
    pub name: Arc<str>,
    /// The kind, e.g. `local`: selects the crate that runs it.
    pub kind: Arc<str>,
    /// True if it is open to launches.
    pub open: bool,
    /// Homes of its sessions; `None` = its sessions have no files.
    pub homes: Option<Homes>,
}

/// An application that users can launch, with its delivery method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Application {
    /// Id in addresses and in the log.
    pub id: ApplicationId,
    /// Name, unique in the catalogue.
    pub name: Arc<str>,
    /// The text of its launch button.
    pub launch_text: Arc<str>,
    /// The environment that runs it.
    pub environment_id: EnvironmentId,
    /// The program and its arguments.
    pub command: Vec<String>,
    /// The limits of its sessions.
    pub policy: Policy,
    /// The most sessions that may be live at once; `None` = no limit.
    pub seats: Option<u32>,
    /// Description, category and icon on My apps.
    pub appearance: Appearance,
    /// True if it is open to launches.
    pub open: bool,
}

impl Application {
    /// An application of this specification.
    pub fn new(id: ApplicationId, spec: ApplicationSpec, open: bool) -> Self {
        Self {
            id,
            name: spec.name,
            launch_text: spec.launch_text,
            environment_id: spec.environment_id,
            command: spec.command,
            policy: spec.policy,
            seats: spec.seats,
            appearance: spec.appearance,
            open,
        }
    }

    /// Its specification: everything that an administrator edits.
    pub fn spec(&self) -> ApplicationSpec {
        ApplicationSpec {
            name: self.name.clone(),
            launch_text: self.launch_text.clone(),
            environment_id: self.environment_id,
            command: self.command.clone(),
            seats: self.seats,
            policy: self.policy,
            appearance: self.appearance.clone(),
        }
    }
}

/// The outcome of an edit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edited {
    /// The application is as wanted. Nothing was written if it was so before.
    Done(Application),
    /// The application has changed since the edit began; as it is now. Nothing was written.
    Conflict(Application),
    /// No application has that id.
    NotFound,
}

/// Number of uploaded pictures that no application uses and that are kept all the same, the newest
/// ones: those of forms that are not saved yet.
pub const UNUSED_PICTURES: u32 = 100;

/// The environments and the applications.
///
/// Names are unique: a call that would use one twice fails with
/// [`StoreError::AlreadyExists`](crate::StoreError::AlreadyExists). An application whose picture the
/// store does not have is refused with `StoreError::NotFound("picture")`.
#[async_trait]
pub trait Catalogue: Send + Sync + 'static {
    /// All environments, by name.
    async fn environments(&self) -> Result<Vec<EnvironmentRow>>;
    /// Adds an environment, with its event.
    async fn add_environment(&self, row: &EnvironmentRow, by: &Actor, at: Timestamp) -> Result<()>;
    /// Opens or closes an environment to launches, with its event; writes nothing if that is so
    /// already. With [`LaunchState::ClosedAndEnded`] its sessions end as well, each with its event, in
    /// the same transaction. False if no environment has that id.
    async fn set_environment_launches(
        &self,
        id: EnvironmentId,
        to: LaunchState,
        by: &Actor,
        at: Timestamp,
    ) -> Result<bool>;
    /// Changes the homes of an environment, with its event; writes nothing if they are so already.
    /// Live sessions keep the homes of their launch. False if no environment has that id.
    async fn set_homes(&self, id: EnvironmentId, to: Homes, by: &Actor, at: Timestamp) -> Result<bool>;
    /// All applications, by name.
    async fn applications(&self) -> Result<Vec<Application>>;
    /// Adds an application, with its event.
    async fn add_application(&self, application: &Application, by: &Actor, at: Timestamp) -> Result<()>;
    /// Changes an application from `seen` to `wanted`, with its event. Writes nothing if it is no
    /// longer as `seen`.
    async fn update_application(
        &self,
        id: ApplicationId,
        seen: &ApplicationSpec,
        wanted: &ApplicationSpec,
        by: &Actor,
        at: Timestamp,
    ) -> Result<Edited>;
    /// Opens or closes an application to launches, as [`Catalogue::set_environment_launches`] does
    /// for environments.
    async fn set_application_launches(
        &self,
        id: ApplicationId,
        to: LaunchState,
        by: &Actor,
        at: Timestamp,
    ) -> Result<bool>;
    /// Keeps a picture under its SHA-256, and forgets the oldest ones that no application uses,
    /// except for [`UNUSED_PICTURES`]. It has no event: an application that uses it has one.
    async fn add_picture(&self, hash: [u8; 32], png: &[u8], at: Timestamp) -> Result<()>;
    /// The picture with this SHA-256.
    async fn picture(&self, hash: [u8; 32]) -> Result<Option<Vec<u8>>>;
}
