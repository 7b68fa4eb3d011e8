//! The plain forms of the portal. They work without JavaScript and answer with a redirect.

use axum::{
    Form,
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use control::Launch;
use serde::Deserialize;
use session::{
    ApplicationId, SessionId, Status, api::ExpireRequest, lifecycle::Seen, refusal::LaunchRefusal, regional::Regional,
};

use super::{AppState, authentication::Person, id::Id, problem::Refused, regional::Languages, tab};

#[derive(Deserialize)]
pub struct LaunchForm {
    application: String,
    /// Empty without JavaScript. A browser may know a time zone that is no name: then it counts as
    /// unknown.
    #[serde(default)]
    time_zone: String,
}

/// `POST /launch`
pub async fn launch(
    State(state): State<AppState>,
    Person(me): Person,
    Languages(languages): Languages,
    Form(form): Form<LaunchForm>,
) -> Result<Response, Refused> {
    let time_zone = form.time_zone.parse().ok();
    let regional = Regional { languages, time_zone };
    let launched = match form.application.parse() {
        Ok(application_id) => {
            state
                .control
                .launch(
                    &me,
                    Launch {
                        application_id,
                        regional,
                    },
                )
                .await
        }
        Err(_) => Err(control::Error::Denied(LaunchRefusal::UnknownApplication)),
    };
    match launched {
        Ok(session) => Ok(Redirect::to(&format!("/sessions/{}", session.id)).into_response()),
        Err(error @ control::Error::Denied(refusal)) => Ok(refused(error, refusal)),
        Err(error @ control::Error::TooManyLaunches(_)) => Ok(refused(error, LaunchRefusal::TooManyLaunches)),
        Err(error) => Err(error.into()),
    }
}

/// Shows the reason in the tab that the launch has opened.
fn refused(error: control::Error, refusal: LaunchRefusal) -> Response {
    tab::answer(Refused::from(error).0.status, app::plain_page::refused(refusal))
}

#[derive(Deserialize)]
pub struct Favourite {
    application: ApplicationId,
    favourite: bool,
    /// The search of the page, to which the person returns.
    #[serde(default)]
    q: String,
}

/// `POST /favourites`
pub async fn favourite(
    State(state): State<AppState>,
    Person(me): Person,
    Form(form): Form<Favourite>,
) -> Result<Redirect, Refused> {
    let id = form.application;
    state.control.set_favourite(&me, id, form.favourite).await?;
    Ok(Redirect::to(&app::my_apps_path(&form.q, id)))
}

/// `POST /sessions/{id}/end`
pub async fn end(
    State(state): State<AppState>,
    Person(me): Person,
    Id(id): Id<SessionId>,
) -> Result<Redirect, Refused> {
    state.control.end_own(&me, id).await?;
    Ok(Redirect::to("/"))
}

#[derive(Deserialize)]
pub struct Expire {
    #[serde(default)]
    reason: String,
    /// A check box. Browsers send it only if it is checked.
    block_relaunch: Option<String>,
    seen_status: Option<Status>,
    seen_connected: Option<bool>,
}

/// `POST /admin/cloud-delivery/sessions/{id}/expire`
pub async fn expire(
    State(state): State<AppState>,
    Person(me): Person,
    Id(id): Id<SessionId>,
    Form(form): Form<Expire>,
) -> Result<Redirect, Refused> {
    let seen = form
        .seen_status
        .zip(form.seen_connected)
        .map(|(status, connected)| Seen { status, connected });
    let request = ExpireRequest {
        reason: Some(form.reason),
        block_relaunch: form.block_relaunch.is_some(),
        seen,
    };
    match state.control.expire(&me, id, request).await {
        // The confirmation page shows the session's new state.
        Err(control::Error::Changed(session)) => Ok(Redirect::to(&format!(
            "/admin/cloud-delivery/sessions/{}/expire?changed=1",
            session.id
        ))),
        other => other
            .map(|_| Redirect::to("/admin/cloud-delivery/sessions"))
            .map_err(Into::into),
    }
}
