//! Server functions are public endpoints, which any client can call.

use axum::http::{Method, header};
use session::Role;

use super::TestServer;

#[tokio::test]
async fn a_list_has_no_more_rows_than_the_api_gives() {
    let server = TestServer::new().await;
    let cookie = server.cookie(Role::SystemAdmin).await;
    for (limit, page, status) in [
        (200, 1, 200),
        (201, 1, 400),
        (65_535, 1, 400),
        (0, 1, 400),
        (50, 0, 400),
    ] {
        let view = r#""q":"","status":null,"connected":false,"sort":null,"cursor":null"#;
        let body = format!(r#"{{"view":{{{view},"limit":{limit},"page":{page}}}}}"#);
        let answer = server.post("/api/ui/list_sessions", Some(&cookie), &body).await;
        assert_eq!(answer.status().as_u16(), status, "limit {limit}, page {page}");
    }
}

#[tokio::test]
async fn an_answer_never_leads_to_the_page_that_the_request_names() {
    let server = TestServer::new().await;
    let cookie = server.cookie(Role::SystemAdmin).await;
    let answer = server
        .ask(Method::POST, "/api/ui/refresh_sessions", Some(&cookie), |request| {
            for (name, value) in [
                (header::CONTENT_TYPE, "application/json"),
                (header::ACCEPT, "text/html"),
                (header::REFERER, "https://evil.example/"),
            ] {
                request.headers_mut().insert(name, value.parse().unwrap());
            }
            *request.body_mut() = "{}".into();
        })
        .await;
    assert_eq!(answer.status().as_u16(), 200);
    assert!(!answer.headers().contains_key(header::LOCATION));
}
