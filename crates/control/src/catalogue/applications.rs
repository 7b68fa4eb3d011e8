//! The applications of the catalogue.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use session::{
    ApplicationId, Role,
    api::Me,
    catalogue::{
        ApplicationForm, ApplicationSpec, ApplicationView, EnvironmentChoice, LaunchState,
        draft::{ApplicationDraft, FieldError, check},
    },
};
use store::{Application, Edited, StoreError};

use crate::{
    Control, Error, Result,
    authorization::{actor, require},
    commit::outcome_unknown,
};

impl Control {
    /// All applications, by name.
    pub async fn applications(&self, me: &Me) -> Result<Vec<ApplicationView>> {
        require(me, Role::AppAdmin)?;
        let views = Views::of(self).await?;
        let all = self.store.applications().await?;
        Ok(all.iter().map(|application| views.view(application)).collect())
    }

    /// The data of the form for an application; for a new application if there is no id.
    pub async fn application_form(&self, me: &Me, id: Option<ApplicationId>) -> Result<ApplicationForm> {
        let application = match id {
            None => require(me, Role::AppAdmin).map(|()| None)?,
            Some(id) => Some(self.application(me, id).await?),
        };
        let all = self.store.applications().await?;
        let categories = all.iter().map(|row| row.appearance.category.clone());
        let categories = categories.filter(|category| !category.is_empty());
        Ok(ApplicationForm {
            application,
            environments: self.choices().await?,
            categories: categories.collect::<BTreeSet<_>>().into_iter().collect(),
        })
    }

    /// Adds an application, open to launches.
    pub async fn add_application(self: &Arc<Self>, me: &Me, draft: &ApplicationDraft) -> Result<ApplicationView> {
        require(me, Role::AppAdmin)?;
        let spec = check(draft, &self.choices().await?).map_err(Error::Invalid)?;
        let application = Application::new(ApplicationId(self.new_id()), spec, true);
        let (store, by, at) = (self.store.clone(), actor(me), self.clock.now());
        let id = application.id;
        self.commit(async move { store.add_application(&application, &by, at).await })
            .await
            .map_err(refused)?;
        self.application(me, id).await.map_err(outcome_unknown)
    }

    /// Changes an application for future launches, if it is still as it was when the form was
    /// opened (`seen`).
    pub async fn edit_application(
        self: &Arc<Self>,
        me: &Me,
        id: ApplicationId,
        draft: &ApplicationDraft,
        seen: ApplicationSpec,
    ) -> Result<ApplicationView> {
        require(me, Role::AppAdmin)?;
        let wanted = check(draft, &self.choices().await?).map_err(Error::Invalid)?;
        let (store, by, at) = (self.store.clone(), actor(me), self.clock.now());
        let edited = self
            .commit(async move { store.update_application(id, &seen, &wanted, &by, at).await })
            .await
            .map_err(refused)?;
        let views = Views::of(self).await.map_err(outcome_unknown)?;
        match edited {
            Edited::Done(application) => Ok(views.view(&application)),
            Edited::Conflict(application) => Err(Error::ApplicationChanged(Box::new(views.view(&application)))),
            Edited::NotFound => Err(Error::NoApplication(id)),
        }
    }

    /// Opens an application to launches or closes it, and ends its sessions if `to` says so.
    pub async fn set_application_launches(
        self: &Arc<Self>,
        me: &Me,
        id: ApplicationId,
        to: LaunchState,
    ) -> Result<ApplicationView> {
        require(me, Role::AppAdmin)?;
        let (store, by, at) = (self.store.clone(), actor(me), self.clock.now());
        self.commit(async move { store.set_application_launches(id, to, &by, at).await })
            .await?;
        self.application(me, id).await.map_err(outcome_unknown)
    }

    /// The application of this name.
    pub async fn application_named(&self, me: &Me, name: &str) -> Result<ApplicationId> {
        let all = self.applications(me).await?;
        let found = all.iter().find(|application| *application.spec.name == *name);
        found
            .map(|application| application.id)
            .ok_or_else(|| Error::Malformed(format!("There is no application “{name}”.")))
    }

    async fn application(&self, me: &Me, id: ApplicationId) -> Result<ApplicationView> {
        let all = self.applications(me).await?;
        let found = all.into_iter().find(|application| application.id == id);
        found.ok_or(Error::NoApplication(id))
    }

    async fn choices(&self) -> Result<Vec<EnvironmentChoice>> {
        let rows = self.store.environments().await?;
        let choice = |row: store::EnvironmentRow| EnvironmentChoice {
            id: row.id,
            name: row.name,
        };
        Ok(rows.into_iter().map(choice).collect())
    }
}

/// The data that a view of an application adds: the name of its environment, and the number of its
/// live sessions.
struct Views {
    environments: Vec<EnvironmentChoice>,
    live: HashMap<ApplicationId, u32>,
}

impl Views {
    async fn of(control: &Control) -> Result<Self> {
        Ok(Self {
            environments: control.choices().await?,
            live: control.live_by(|session| session.application_id),
        })
    }

    fn view(&self, application: &Application) -> ApplicationView {
        let environment = self
            .environments
            .iter()
            .find(|choice| choice.id == application.environment_id);
        ApplicationView {
            id: application.id,
            spec: application.spec(),
            environment: environment.map_or_else(|| "?".into(), |choice| choice.name.clone()),
            open: application.open,
            live: self.live.get(&application.id).copied().unwrap_or_default(),
        }
    }
}

/// Maps the errors that only the store can detect to the fields of the draft.
fn refused(error: Error) -> Error {
    match error {
        Error::Store(StoreError::AlreadyExists(_)) => Error::Invalid(vec![FieldError::name_taken()]),
        Error::Store(StoreError::NotFound("picture")) => Error::Invalid(vec![FieldError::unknown_icon()]),
        Error::Store(StoreError::NotFound("environment")) => Error::Invalid(vec![FieldError::unknown_environment()]),
        other => other,
    }
}
