//! Signing in and out, and the guard in front of every page.

use std::net::SocketAddr;

use axum::{
    Form,
    extract::{ConnectInfo, FromRequestParts, Request, State},
    http::{HeaderName, HeaderValue, Method, StatusCode, request::Parts},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use axum_extra::extract::{
    CookieJar,
    cookie::{self, SameSite},
};
use serde::Deserialize;
use session::{Origin, Role, wire::Me};
use uuid::Uuid;

use super::{AppState, origin::encode, passwords, problem::Refused, relay::relayed, unavailable};

/// Names the request, for whoever looks for it in the log of events.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// How the login's cookie is called and protected. On plain http (a trial on this host) neither prefix nor `Secure`:
/// browsers would not send it back.
#[derive(Clone, Copy)]
pub struct Cookie {
    secure: bool,
}

impl Cookie {
    /// For a server that people reach over TLS, or not.
    pub const fn new(https: bool) -> Self {
        Self { secure: https }
    }

    /// Over TLS?
    pub const fn secure(self) -> bool {
        self.secure
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        if self.secure {
            "__Host-cloud-delivery-login"
        } else {
            "cloud-delivery-login"
        }
    }

    pub(super) fn with(self, token: String) -> cookie::Cookie<'static> {
        cookie::Cookie::build((self.name(), token))
            .path("/")
            .http_only(true)
            .secure(self.secure)
            .same_site(SameSite::Lax)
            .build()
    }
}

/// Who asks, for handlers that need somebody.
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

#[derive(Deserialize)]
pub struct SignIn {
    username: String,
    password: String,
    #[serde(default)]
    next: String,
}

/// `POST /login`
pub async fn sign_in(
    State(state): State<AppState>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    jar: CookieJar,
    Form(form): Form<SignIn>,
) -> Response {
    let back = |what: &str| {
        let next = encode(&form.next);
        Redirect::to(&format!("/login?{what}&next={next}")).into_response()
    };
    match state.control.sign_in(&form.username, &form.password, peer.ip()).await {
        Ok(token) => (jar.add(state.cookie.with(token)), Redirect::to(own_path(&form.next))).into_response(),
        Err(control::Error::Credentials) => back("failed=1"),
        Err(control::Error::Blocked) => back("blocked=1"),
        Err(control::Error::Throttled(seconds)) => back(&format!("throttled={seconds}")),
        Err(error) => unavailable::page(error, &format!("/login?next={}", encode(&form.next))),
    }
}

/// `POST /logout`
pub async fn sign_out(State(state): State<AppState>, jar: CookieJar) -> Result<Response, Refused> {
    if let Some(cookie) = jar.get(state.cookie.name()) {
        state.control.sign_out(cookie.value()).await?;
    }
    let gone = cookie::Cookie::build(state.cookie.name())
        .path("/")
        .secure(state.cookie.secure());
    Ok((jar.remove(gone), Redirect::to("/login")).into_response())
}

/// Says who asks, from where, and names the request. A stranger who asks for a page is sent to sign in; whoever's role is not enough for the admin portal
/// sees that, as 403. The API and the server functions refuse by themselves.
pub async fn guard(
    State(state): State<AppState>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    jar: CookieJar,
    mut request: Request,
    next: Next,
) -> Response {
    let id = Uuid::now_v7().to_string();
    let open = needs_no_log(request.uri().path());
    if state.control.lost() && !open {
        return unavailable::answer(&request, control::Error::Lost);
    }
    let me = match jar.get(state.cookie.name()).filter(|_| !open) {
        Some(cookie) => match state.control.who(cookie.value()).await {
            Ok(me) => me,
            Err(error) => return unavailable::answer(&request, error),
        },
        None => None,
    };
    let role = me.as_ref().map(|me| me.role);
    let path = request.uri().path().to_owned();
    if role.is_none() && is_page(request.method(), &path) {
        let asked = request.uri().path_and_query().map_or("/", |asked| asked.as_str());
        return Redirect::to(&format!("/login?next={}", encode(asked))).into_response();
    }
    if let Some(answer) = me.as_ref().and_then(|me| passwords::required(me, &request)) {
        return answer;
    }
    if let Some(me) = me {
        let origin = Origin {
            address: relayed(&state.control, request.headers())
                .unwrap_or(peer.ip())
                .to_string()
                .into(),
            request_id: id.as_str().into(),
        };
        request.extensions_mut().insert(Me {
            origin: Some(origin),
            ..me
        });
    }
    let mut response = next.run(request).await;
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    if role < needed(&path) && response.status() == StatusCode::OK {
        *response.status_mut() = StatusCode::FORBIDDEN;
    }
    response
}

/// The role that a page of the admin portal needs; `None` for everything else.
fn needed(path: &str) -> Option<Role> {
    let below = |folder: &str| {
        path.strip_prefix(folder)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    if path == "/admin" || below("/admin/cloud-delivery/applications") {
        Some(Role::AppAdmin)
    } else {
        below("/admin").then_some(Role::SystemAdmin)
    }
}

/// Can it be answered without the log?
fn needs_no_log(path: &str) -> bool {
    let files = ["/pkg/", "/novnc/", "/tab/"];
    ["/healthz", "/readyz", "/favicon.svg", "/favicon.ico", "/robots.txt"].contains(&path)
        || files.iter().any(|folder| path.starts_with(folder))
}

/// Is it a page for people who are signed in?
pub(super) fn is_page(method: &Method, path: &str) -> bool {
    let open = [
        "/login",
        "/logout",
        "/healthz",
        "/readyz",
        "/favicon.svg",
        "/favicon.ico",
        "/robots.txt",
    ];
    let folders = ["/api/", "/pkg/", "/novnc/", "/tab/"];
    let stream = path.starts_with("/sessions/") && path.ends_with("/stream");
    let form = method == Method::POST;
    !stream && !form && !open.contains(&path) && !folders.iter().any(|folder| path.starts_with(folder))
}

/// Where to go after signing in: a path of this server, never an address that somebody put into a link.
pub(super) fn own_path(next: &str) -> &str {
    let own = next.starts_with('/') && !next.starts_with("//") && !next.contains(['\\', '\n', '\r']);
    if own { next } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signing_in_never_leads_to_another_site() {
        for (next, to) in [
            (
                "/admin/cloud-delivery/sessions?q=a",
                "/admin/cloud-delivery/sessions?q=a",
            ),
            ("https://evil.example/", "/"),
            ("//evil.example", "/"),
            ("/\\evil.example", "/"),
            ("", "/"),
        ] {
            assert_eq!(own_path(next), to);
        }
    }

    #[test]
    fn every_page_is_for_people_who_are_signed_in() {
        for (path, guarded) in [
            ("/", true),
            ("/admin", true),
            ("/sessions/x", true),
            ("/no-such-page", true),
            ("/sessions/x/stream", false),
            ("/login", false),
            ("/api/v1/sessions", false),
            ("/pkg/cloud-delivery.js", false),
        ] {
            assert_eq!(is_page(&Method::GET, path), guarded, "{path}");
        }
    }
}
