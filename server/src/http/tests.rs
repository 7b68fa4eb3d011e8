//! The router from a client's point of view: access to each route, and the format of refusals.

use std::{collections::HashMap, net::SocketAddr, sync::Arc};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::ConnectInfo,
    http::{Method, Request, StatusCode, header},
    response::Response,
};
use control::{Client, Control, Options};
use session::Role;
use store::Store;
use store_sqlite::Sqlite;
use tempfile::TempDir;
use tower::ServiceExt;
use uuid::Uuid;

use super::limits::Limits;
use crate::{clock::SystemClock, settings::Settings};

mod audit;
mod bad_input;
mod connections;
mod forms;
mod my_apps;
mod nodes;
mod server_functions;
mod tabs;

const PASSWORD: &str = "correct horse";
const UNKNOWN: &str = "0199f3a0-5d1e-7c3b-9a51-2f6f5d0e8c11";

/// A request from this machine.
fn home() -> Client {
    Client {
        address: "127.0.0.1".parse().unwrap(),
        request_id: "a test".into(),
    }
}

struct TestServer {
    router: Router,
    control: Arc<Control>,
    store: Arc<dyn Store>,
    _site: TempDir,
    _data: Option<TempDir>,
}

impl TestServer {
    async fn new() -> Self {
        let data = tempfile::tempdir().unwrap();
        let store = Sqlite::open(&data.path().join("data")).await.unwrap();
        Self {
            _data: Some(data),
            ..Self::on(Arc::new(store)).await
        }
    }

    /// A server on a log that the test also uses.
    async fn on(store: Arc<dyn Store>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let site = folder.path().join("site");
        std::fs::create_dir_all(site.join("pkg")).unwrap();
        std::fs::write(site.join("hash.txt"), "js: a\nwasm: b\ncss: c\n").unwrap();
        let settings = Settings {
            site_dir: Some(site),
            ..Settings::default()
        };
        let control = Control::open(store.clone(), HashMap::new(), Arc::new(SystemClock), Options::default())
            .await
            .unwrap();
        for role in Role::ALL {
            control.add_user(role.code(), PASSWORD, role).await.unwrap();
        }
        let router = super::router(&control, &settings, Limits::default()).unwrap();
        Self {
            router,
            control,
            store,
            _site: folder,
            _data: None,
        }
    }

    async fn cookie(&self, role: Role) -> String {
        let token = self.control.sign_in(role.code(), PASSWORD, &home()).await.unwrap();
        format!("cloud-delivery-login={token}")
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        cookie: Option<&str>,
        change: impl FnOnce(&mut Request<Body>),
    ) -> Response {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "127.0.0.1:3000");
        if let Some(cookie) = cookie {
            request = request.header(header::COOKIE, cookie);
        }
        let mut request = request.body(Body::empty()).unwrap();
        request
            .extensions_mut()
            .insert(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 5000))));
        change(&mut request);
        self.router.clone().oneshot(request).await.unwrap()
    }

    async fn get(&self, path: &str, cookie: Option<&str>) -> Response {
        self.ask(Method::GET, path, cookie, |_| {}).await
    }

    async fn post(&self, path: &str, cookie: Option<&str>, body: &str) -> Response {
        let body = body.to_owned();
        self.ask(Method::POST, path, cookie, |request| {
            request
                .headers_mut()
                .insert(header::CONTENT_TYPE, "application/json".parse().unwrap());
            *request.body_mut() = Body::from(body);
        })
        .await
    }
}

