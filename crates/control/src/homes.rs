//! Homes: their rules for each environment, the refusal of launches when a kept home is full, and the
//! warning in the tab before that.
//!
//! The environment measures homes; the kernel limits none of them without quotas.

use std::time::Duration;

use session::{
    ApplicationId, EnvironmentId, HomeKind, HomeUse, Homes, Role, UserId, api::Me, catalogue::EnvironmentView,
    notice::Notice, refusal::LaunchRefusal,
};
use tokio::time::timeout;

use crate::{
    Control, Error, Result,
    authorization::{actor, require},
    commit::outcome_unknown,
};

/// A launch waits this long for a measurement. After that it goes on: the next launch finds the result.
const LAUNCH_WAITS: Duration = Duration::from_secs(5);

impl Control {
    /// Sets the fate of files in an environment, and the limit of a kept home. Live sessions keep the
    /// homes of their launch.
    pub async fn set_homes(
        self: &std::sync::Arc<Self>,
        me: &Me,
        id: EnvironmentId,
        to: Homes,
    ) -> Result<EnvironmentView> {
        require(me, Role::SystemAdmin)?;
        let before = self.store.environments().await?.into_iter().find(|row| row.id == id);
        if before.ok_or(Error::NoEnvironment(id))?.homes.is_none() {
            return Err(Error::Malformed(
                "The sessions of this environment have no files.".into(),
            ));
        }
        let (store, by, at) = (self.store.clone(), actor(me), self.clock.now());
        self.commit(async move { store.set_homes(id, to, &by, at).await })
            .await?;
        let all = self.environments(me).await.map_err(outcome_unknown)?.items;
        let found = all.into_iter().find(|environment| environment.id == id);
        found.ok_or(Error::NoEnvironment(id))
    }

    /// Refuses a new session if the person's kept home is full. A live session is resumed in any case.
    pub(crate) async fn check_home(&self, me: &Me, application_id: ApplicationId) -> Result<()> {
        if self.replica.live_of(me.user_id).contains_key(&application_id) {
            return Ok(());
        }
        // Without the catalogue, the launch itself says what is wrong.
        let Ok(catalogue) = self.cached_catalogue().await else {
            return Ok(());
        };
        let application = catalogue.applications.iter().find(|row| row.id == application_id);
        let Some(environment_id) = application.map(|row| row.environment_id) else {
            return Ok(());
        };
        let Some(limit) = catalogue.homes.get(&environment_id).and_then(|homes| homes.limit()) else {
            return Ok(());
        };
        let measured = timeout(LAUNCH_WAITS, self.home_use(environment_id, me.user_id, limit)).await;
        match measured {
            Ok(Some(size)) if size.is_full() => {
                Err(self.refuse_launch(me, application_id, LaunchRefusal::HomeFull).await?)
            }
            _ => Ok(()),
        }
    }

    /// The size of the kept home of a person; `None` if it can't be measured, which refuses nothing.
    async fn home_use(&self, id: EnvironmentId, person: UserId, limit: u64) -> Option<HomeUse> {
        match self.environments.get(&id)?.home_size(person, limit).await {
            Ok(used) => Some(HomeUse { used, limit }),
            Err(error) => {
                tracing::warn!(%error, "could not measure a home; its limit is not applied for now");
                None
            }
        }
    }

    /// Warns each tab whose user has a nearly full kept home, once, and takes the warning back. Runs by
    /// timer; public so that a test need not wait for it.
    pub async fn warn_of_full_homes(&self) -> Result<()> {
        let tabs = self.tabs.all();
        if tabs.is_empty() {
            return Ok(());
        }
        let catalogue = self.cached_catalogue().await?;
        for tab in tabs {
            let Some(session) = self.replica.get(tab.id).filter(|row| row.home == Some(HomeKind::Kept)) else {
                continue;
            };
            let limit = catalogue
                .homes
                .get(&session.environment_id)
                .and_then(|homes| homes.limit());
            let size = match limit {
                Some(limit) => self.home_use(session.environment_id, session.user_id, limit).await,
                // The administrator has just removed the limit.
                None => Some(HomeUse {
                    used: 0,
                    limit: u64::MAX,
                }),
            };
            if let Some(size) = size {
                let (warn, full) = (size.is_nearly_full(), size.is_full());
                self.tabs.warn_of_home(tab, Notice::Home { size, warn, full });
            }
        }
        Ok(())
    }
}
