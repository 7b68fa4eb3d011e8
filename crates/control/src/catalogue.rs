//! Environments and applications: what there is to launch, and the verbs of the command line for it.

use std::sync::Arc;

use session::{ApplicationId, EnvironmentId, Policy, Role};
use store::{Application, EnvironmentRow};

use crate::{Control, Error, Result, random_password};

/// What a first start made: the people who can sign in, with their passwords. Shown once.
#[derive(Debug)]
pub struct FirstStart {
    /// Username and password.
    pub people: Vec<(&'static str, Arc<str>)>,
}

impl Control {
    /// On a store without people: makes a System Admin `admin`, with the password given or one drawn, and a plain user
    /// `student`. `None` where there are people already.
    pub async fn first_people(&self, admin_password: Option<&str>) -> Result<Option<FirstStart>> {
        if !self.users().await?.is_empty() {
            return Ok(None);
        }
        let admin: Arc<str> = admin_password.map_or_else(random_password, Into::into);
        let student = random_password();
        self.add_user("admin", &admin, Role::SystemAdmin).await?;
        self.add_user("student", &student, Role::User).await?;
        Ok(Some(FirstStart {
            people: vec![("admin", admin), ("student", student)],
        }))
    }

    /// All applications, by name. For the operator at the command line.
    pub async fn applications(&self) -> Result<Vec<Application>> {
        Ok(self.store.applications().await?)
    }

    /// All environments, by name. For the operator at the command line.
    pub async fn environments(&self) -> Result<Vec<EnvironmentRow>> {
        Ok(self.store.environments().await?)
    }

    /// Adds an application with the default policy. For the operator at the command line.
    pub async fn add_application(
        &self,
        name: &str,
        launch_text: &str,
        environment: &str,
        command: Vec<String>,
        seats: Option<u32>,
    ) -> Result<ApplicationId> {
        if name.trim().is_empty() || command.first().is_none_or(|program| program.is_empty()) {
            return Err(Error::Malformed("An application needs a name and a command.".into()));
        }
        let application = Application {
            id: ApplicationId(self.new_id()),
            name: name.trim().into(),
            launch_text: launch_text.into(),
            environment_id: self.environment_named(environment).await?,
            command,
            policy: Policy::default(),
            seats,
            open: true,
        };
        self.store.add_application(&application).await?;
        Ok(application.id)
    }

    /// Opens an application to launches, or closes it. Live sessions go on.
    pub async fn open_application(&self, name: &str, open: bool) -> Result<()> {
        let all = self.applications().await?;
        let found = all.iter().find(|application| *application.name == *name);
        let found = found.ok_or_else(|| Error::Malformed(format!("There is no application “{name}”.")))?;
        self.store.open_application(found.id, open).await?;
        Ok(())
    }

    /// Opens an environment to launches, or closes it. Live sessions go on.
    pub async fn open_environment(&self, name: &str, open: bool) -> Result<()> {
        let id = self.environment_named(name).await?;
        self.store.open_environment(id, open).await?;
        Ok(())
    }

    async fn environment_named(&self, name: &str) -> Result<EnvironmentId> {
        let all = self.environments().await?;
        let found = all.iter().find(|row| *row.name == *name);
        found
            .map(|row| row.id)
            .ok_or_else(|| Error::Malformed(format!("There is no environment “{name}”.")))
    }
}
