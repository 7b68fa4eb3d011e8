//! Plain forms without JavaScript. Each refusal is a page in the browser's window.

use axum::{
    body::{Body, to_bytes},
    http::{Method, Request, StatusCode, header},
    response::Response,
};
use session::Role;

use super::{TestServer, UNKNOWN, code};

const FORM: &str = "application/x-www-form-urlencoded";

/// Posts a form like a browser.
async fn submit(
    server: &TestServer,
    path: &str,
    cookie: Option<&str>,
    form: &str,
    change: impl FnOnce(&mut Request<Body>),
) -> Response {
    let form = form.to_owned();
    server
        .ask(Method::POST, path, cookie, |request| {
            let headers = request.headers_mut();
            headers.insert(header::CONTENT_TYPE, FORM.parse().unwrap());
            headers.insert(
                header::ACCEPT,
                "text/html,application/xhtml+xml,*/*;q=0.8".parse().unwrap(),
            );
            *request.body_mut() = Body::from(form);
            change(request);
        })
        .await
}

async fn is_page(answer: Response, status: StatusCode) {
    assert_eq!(answer.status(), status);
    assert_eq!(
        answer.headers()[header::CONTENT_TYPE],
        "text/html; charset=utf-8",
        "{status}"
    );
    let policy = answer.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
    assert!(
        policy.contains("style-src 'self'"),
        "the policy permits the style sheet: {policy}"
    );
    let page = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
    let page = String::from_utf8_lossy(&page);
    assert!(page.contains("<h1>") && page.contains("<a href=\"/"), "{page}");
}

fn foreign(request: &mut Request<Body>) {
    let headers = request.headers_mut();
    headers.insert(header::ORIGIN, "https://evil.example".parse().unwrap());
    headers.insert("sec-fetch-site", "cross-site".parse().unwrap());
}

fn as_json(request: &mut Request<Body>) {
    let kind = "application/json".parse().unwrap();
    request.headers_mut().insert(header::CONTENT_TYPE, kind);
}

#[tokio::test]
async fn each_refusal_of_a_form_is_a_page() {
    let server = TestServer::new().await;
    let (user, admin) = (server.cookie(Role::User).await, server.cookie(Role::SystemAdmin).await);
    let (user, admin) = (Some(user.as_str()), Some(admin.as_str()));
    let end = format!("/sessions/{UNKNOWN}/end");
    let expire = format!("/admin/cloud-delivery/sessions/{UNKNOWN}/expire");
    let long = format!("application={}", "x".repeat(600 * 1024));
    for (path, who, form, status) in [
        ("/launch", None, "application=x", 401),
        ("/launch", user, "nothing=x", 422),
        ("/launch", user, &long, 413),
        ("/login", None, "username=x", 422),
        (&end, user, "", 404),
        ("/sessions/rubbish/end", user, "", 400),
        (&expire, user, "", 403),
        (&expire, admin, "", 404),
        (&expire, admin, "seen_status=gone", 422),
    ] {
        let answer = submit(&server, path, who, form, |_| {}).await;
        is_page(answer, StatusCode::from_u16(status).unwrap()).await;
    }
    for path in ["/launch", "/login", "/logout", &end, &expire] {
        is_page(submit(&server, path, admin, "", foreign).await, StatusCode::FORBIDDEN).await;
    }
    for path in ["/launch", "/login", &expire] {
        let answer = submit(&server, path, admin, "{}", as_json).await;
        is_page(answer, StatusCode::UNSUPPORTED_MEDIA_TYPE).await;
    }
    let answer = server.ask(Method::DELETE, "/launch", user, |_| {}).await;
    assert_eq!(answer.headers()[header::ALLOW], "POST");
    is_page(answer, StatusCode::METHOD_NOT_ALLOWED).await;
    is_page(server.get("/launch", user).await, StatusCode::METHOD_NOT_ALLOWED).await;
}

#[tokio::test]
async fn a_program_that_asks_for_json_gets_a_problem_of_a_form_too() {
    let server = TestServer::new().await;
    let cookie = server.cookie(Role::User).await;
    for (form, expected) in [("nothing=x", (422, "bad_body")), ("application=x", (403, "cross_site"))] {
        let answer = submit(&server, "/launch", Some(&cookie), form, |request| {
            let json = "application/json".parse().unwrap();
            request.headers_mut().insert(header::ACCEPT, json);
            if expected.0 == 403 {
                foreign(request);
            }
        });
        let (status, word) = code(answer.await).await;
        assert_eq!((status, word.as_str()), expected);
    }
}

#[tokio::test]
async fn an_address_without_a_page_has_one_that_says_so_for_programs_too() {
    let server = TestServer::new().await;
    let cookie = server.cookie(Role::User).await;
    for accept in ["text/html", "application/json", "*/*"] {
        let answer = server
            .ask(Method::GET, "/sessions/a/b", Some(&cookie), |request| {
                request.headers_mut().insert(header::ACCEPT, accept.parse().unwrap());
            })
            .await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND);
        assert_eq!(
            answer.headers()[header::CONTENT_TYPE],
            "text/html; charset=utf-8",
            "{accept}"
        );
    }
}

#[tokio::test]
async fn signing_in_leads_to_a_path_of_this_server_only() {
    let server = TestServer::new().await;
    for (next, to) in [
        (
            "%2Fadmin%2Fcloud-delivery%2Fsessions%3Fq%3Da",
            "/admin/cloud-delivery/sessions?q=a",
        ),
        ("%2F%09%2Fevil.example", "/"),
        ("%2F%01x", "/"),
        ("%2F%2Fevil.example", "/"),
    ] {
        let form = format!("username=user&password=correct+horse&next={next}");
        let answer = submit(&server, "/login", None, &form, |_| {}).await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{next}");
        assert_eq!(answer.headers()[header::LOCATION], to, "{next}");
    }
}
