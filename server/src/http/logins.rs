//! Signing in and out, and the guard in front of every page.

use std::net::SocketAddr;

use axum::{
    Extension, Form,
    extract::{ConnectInfo, FromRequestParts, Request, State, rejection::FormRejection},
    http::{HeaderName, HeaderValue, Method, StatusCode, request::Parts},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use axum_extra::extract::{
    CookieJar,
    cookie::{self, SameSite},
};
use control::Client;
use serde::Deserialize;
use session::{Role, wire::Me};
use uuid::Uuid;

use super::{
    AppState, client_address, origin::encode, passwords, problem::Refused, relay::relayed, return_path::return_path,
    unavailable,
};

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
    Extension(client): Extension<Client>,
    jar: CookieJar,
    Form(form): Form<SignIn>,
) -> Response {
    let back = |what: &str| {
        let next = encode(&form.next);
        Redirect::to(&format!("/login?{what}&next={next}")).into_response()
    };
    match state.control.sign_in(&form.username, &form.password, &client).await {
        Ok(token) => (
            jar.add(state.cookie.with(token)),
            Redirect::to(&return_path(&form.next)),
        )
            .into_response(),
        Err(control::Error::Credentials) => back("failed=1"),
        Err(control::Error::Blocked) => back("blocked=1"),
        Err(control::Error::Throttled(seconds)) => back(&format!("throttled={seconds}")),
        Err(error) => unavailable::page(error, &format!("/login?next={}", encode(&form.next))),
    }
}

#[derive(Deserialize)]
pub struct SignOut {
    /// End all of the person's logins, also those in other browsers?
    #[serde(default)]
    everywhere: bool,
}

/// `POST /logout`
pub async fn sign_out(
    State(state): State<AppState>,
    person: Option<Extension<Me>>,
    jar: CookieJar,
    form: Result<Form<SignOut>, FormRejection>,
) -> Result<Response, Refused> {
    // A program may post nothing at all.
    let everywhere = form.is_ok_and(|Form(form)| form.everywhere);
    match person {
        Some(Extension(me)) if everywhere => state.control.sign_out_everywhere(&me).await?,
        Some(Extension(me)) => state.control.sign_out(&me).await?,
        None => {}
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
    let peer = client_address::client(
        peer.ip(),
        request.headers(),
        &state.proxies.trusted,
        state.proxies.header,
    );
    if let Some(url) = state.proxies.https_url.as_deref().filter(|_| peer.https == Some(false))
        && is_page(request.method(), request.uri().path())
    {
        let asked = request.uri().path_and_query().map_or("/", |asked| asked.as_str());
        return Redirect::permanent(&format!("{url}{asked}")).into_response();
    }
    let client = Client {
        // A node that relays a tab has found the client itself.
        address: relayed(&state.control, request.headers()).unwrap_or(peer.address),
        request_id: id.as_str().into(),
    };
    let open = needs_no_log(request.uri().path());
    if state.control.has_lost_log() && !open {
        return unavailable::answer(&request, control::Error::Lost);
    }
    let me = match jar.get(state.cookie.name()).filter(|_| !open) {
        Some(cookie) => match state.control.authenticate(cookie.value()).await {
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
        if is_use(request.method(), &path) {
            state.control.login_used(&me);
        }
        request.extensions_mut().insert(Me {
            origin: Some(client.origin()),
            ..me
        });
    }
    request.extensions_mut().insert(client);
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

/// Does a person do this, or does a page by itself? Only the first keeps a login from becoming idle. Pages ask for their lists every few
/// seconds, and reconnect their watches and tabs by themselves; keys that are typed into a session's tab count there.
fn is_use(method: &Method, path: &str) -> bool {
    const ASKED_BY_PAGES: [&str; 7] = [
        "/api/ui/my_applications",
        "/api/ui/list_applications",
        "/api/ui/list_environments",
        "/api/ui/list_sessions",
        "/api/ui/session_details",
        "/api/ui/me",
        "/api/ui/columns",
    ];
    is_page(method, path) || (method != Method::GET && !ASKED_BY_PAGES.contains(&path))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_page_does_by_itself_is_no_use_of_a_login() {
        for (method, path, used) in [
            (Method::GET, "/", true),
            (Method::GET, "/admin/cloud-delivery/sessions", true),
            (Method::POST, "/launch", true),
            (Method::POST, "/api/ui/expire_session", true),
            (Method::POST, "/api/v1/sessions/refresh", true),
            (Method::POST, "/api/ui/my_applications", false),
            (Method::GET, "/api/ui/my_applications", false),
            (Method::POST, "/api/ui/list_sessions", false),
            (Method::GET, "/api/v1/sessions", false),
            (Method::GET, "/api/v1/sessions/watch", false),
            (Method::GET, "/sessions/x/stream", false),
            (Method::GET, "/pkg/cloud-delivery.js", false),
        ] {
            assert_eq!(is_use(&method, path), used, "{method} {path}");
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
