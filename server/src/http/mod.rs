//! HTTP: who asks, call `control`, map the answer. One file per resource.
//!
//! Order of the layers, outside in: timing, security headers, size limit, cross-site protection, who is it, may they.

mod api;
mod audit;
mod forms;
mod health;
mod logins;
mod origin;
mod pages;
mod passwords;
pub mod peers;
mod problem;
mod relay;
mod security;
mod site;
mod stream;
mod tab;
mod timing;
mod unavailable;

use std::sync::Arc;

use axum::{
    Router,
    extract::FromRef,
    middleware,
    routing::{get, post},
};
use control::Control;
use leptos::config::LeptosOptions;
use tower_http::{catch_panic::CatchPanicLayer, csrf::CsrfLayer, limit::RequestBodyLimitLayer};

use crate::settings::Settings;

/// Largest body of a request: forms, small JSON, and the ids of as many sessions as can be chosen at once.
const BODY_BYTES: usize = 512 * 1024;

/// What handlers share.
#[derive(Clone)]
pub struct AppState {
    control: Arc<Control>,
    options: LeptosOptions,
    cookie: logins::Cookie,
    origins: origin::Origins,
    relays: relay::Relays,
}

impl FromRef<AppState> for LeptosOptions {
    fn from_ref(state: &AppState) -> Self {
        state.options.clone()
    }
}

/// Every route.
pub fn router(control: &Arc<Control>, settings: &Settings) -> Result<Router, String> {
    let site = site::Site::find(settings)?;
    let state = AppState {
        control: control.clone(),
        options: site.options(settings),
        cookie: logins::Cookie::new(settings.https()),
        origins: origin::Origins::new(settings),
        relays: relay::Relays::new(),
    };
    let csrf = CsrfLayer::new()
        .add_trusted_origin(settings.url())
        .map_err(|error| format!("public_url: {error}"))?;
    let router = Router::new()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/login", post(logins::sign_in))
        .route("/logout", post(logins::sign_out))
        .route(passwords::PATH, get(passwords::show).post(passwords::change))
        .route("/launch", post(forms::launch))
        .route("/sessions/{id}", get(tab::page))
        .route("/sessions/{id}/end", post(forms::end))
        .route("/sessions/{id}/stream", get(stream::open))
        .route("/admin/cloud-delivery/sessions/{id}/expire", post(forms::expire))
        .route("/admin/cloud-delivery/audit", get(audit::page))
        .route(peers::LOOK, post(peers::look))
        .nest("/api/v1", api::router());
    let router = pages::add(router, &state, site.reload_port)
        .with_state(state.clone())
        .merge(site.files())
        .layer(middleware::from_fn_with_state(state.clone(), logins::guard))
        .layer(csrf)
        .layer(RequestBodyLimitLayer::new(BODY_BYTES))
        .layer(middleware::from_fn(problem::plain_refusals))
        .layer(middleware::from_fn_with_state(state, security::headers))
        .layer(CatchPanicLayer::new())
        .layer(middleware::from_fn(timing::server_timing));
    Ok(router)
}

#[cfg(test)]
mod tests;
