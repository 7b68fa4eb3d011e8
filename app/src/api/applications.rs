//! Applications: a person's own, and the catalogue for administrators.

#![expect(
    missing_docs,
    reason = "`#[server]` makes a public struct of the arguments; its fields can't be documented"
)]

use leptos::{
    prelude::*,
    server_fn::codec::{GetUrl, Json},
};
use session::{
    ApplicationId,
    api::MyApps,
    catalogue::{ApplicationForm, ApplicationSpec, ApplicationView, LaunchState, draft::ApplicationDraft},
};

use super::AppError;
#[cfg(feature = "ssr")]
use super::server::{control, person, refuse};

/// My apps of the person, without the cards if the page has those of the version `known`. A GET
/// request, so that browsers can send the `ETag`: My apps polls every few seconds.
#[server(prefix = "/api/ui", endpoint = "my_applications", input = GetUrl)]
pub async fn my_applications(known: Option<String>) -> Result<MyApps, AppError> {
    control()?.my_apps(&person()?, known.as_deref()).await.map_err(refuse)
}

/// Marks an application as a favourite of the person, or removes the mark.
#[server(prefix = "/api/ui", endpoint = "set_favourite", input = Json)]
pub async fn set_favourite(id: ApplicationId, favourite: bool) -> Result<(), AppError> {
    control()?
        .set_favourite(&person()?, id, favourite)
        .await
        .map_err(refuse)
}

/// All applications. App Admin and above.
#[server(prefix = "/api/ui", endpoint = "list_applications", input = Json)]
pub async fn list_applications() -> Result<Vec<ApplicationView>, AppError> {
    control()?.applications(&person()?).await.map_err(refuse)
}

/// The start values of an application form; defaults for a new application if there is no id. App
/// Admin and above.
#[server(name = FormOfApplication, prefix = "/api/ui", endpoint = "application_form", input = Json)]
pub async fn application_form(id: Option<ApplicationId>) -> Result<ApplicationForm, AppError> {
    control()?.application_form(&person()?, id).await.map_err(refuse)
}

/// Adds an application. App Admin and above. Fails with `invalid_application` and a reason for each
/// invalid field.
#[server(prefix = "/api/ui", endpoint = "add_application", input = Json)]
pub async fn add_application(draft: ApplicationDraft) -> Result<ApplicationView, AppError> {
    control()?.add_application(&person()?, &draft).await.map_err(refuse)
}

/// Changes an application for future launches. App Admin and above. Fails with
/// `application_changed` and the new values if the application no longer equals `seen`.
#[server(prefix = "/api/ui", endpoint = "edit_application", input = Json)]
pub async fn edit_application(
    id: ApplicationId,
    draft: ApplicationDraft,
    seen: ApplicationSpec,
) -> Result<ApplicationView, AppError> {
    let (control, me) = (control()?, person()?);
    control.edit_application(&me, id, &draft, seen).await.map_err(refuse)
}

/// Opens or closes an application to launches. App Admin and above.
#[server(prefix = "/api/ui", endpoint = "set_application_launches", input = Json)]
pub async fn set_application_launches(id: ApplicationId, to: LaunchState) -> Result<ApplicationView, AppError> {
    control()?
        .set_application_launches(&person()?, id, to)
        .await
        .map_err(refuse)
}
