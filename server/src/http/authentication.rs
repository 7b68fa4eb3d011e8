//! Authentication: finds the client and the login of a request. `access.rs` has the requirements of
//! each tier of routes for the login.

use std::net::SocketAddr;

use axum::{
    extract::{ConnectInfo, FromRequestParts, Request, State},
    http::{HeaderName, HeaderValue, Method, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use axum_extra::extract::CookieJar;
use control::Client;
use session::api::Me;
use store::StoreError;
use uuid::Uuid;

use super::{AppState, client_address, problem::Refused, relay::relayed};

/// Response header with the id that the log of events has for the request.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Server functions that pages poll every few seconds. They do not count as use of a login.
const POLLED_BY_PAGES: [&str; 7] = [
    "/api/ui/my_applications",
    "/api/ui/list_applications",
    "/api/ui/list_environments",
    "/api/ui/list_sessions",
    "/api/ui/session_details",
    "/api/ui/me",
    "/api/ui/columns",
];

/// The person of the login. Rejects requests without one.
pub struct Person(pub Me);

impl<S: Sync> FromRequestParts<S> for Person {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refused> {
        parts
            .extensions
            .get::<Me>()
            .cloned()
            .map(Self)
            .ok_or_else(|| control::Error::SignIn.into())
    }
}

/// Marks a request that a trusted proxy received over plain http.
#[derive(Clone, Copy)]
pub struct PlainHttp;

/// Adds the [`Client`] to a request, and [`Me`] if it carries a valid login. Rejects every request
/// while the log is lost.
pub async fn identify(
    State(state): State<AppState>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    jar: CookieJar,
    mut request: Request,
    next: Next,
) -> Result<Response, Refused> {
    if state.control.has_lost_log() {
        return Err(control::Error::Lost.into());
    }
    let id = Uuid::now_v7().to_string();
    let proxies = &state.proxies;
    let peer = client_address::client(peer.ip(), request.headers(), &proxies.trusted, proxies.header);
    if peer.https == Some(false) {
        request.extensions_mut().insert(PlainHttp);
    }
    let client = Client {
        // A node that relays a tab has already found its client.
        address: relayed(&state.control, request.headers()).unwrap_or(peer.address),
        request_id: id.as_str().into(),
    };
    let me = match jar.get(state.cookie.name()) {
        Some(cookie) => state
            .control
            .authenticate(cookie.value())
            .await
            .map_err(nothing_changed)?,
        None => None,
    };
    if let Some(me) = me {
        if is_action(request.method(), request.uri().path()) {
            state.control.login_used(&me);
        }
        let origin = Some(client.origin());
        request.extensions_mut().insert(Me { origin, ..me });
    }
    request.extensions_mut().insert(client);
    let mut response = next.run(request).await.into_response();
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    Ok(response)
}

/// The request has not reached its handler, so the answer can say that it changed nothing.
fn nothing_changed(error: control::Error) -> Refused {
    match error {
        control::Error::Store(StoreError::Unreachable(_)) => control::Error::Lost.into(),
        other => other.into(),
    }
}

/// Is this request an action of a person, and so use of the login? `access.rs` counts opened pages,
/// and `stream.rs` counts keys in a session's tab.
fn is_action(method: &Method, path: &str) -> bool {
    method != Method::GET && !POLLED_BY_PAGES.contains(&path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn polls_of_a_page_are_no_use_of_a_login() {
        for (method, path, action) in [
            (Method::POST, "/launch", true),
            (Method::POST, "/api/ui/expire_session", true),
            (Method::POST, "/api/v1/sessions/refresh", true),
            (Method::POST, "/api/ui/my_applications", false),
            (Method::GET, "/api/ui/my_applications", false),
            (Method::POST, "/api/ui/list_sessions", false),
            (Method::GET, "/api/v1/sessions", false),
            (Method::GET, "/api/v1/sessions/watch", false),
            (Method::GET, "/sessions/x/stream", false),
            (Method::GET, "/sessions/x/sound", false),
        ] {
            assert_eq!(is_action(&method, path), action, "{method} {path}");
        }
    }
}