#[tokio::test]
async fn as_many_sessions_can_be_named_as_can_be_chosen() {
    let server = TestServer::new().await;
    let cookie = server.cookie(Role::SystemAdmin).await;
    let ids: Vec<_> = (0..session::batch::MAX_CHOSEN)
        .map(|_| format!("\"{}\"", Uuid::now_v7()))
        .collect();
    let body = format!("{{\"ids\":[{}]}}", ids.join(","));
    let answer = server.post("/api/v1/sessions/selection", Some(&cookie), &body).await;
    assert_eq!(answer.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_password_that_was_drawn_is_changed_before_anything_else() {
    let server = TestServer::new().await;
    let drawn = server
        .control
        .add_user_with_temporary_password("jane", Role::SystemAdmin)
        .await
        .unwrap();
    let token = server.control.sign_in("jane", &drawn, &home()).await.unwrap();
    let cookie = format!("cloud-delivery-login={token}");
    for page in ["/", "/admin/cloud-delivery/sessions", &format!("/sessions/{UNKNOWN}")] {
        let sent = server.get(page, Some(&cookie)).await;
        assert_eq!(sent.status(), StatusCode::SEE_OTHER, "{page}");
        assert_eq!(sent.headers()[header::LOCATION], "/account/password", "{page}");
    }
    for path in ["/api/v1/sessions", "/api/v1/me", &format!("/sessions/{UNKNOWN}/stream")] {
        let refused = code(server.get(path, Some(&cookie)).await).await;
        assert_eq!(refused, (403, "password_change_required".into()), "{path}");
    }
    let refused = code(server.post("/api/ui/list_sessions", Some(&cookie), "{}").await).await;
    assert_eq!(refused, (403, "password_change_required".into()));

    let change = async |cookie: &str, current: &str, new: &str, again: &str| {
        let body = format!("current={current}&new={new}&again={again}");
        let form = "application/x-www-form-urlencoded";
        let sent = |request: &mut Request<Body>| {
            request
                .headers_mut()
                .insert(header::CONTENT_TYPE, form.parse().unwrap());
            *request.body_mut() = Body::from(body);
        };
        server.ask(Method::POST, "/account/password", Some(cookie), sent).await
    };
    for (current, new, again) in [
        ("wrong-horse", "another-horse", "another-horse"),
        (&*drawn, "another-horse", "other-horse"),
        (&*drawn, "short", "short"),
        (&*drawn, &*drawn, &*drawn),
    ] {
        let refused = change(&cookie, current, new, again).await;
        assert_eq!(
            refused.status(),
            StatusCode::UNPROCESSABLE_ENTITY,
            "{current} {new} {again}"
        );
    }
    let changed = change(&cookie, &drawn, "another-horse", "another-horse").await;
    assert_eq!(changed.status(), StatusCode::SEE_OTHER);
    assert_eq!(changed.headers()[header::LOCATION], "/");
    let fresh = changed.headers()[header::SET_COOKIE].to_str().unwrap();
    let fresh = fresh.split(';').next().unwrap().to_owned();
    assert_eq!(
        server.get("/api/v1/sessions", Some(&fresh)).await.status(),
        StatusCode::OK
    );
    let old = code(server.get("/api/v1/sessions", Some(&cookie)).await).await;
    assert_eq!(old.0, 401, "the earlier login has ended");
    // A person with a password of their own need not change it, but can.
    let own = server.cookie(Role::User).await;
    assert_eq!(
        server.get("/account/password", Some(&own)).await.status(),
        StatusCode::OK
    );
}

async fn code(response: Response) -> (u16, String) {
    let status = response.status().as_u16();
    assert_eq!(
        response.headers()[header::CONTENT_TYPE],
        "application/problem+json",
        "{status}"
    );
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    let problem: session::api::Problem = serde_json::from_slice(&body).unwrap();
    assert_eq!(problem.status, status);
    assert!(!problem.title.is_empty() && !problem.detail.is_empty());
    (status, problem.code)
}

fn is(status: u16, word: &str) -> (u16, String) {
    (status, word.to_owned())
}

/// All routes of the API that require the role System Admin.
fn admin_routes() -> Vec<(Method, String)> {
    vec![
        (Method::GET, "/api/v1/sessions".into()),
        (Method::GET, "/api/v1/sessions/watch".into()),
        (Method::POST, "/api/v1/sessions/refresh".into()),
        (Method::POST, format!("/api/v1/sessions/{UNKNOWN}/expire")),
        (Method::GET, "/api/v1/events".into()),
        (Method::GET, "/api/v1/events.csv".into()),
        (Method::GET, "/api/v1/environments".into()),
        (Method::POST, format!("/api/v1/environments/{UNKNOWN}/open")),
        (Method::POST, format!("/api/v1/environments/{UNKNOWN}/close")),
    ]
}

#[tokio::test]
async fn each_api_route_refuses_strangers_with_401_and_lower_roles_with_403() {
    let server = TestServer::new().await;
    for (method, path) in admin_routes() {
        assert_eq!(
            code(server.ask(method.clone(), &path, None, |_| {}).await).await,
            is(401, "sign_in"),
            "{path}"
        );
        for role in [Role::User, Role::Reporter, Role::AppAdmin] {
            let cookie = server.cookie(role).await;
            let answer = server.ask(method.clone(), &path, Some(&cookie), |_| {}).await;
            assert_eq!(code(answer).await, is(403, "forbidden"), "{role} {path}");
        }
    }
    assert_eq!(
        code(server.get("/api/v1/applications", None).await).await,
        is(401, "sign_in")
    );
    assert_eq!(
        code(server.post("/api/v1/sessions", None, "{}").await).await,
        is(401, "sign_in")
    );
}

#[tokio::test]
async fn the_admin_portal_is_403_for_lower_roles_and_a_stranger_is_sent_to_sign_in() {
    let server = TestServer::new().await;
    let page = "/admin/cloud-delivery/sessions?q=a%20b";
    let stranger = server.get(page, None).await;
    assert_eq!(stranger.status(), StatusCode::SEE_OTHER);
    assert_eq!(
        stranger.headers()[header::LOCATION],
        "/login?next=%2Fadmin%2Fcloud-delivery%2Fsessions%3Fq%3Da%2520b"
    );
    let applications = "/admin/cloud-delivery/applications";
    for (page, least) in [
        (page, Role::SystemAdmin),
        ("/admin/cloud-delivery/environments", Role::SystemAdmin),
        ("/admin/cloud-delivery/audit", Role::SystemAdmin),
        (applications, Role::AppAdmin),
        ("/admin/cloud-delivery/applications/new", Role::AppAdmin),
    ] {
        for role in Role::ALL {
            let cookie = server.cookie(role).await;
            let status = if role < least { 403 } else { 200 };
            assert_eq!(
                server.get(page, Some(&cookie)).await.status().as_u16(),
                status,
                "{role} {page}"
            );
        }
    }
    let cookie = server.cookie(Role::SystemAdmin).await;
    for id in [UNKNOWN, "rubbish"] {
        let answer = server.get(&format!("{applications}/{id}"), Some(&cookie)).await;
        assert_eq!(answer.status().as_u16(), 404, "{id}");
    }
}

#[tokio::test]
async fn another_site_can_neither_post_nor_open_a_stream() {
    let server = TestServer::new().await;
    let cookie = server.cookie(Role::SystemAdmin).await;
    let foreign = |request: &mut Request<Body>| {
        let headers = request.headers_mut();
        headers.insert(header::ORIGIN, "https://evil.example".parse().unwrap());
        headers.insert("sec-fetch-site", "cross-site".parse().unwrap());
    };
    let path = format!("/api/v1/sessions/{UNKNOWN}/expire");
    assert_eq!(
        code(server.ask(Method::POST, &path, Some(&cookie), foreign).await).await,
        is(403, "cross_site")
    );
    let login = server.ask(Method::POST, "/login", None, foreign).await;
    assert_eq!(login.status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn every_answer_carries_the_headers_that_protect_it() {
    let server = TestServer::new().await;
    let cookie = server.cookie(Role::SystemAdmin).await;
    for path in [
        "/login",
        "/healthz",
        "/api/v1/sessions",
        "/sessions/rubbish",
        "/no-such-page",
    ] {
        let answer = server.get(path, Some(&cookie)).await;
        let headers = answer.headers();
        assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
        assert_eq!(headers[header::CACHE_CONTROL], "no-store", "{path}");
        let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(
            policy.starts_with("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{path}: {policy}"
        );
    }
}

#[tokio::test]
async fn the_page_of_no_session_says_so() {
    let server = TestServer::new().await;
    let cookie = server.cookie(Role::User).await;
    for (path, status) in [(format!("/sessions/{UNKNOWN}"), 404), ("/sessions/rubbish".into(), 400)] {
        let answer = server.get(&path, Some(&cookie)).await;
        assert_eq!(answer.status().as_u16(), status);
        let body = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
        assert!(String::from_utf8_lossy(&body).contains("<h1>"), "{path}");
    }
}

#[tokio::test]
async fn on_the_way_down_it_is_not_ready_lets_no_watcher_in_and_still_answers() {
    let server = TestServer::new().await;
    let admin = server.cookie(Role::SystemAdmin).await;
    assert_eq!(server.get("/readyz", None).await.status(), 200);
    server.control.begin_shutdown();
    assert_eq!(server.get("/readyz", None).await.status(), 503);
    assert_eq!(server.get("/healthz", None).await.status(), 200);
    let watch = server.get("/api/v1/sessions/watch", Some(&admin)).await;
    assert_eq!(watch.headers()[header::RETRY_AFTER], "2");
    assert_eq!(code(watch).await, (503, "stopping".to_owned()));
    assert_eq!(server.get("/api/v1/sessions", Some(&admin)).await.status(), 200);
}
