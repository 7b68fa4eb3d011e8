//! The signed-in person and their preferences.

#![expect(
    missing_docs,
    reason = "`#[server]` makes a public struct of the arguments; its fields can't be documented"
)]

use leptos::{prelude::*, server_fn::codec::Json};
use session::{api::Me, columns::Choice};

use super::AppError;
#[cfg(feature = "ssr")]
use super::server::{control, person, refuse};

/// The signed-in person.
#[server(name = WhoIsHere, prefix = "/api/ui", endpoint = "me", input = Json)]
pub async fn me() -> Result<Me, AppError> {
    person()
}

/// The administrator's choice of columns.
#[server(prefix = "/api/ui", endpoint = "columns", input = Json)]
pub async fn columns() -> Result<Choice, AppError> {
    control()?.columns(&person()?).await.map_err(refuse)
}

/// Saves the administrator's choice of columns; `None` restores the default. Returns the effective
/// choice.
#[server(prefix = "/api/ui", endpoint = "set_columns", input = Json)]
pub async fn set_columns(choice: Option<Choice>) -> Result<Choice, AppError> {
    control()?.set_columns(&person()?, choice).await.map_err(refuse)
}
