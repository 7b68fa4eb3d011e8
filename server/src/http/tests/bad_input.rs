//! Invalid requests to the API. Each gets a problem document.

use axum::http::Method;
use session::Role;

use super::{TestServer, UNKNOWN, code, is};

#[tokio::test]
async fn bad_input_has_a_clear_answer() {
    let server = TestServer::new().await;
    let cookie = server.cookie(Role::SystemAdmin).await;
    let cookie = Some(cookie.as_str());
    let long = format!("/api/v1/sessions?q={}", "x".repeat(10_000));
    let expire = |id: &str| format!("/api/v1/sessions/{id}/expire");
    for (answer, expected) in [
        (
            server.get(&format!("/api/v1/sessions/{UNKNOWN}"), cookie).await,
            is(404, "no_such_session"),
        ),
        (
            server.get("/api/v1/sessions/rubbish", cookie).await,
            is(400, "malformed"),
        ),
        (
            server.post(&expire(UNKNOWN), cookie, "{}").await,
            is(404, "no_such_session"),
        ),
        (
            server.post("/api/v1/sessions/x/give-up", cookie, "{}").await,
            is(400, "malformed"),
        ),
        (
            server.post("/api/v1/users/nobody/block", cookie, "{}").await,
            is(404, "no_such_user"),
        ),
        (
            server.post("/api/v1/users/system-admin/block", cookie, "{}").await,
            is(409, "last_system_admin"),
        ),
        (
            server
                .post(
                    &format!("/api/v1/environments/{UNKNOWN}/close"),
                    cookie,
                    r#"{"end":true}"#,
                )
                .await,
            is(422, "bad_body"),
        ),
        (
            server
                .post(&format!("/api/v1/environments/{UNKNOWN}/close"), cookie, "{}")
                .await,
            is(404, "no_such_environment"),
        ),
        (
            server.post("/api/v1/environments/rubbish/open", cookie, "").await,
            is(400, "malformed"),
        ),
        (
            server.post(&expire("rubbish"), cookie, "{}").await,
            is(400, "malformed"),
        ),
        (
            server.post(&expire(UNKNOWN), cookie, "{\"colour\": 1}").await,
            is(422, "bad_body"),
        ),
        (
            server.post(&expire(UNKNOWN), cookie, "not json").await,
            is(400, "bad_body"),
        ),
        (
            server
                .post(
                    &expire(UNKNOWN),
                    cookie,
                    &format!("{{\"reason\":\"{}\"}}", "é".repeat(501)),
                )
                .await,
            is(422, "reason_too_long"),
        ),
        (server.get(&long, cookie).await, is(400, "malformed")),
        (
            server.get("/api/v1/sessions?limit=0", cookie).await,
            is(400, "malformed"),
        ),
        (
            server.get("/api/v1/sessions?cursor=rubbish", cookie).await,
            is(400, "malformed"),
        ),
        (
            server.get("/api/v1/events?q=after:noon", cookie).await,
            is(400, "malformed"),
        ),
        (
            server.get("/api/v1/events.csv?q=after:noon", cookie).await,
            is(400, "malformed"),
        ),
        (
            server.get("/api/v1/events?limit=201", cookie).await,
            is(400, "malformed"),
        ),
        (
            server.get("/api/v1/events?before=x", cookie).await,
            is(400, "malformed"),
        ),
        (server.get("/api/v1/nothing", cookie).await, is(404, "not_found")),
        (
            server.ask(Method::DELETE, "/api/v1/sessions", cookie, |_| {}).await,
            is(405, "method"),
        ),
        (
            server.post("/api/v1/sessions", cookie, &"x".repeat(10 << 20)).await,
            is(413, "too_large"),
        ),
        (
            server
                .post(
                    "/api/v1/sessions",
                    cookie,
                    &format!("{{\"application_id\":\"{UNKNOWN}\"}}"),
                )
                .await,
            is(404, "unknown_application"),
        ),
    ] {
        assert_eq!(code(answer).await, expected);
    }
}
