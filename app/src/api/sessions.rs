//! Sessions: list, expire, refresh; and a user's own "End session".

#![expect(
    missing_docs,
    reason = "`#[server]` makes a public struct of the arguments; its fields can't be documented"
)]

use leptos::{prelude::*, server_fn::codec::Json};
use session::{
    SessionId,
    api::{ExpireRequest, Refreshed, SessionDetails, SessionList, SessionView},
    batch::{ExpireMany, Outcome, Selection, Selector},
    view::View,
};

use super::AppError;
#[cfg(feature = "ssr")]
use super::server::{control, person, refuse};

/// One page of the list. System Admin only.
#[server(prefix = "/api/ui", endpoint = "list_sessions", input = Json)]
pub async fn list_sessions(view: View) -> Result<SessionList, AppError> {
    control()?.list(&person()?, &view).map_err(refuse)
}

/// Ends anybody's session. System Admin only. Fails with `session_changed` and the new facts if the
/// session no longer matches [`ExpireRequest::seen`].
#[server(prefix = "/api/ui", endpoint = "expire_session", input = Json)]
pub async fn expire_session(id: SessionId, request: ExpireRequest) -> Result<SessionView, AppError> {
    control()?.expire(&person()?, id, request).await.map_err(refuse)
}

/// Sweeps every environment. System Admin only. Fails with `refresh_too_soon` within 30 s of the
/// previous refresh.
#[server(prefix = "/api/ui", endpoint = "refresh_sessions", input = Json)]
pub async fn refresh_sessions() -> Result<Refreshed, AppError> {
    control()?.request_sweep(&person()?).await.map_err(refuse)
}

/// One session with its history, also after its purge. System Admin only.
#[server(name = AskDetails, prefix = "/api/ui", endpoint = "session_details", input = Json)]
pub async fn session_details(id: SessionId) -> Result<SessionDetails, AppError> {
    control()?.session_details(&person()?, id).await.map_err(refuse)
}

/// Stops waiting for the environment to close an ended session. System Admin only.
#[server(prefix = "/api/ui", endpoint = "give_up_cleanup", input = Json)]
pub async fn give_up_cleanup(id: SessionId) -> Result<SessionView, AppError> {
    control()?.give_up_cleanup(&person()?, id).await.map_err(refuse)
}

/// The sessions that a selector matches now. System Admin only.
#[server(name = AskSelection, prefix = "/api/ui", endpoint = "selection", input = Json)]
pub async fn selection(selector: Selector) -> Result<Selection, AppError> {
    control()?.selection(&person()?, &selector).await.map_err(refuse)
}

/// Expires a part of a batch and returns one outcome for each session. System Admin only.
#[server(name = ExpirePart, prefix = "/api/ui", endpoint = "expire_many", input = Json)]
pub async fn expire_many(request: ExpireMany) -> Result<Vec<Outcome>, AppError> {
    control()?.expire_many(&person()?, request).await.map_err(refuse)
}

/// Ends one of the caller's own sessions.
#[server(prefix = "/api/ui", endpoint = "end_session", input = Json)]
pub async fn end_session(id: SessionId) -> Result<SessionView, AppError> {
    control()?.end_own(&person()?, id).await.map_err(refuse)
}
