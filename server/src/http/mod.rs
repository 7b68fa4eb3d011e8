//! HTTP: authenticate, call `control`, map the answer. One file per resource.
//!
//! Order of the layers, outside in: timing, security headers, the form of refusals, panics, size limit, cross-site protection,
//! authentication, the request's body. Around them `listener.rs` limits connections.

mod api;
mod audit;
pub mod client_address;
pub mod connections;
mod etag;
mod forms;
mod health;
pub mod limits;
pub mod listener;
mod logins;
pub mod node_client;
mod origin;
mod pages;
mod passwords;
pub mod peers;
mod problem;
mod refusals;
mod relay;
mod render;
mod request_body;
mod return_path;
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

/// What handlers share.
#[derive(Clone)]
pub struct AppState {
    control: Arc<Control>,
    options: LeptosOptions,
    cookie: logins::Cookie,
    limits: limits::Limits,
    origins: origin::Origins,
    relays: relay::Relays,
    proxies: Proxies,
    renders: render::Renders,
}

/// What is trusted to tell where a request came from.
#[derive(Clone)]
struct Proxies {
    trusted: Arc<client_address::TrustedProxies>,
    header: client_address::ProxyHeader,
    /// Where people reach the server, if over TLS: a trusted proxy that was called without is sent there.
    https_url: Option<Arc<str>>,
}

impl FromRef<AppState> for LeptosOptions {
    fn from_ref(state: &AppState) -> Self {
        state.options.clone()
    }
}

/// Every route.
pub fn router(control: &Arc<Control>, settings: &Settings, limits: limits::Limits) -> Result<Router, String> {
    let site = site::Site::find(settings)?;
    let state = AppState {
        control: control.clone(),
        options: site.options(settings),
        cookie: logins::Cookie::new(settings.https()),
        limits,
        origins: origin::Origins::new(settings),
        relays: relay::Relays::new()?,
        proxies: Proxies {
            trusted: Arc::new(settings.trusted_proxies.clone()),
            header: settings.proxy_header,
            https_url: settings.https().then(|| settings.url().into()),
        },
        renders: render::Renders::new(),
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
        .route(peers::WAKE, post(peers::wake))
        .nest("/api/v1", api::router());
    let router = pages::add(router, &state, site.reload_port)
        .with_state(state.clone())
        .merge(site.files())
        .layer(middleware::from_fn(etag::conditional))
        .layer(middleware::from_fn_with_state(limits, request_body::read))
        .layer(middleware::from_fn_with_state(state.clone(), logins::guard))
        .layer(csrf)
        .layer(RequestBodyLimitLayer::new(request_body::BODY_BYTES))
        .layer(CatchPanicLayer::new())
        .layer(middleware::from_fn(refusals::present))
        .layer(middleware::from_fn_with_state(state, security::headers))
        .layer(middleware::from_fn(timing::server_timing));
    Ok(router)
}

#[cfg(test)]
mod tests;
