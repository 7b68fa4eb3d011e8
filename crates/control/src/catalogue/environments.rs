//! The environments of the catalogue: their state on this server, and whether they are open to
//! launches.

use std::sync::Arc;

use session::{
    EnvironmentId, Role,
    api::Me,
    catalogue::{EnvironmentList, EnvironmentState, EnvironmentView, LaunchState},
};
use store::EnvironmentRow;

use crate::{
    Control, Error, Result,
    authorization::{actor, require},
    commit::outcome_unknown,
};

impl Control {
    /// All environments, by name, each with the result of the last sweep.
    pub async fn environments(&self, me: &Me) -> Result<EnvironmentList> {
        require(me, Role::SystemAdmin)?;
        let rows = self.store.environments().await?;
        let live = self.live_by(|session| session.environment_id);
        let applications = self.store.applications().await?;
        let view = |row: EnvironmentRow| {
            let swept = self.swept(row.id);
            let state = match &swept {
                _ if !self.environments.contains_key(&row.id) => EnvironmentState::NotReachable,
                None => EnvironmentState::NotAsked,
                Some(swept) if swept.error.is_some() => EnvironmentState::Silent,
                Some(_) => EnvironmentState::Answering,
            };
            EnvironmentView {
                id: row.id,
                name: row.name,
                kind: row.kind,
                state,
                open: row.open,
                homes: row.homes,
                swept,
                limits: self.limits(row.id).map(Into::into),
                applications: count(
                    applications
                        .iter()
                        .filter(|one| one.open && one.environment_id == row.id),
                ),
                live: live.get(&row.id).copied().unwrap_or_default(),
            }
        };
        Ok(EnvironmentList {
            server_time: self.clock.now(),
            items: rows.into_iter().map(view).collect(),
        })
    }

    /// Opens an environment to launches or closes it, and ends its sessions if `to` says so.
    pub async fn set_environment_launches(
        self: &Arc<Self>,
        me: &Me,
        id: EnvironmentId,
        to: LaunchState,
    ) -> Result<EnvironmentView> {
        require(me, Role::SystemAdmin)?;
        let (store, by, at) = (self.store.clone(), actor(me), self.clock.now());
        let known = self
            .commit(async move { store.set_environment_launches(id, to, &by, at).await })
            .await?;
        let all = self.environments(me).await.map_err(outcome_unknown)?.items;
        let found = all.into_iter().find(|environment| known && environment.id == id);
        found.ok_or(Error::NoEnvironment(id))
    }

    /// The environment of this name.
    pub async fn environment_named(&self, me: &Me, name: &str) -> Result<EnvironmentId> {
        let all = self.environments(me).await?.items;
        let found = all.iter().find(|environment| *environment.name == *name);
        found
            .map(|environment| environment.id)
            .ok_or_else(|| Error::Malformed(format!("There is no environment “{name}”.")))
    }
}

fn count<T>(items: impl Iterator<Item = T>) -> u32 {
    items.count().try_into().unwrap_or(u32::MAX)
}
