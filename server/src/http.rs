//! HTTP: authenticate, call `control`, map the answer. One file per resource.
//!
//! Order of the layers, outside in: timing, security headers, the form of refusals, panics, size
//! limit, cross-site protection, authentication, the request's body, the requirements of the tier
//! (`access.rs`). Around them `listener.rs` limits connections.
//!
//! To add a route: put it into the tier with its access requirements, in [`router`].

mod access;
mod api;
mod application_form;
mod authentication;
pub mod client_address;
pub mod connections;
mod etag;
mod files;
mod forms;
mod health;
mod id;
pub mod limits;
pub mod listener;
mod login_cookie;
pub mod node_client;
mod origin;
mod pages;
mod passwords;
pub mod peers;
mod pictures;
mod prints;
mod problem;
mod refusals;
mod regional;
mod relay;
mod render;
mod request_body;
mod return_path;
mod security;
mod sign_in;
mod site;
mod sound;
mod stream;
mod tab;
mod tab_socket;
mod timing;
mod uploads;

use std::sync::Arc;

use anyhow::Context;
use axum::{
    Router,
    extract::{DefaultBodyLimit, FromRef},
    middleware,
    routing::{get, patch, post},
};
use control::Control;
use leptos::config::LeptosOptions;
use tower_http::{catch_panic::CatchPanicLayer, csrf::CsrfLayer, limit::RequestBodyLimitLayer};

use crate::settings::Settings;

/// State that all handlers share.
#[derive(Clone)]
pub struct AppState {
    control: Arc<Control>,
    options: LeptosOptions,
    cookie: login_cookie::LoginCookie,
    limits: limits::Limits,
    origins: origin::Origins,
    relays: relay::Relays,
    proxies: Proxies,
    renders: render::Renders,
}

/// Settings for requests that arrive through proxies.
#[derive(Clone)]
struct Proxies {
    trusted: Arc<client_address::TrustedProxies>,
    header: client_address::ProxyHeader,
    /// The server's URL for browsers if it uses TLS: the target of the redirect from plain http.
    https_url: Option<Arc<str>>,
}

impl FromRef<AppState> for LeptosOptions {
    fn from_ref(state: &AppState) -> Self {
        state.options.clone()
    }
}

/// All routes and their layers.
pub fn router(control: &Arc<Control>, settings: &Settings, limits: limits::Limits) -> anyhow::Result<Router> {
    let site = site::Site::find(settings)?;
    let state = AppState {
        control: control.clone(),
        options: site.options(settings),
        cookie: login_cookie::LoginCookie::new(settings.https()),
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
        .context("public_url")?;
    let pages = pages::pages(&state, site.reload_port);
    let https = middleware::from_fn_with_state(state.clone(), access::https);
    // Public. These work even while the log is lost.
    let open = Router::new()
        .route("/healthz", get(health::liveness))
        .route("/readyz", get(health::readiness))
        .with_state(state.clone())
        .merge(site.files());
    // Public. Other nodes authenticate with their secret.
    let anybody = Router::new()
        .route("/login", post(sign_in::sign_in))
        .route("/logout", post(sign_in::sign_out))
        .route(passwords::PATH, post(passwords::change))
        .route(peers::WAKE, post(peers::wake))
        .merge(pages.sign_in.layer(https.clone()));
    // Pages that require a login.
    let signed_in = Router::new()
        .route(passwords::PATH, get(passwords::show))
        .route("/sessions/{id}", get(tab::page))
        .route("/files", get(files::show))
        .merge(pages.portal)
        .layer(middleware::from_fn_with_state(state.clone(), access::signed_in_page))
        .layer(https);
    // Transfers of files: bodies and answers of any length, so without the layers that read a body whole.
    let transfers = Router::new()
        .route("/files/upload", post(files::upload))
        .route("/files/download", get(files::download))
        .route("/sessions/{id}/prints/{name}", get(prints::print))
        .route("/files/archive", get(files::archive))
        .route(uploads::PATH, post(uploads::begin).options(uploads::describe))
        .route(
            "/files/uploads/{id}",
            patch(uploads::append).head(uploads::offset).delete(uploads::cancel),
        )
        .layer(DefaultBodyLimit::disable())
        .layer(middleware::from_fn(access::password_is_own))
        .layer(middleware::from_fn_with_state(state.clone(), authentication::identify))
        .with_state(state.clone());
    // Forms, streams and programs. Each handler takes a `Person`, and `control` checks the role.
    let requests = Router::new()
        .route("/launch", post(forms::launch))
        .route("/favourites", post(forms::favourite))
        .route("/pictures/{hash}", get(pictures::show))
        .route("/files/folder", post(files::make_folder))
        .route("/files/rename", post(files::rename))
        .route("/files/delete", post(files::delete))
        .route("/sessions/{id}/end", post(forms::end))
        .route("/sessions/{id}/stream", get(stream::open))
        .route("/sessions/{id}/sound", get(sound::open))
        .route("/admin/cloud-delivery/sessions/{id}/expire", post(forms::expire))
        .route("/admin/cloud-delivery/applications/{id}", post(application_form::save))
        .merge(pages.functions)
        .nest(
            "/api",
            Router::new().nest("/v1", api::router()).fallback(api::not_found),
        )
        .layer(middleware::from_fn(access::password_is_own));
    let router = anybody
        .merge(signed_in)
        .merge(requests)
        .layer(middleware::from_fn(etag::conditional))
        .layer(middleware::from_fn_with_state(limits, request_body::read))
        .layer(middleware::from_fn_with_state(state.clone(), authentication::identify))
        .with_state(state.clone())
        .merge(open)
        .layer(RequestBodyLimitLayer::new(request_body::BODY_BYTES))
        .merge(transfers)
        .layer(csrf)
        .layer(CatchPanicLayer::new())
        .layer(middleware::from_fn(refusals::present))
        .layer(middleware::from_fn_with_state(state, security::headers))
        .layer(middleware::from_fn(timing::server_timing));
    Ok(router)
}

#[cfg(test)]
mod tests;
