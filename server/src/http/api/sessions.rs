//! `/api/v1/sessions`

use axum::{
    Json,
    extract::{Query, State},
    http::StatusCode,
};
use control::Launch;
use serde::Deserialize;
use session::{
    ApplicationId, SessionId,
    api::{ExpireRequest, Refreshed, SessionDetails, SessionList, SessionView},
    batch::{ExpireMany, Outcome, Selection, Selector},
    regional::{Language, Regional, TimeZone},
    view::View,
};

use crate::http::{
    AppState,
    authentication::Person,
    id::Id,
    problem::{Body, Refused},
    regional::Languages,
};

/// Query parameters, in any order.
pub type Parameters = Query<Vec<(String, String)>>;

/// Parses the view of the list: search, sort order and page.
pub fn view(Query(parameters): &Parameters) -> Result<View, Refused> {
    let pairs = parameters.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    View::from_pairs(pairs).map_err(|error| control::Error::from(error).into())
}

/// `GET /api/v1/sessions`
pub async fn list(
    State(state): State<AppState>,
    Person(me): Person,
    query: Parameters,
) -> Result<Json<SessionList>, Refused> {
    Ok(Json(state.control.list(&me, &view(&query)?)?))
}

/// `GET /api/v1/sessions/{id}`
pub async fn one(
    State(state): State<AppState>,
    Person(me): Person,
    Id(id): Id<SessionId>,
) -> Result<Json<SessionView>, Refused> {
    state.control.refresh_from_log(id).await?;
    Ok(Json(state.control.session(&me, id)?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LaunchBody {
    application_id: ApplicationId,
    /// Replaces `Accept-Language`.
    locale: Option<Language>,
    time_zone: Option<TimeZone>,
}

/// `POST /api/v1/sessions`: launches the application, or resumes the person's live session of it.
pub async fn launch(
    State(state): State<AppState>,
    Person(me): Person,
    Languages(languages): Languages,
    Body(body): Body<LaunchBody>,
) -> Result<(StatusCode, Json<SessionView>), Refused> {
    let launch = Launch {
        application_id: body.application_id,
        regional: Regional {
            languages: body.locale.map_or(languages, |locale| vec![locale]),
            time_zone: body.time_zone,
        },
    };
    Ok((StatusCode::CREATED, Json(state.control.launch(&me, launch).await?)))
}

/// `POST /api/v1/sessions/{id}/expire`. The body is optional.
pub async fn expire(
    State(state): State<AppState>,
    Person(me): Person,
    Id(id): Id<SessionId>,
    body: Option<Body<ExpireRequest>>,
) -> Result<Json<SessionView>, Refused> {
    let request = body.map(|Body(request)| request).unwrap_or_default();
    Ok(Json(state.control.expire(&me, id, request).await?))
}

/// `POST /api/v1/sessions/{id}/give-up`: stops waiting for the environment to close an ended
/// session.
pub async fn give_up(
    State(state): State<AppState>,
    Person(me): Person,
    Id(id): Id<SessionId>,
) -> Result<Json<SessionView>, Refused> {
    Ok(Json(state.control.give_up_cleanup(&me, id).await?))
}

/// `GET /api/v1/sessions/{id}/details`: the session with its history, even after its purge.
pub async fn details(
    State(state): State<AppState>,
    Person(me): Person,
    Id(id): Id<SessionId>,
) -> Result<Json<SessionDetails>, Refused> {
    Ok(Json(state.control.session_details(&me, id).await?))
}

/// `POST /api/v1/sessions/selection`: the sessions that a selector matches now.
pub async fn selection(
    State(state): State<AppState>,
    Person(me): Person,
    Body(selector): Body<Selector>,
) -> Result<Json<Selection>, Refused> {
    Ok(Json(state.control.selection(&me, &selector).await?))
}

/// `POST /api/v1/sessions/expire`: expires a part of a batch. The answer has one outcome for each
/// session.
pub async fn expire_many(
    State(state): State<AppState>,
    Person(me): Person,
    Body(request): Body<ExpireMany>,
) -> Result<Json<Vec<Outcome>>, Refused> {
    Ok(Json(state.control.expire_many(&me, request).await?))
}

/// `POST /api/v1/sessions/refresh`
pub async fn refresh(State(state): State<AppState>, Person(me): Person) -> Result<Json<Refreshed>, Refused> {
    Ok(Json(state.control.request_sweep(&me).await?))
}
