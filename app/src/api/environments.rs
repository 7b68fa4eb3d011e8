//! Environments, their launch state and their homes.

#![expect(
    missing_docs,
    reason = "`#[server]` makes a public struct of the arguments; its fields can't be documented"
)]

use leptos::{prelude::*, server_fn::codec::Json};
use session::{
    EnvironmentId, Homes,
    catalogue::{EnvironmentList, EnvironmentView, LaunchState},
};

use super::AppError;
#[cfg(feature = "ssr")]
use super::server::{control, person, refuse};

/// All environments, with the result of their last sweep. System Admin only.
#[server(prefix = "/api/ui", endpoint = "list_environments", input = Json)]
pub async fn list_environments() -> Result<EnvironmentList, AppError> {
    control()?.environments(&person()?).await.map_err(refuse)
}

/// Opens or closes an environment to launches, and ends its sessions on request. System Admin only.
#[server(prefix = "/api/ui", endpoint = "set_environment_launches", input = Json)]
pub async fn set_environment_launches(id: EnvironmentId, to: LaunchState) -> Result<EnvironmentView, AppError> {
    control()?
        .set_environment_launches(&person()?, id, to)
        .await
        .map_err(refuse)
}

/// Sets the fate of files in an environment, and the limit of a kept home. System Admin only.
#[server(prefix = "/api/ui", endpoint = "set_homes", input = Json)]
pub async fn set_homes(id: EnvironmentId, to: Homes) -> Result<EnvironmentView, AppError> {
    control()?.set_homes(&person()?, id, to).await.map_err(refuse)
}
