//! The log of events: pages, newer events, one event, and the choice of columns.

#![expect(
    missing_docs,
    reason = "`#[server]` makes a public struct of the arguments; its fields can't be documented"
)]

use leptos::{prelude::*, server_fn::codec::Json};
use session::audit::{Columns, Newer, Page, Row, View};

use super::AppError;
#[cfg(feature = "ssr")]
use super::server::{control, person, refuse};

/// A page of the events that match a search. System Admin only. Fails with `malformed` if the
/// search is invalid.
#[server(prefix = "/api/ui", endpoint = "list_events", input = Json)]
pub async fn list_events(view: View) -> Result<Page, AppError> {
    control()?.event_page(&person()?, &view).await.map_err(refuse)
}

/// The events that match the search of a view and are newer than the event `seen`. System Admin
/// only.
#[server(prefix = "/api/ui", endpoint = "newer_events", input = Json)]
pub async fn newer_events(view: View, seen: Option<u64>) -> Result<Newer, AppError> {
    control()?.newer_events(&person()?, &view, seen).await.map_err(refuse)
}

/// One event. System Admin only.
#[server(prefix = "/api/ui", endpoint = "event_details", input = Json)]
pub async fn event_details(id: u64) -> Result<Row, AppError> {
    control()?.event(&person()?, id).await.map_err(refuse)
}

/// The administrator's choice of columns.
#[server(prefix = "/api/ui", endpoint = "event_columns", input = Json)]
pub async fn event_columns() -> Result<Columns, AppError> {
    control()?.event_columns(&person()?).await.map_err(refuse)
}

/// Saves the administrator's choice of columns; `None` restores the default. Returns the effective
/// choice.
#[server(prefix = "/api/ui", endpoint = "set_event_columns", input = Json)]
pub async fn set_event_columns(choice: Option<Columns>) -> Result<Columns, AppError> {
    control()?.set_event_columns(&person()?, choice).await.map_err(refuse)
}
