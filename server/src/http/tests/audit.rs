//! The Audit page, the list of events and its file.

use super::*;

async fn text(answer: Response) -> String {
    let body = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
    String::from_utf8(body.to_vec()).unwrap()
}

#[tokio::test]
async fn the_audit_page_is_a_document_that_may_run_nothing() {
    let server = TestServer::new().await;
    let audit = "/admin/cloud-delivery/audit";
    assert_eq!(server.get(audit, None).await.status(), StatusCode::SEE_OTHER);
    let app_admin = server.cookie(Role::AppAdmin).await;
    let refused = text(server.get(audit, Some(&app_admin)).await).await;
    assert!(
        refused.contains("It needs the role System Admin.") && !refused.contains("<table"),
        "{refused}"
    );

    let admin = server.cookie(Role::SystemAdmin).await;
    let answer = server.get(audit, Some(&admin)).await;
    let policy = answer.headers()[header::CONTENT_SECURITY_POLICY]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(
        policy.starts_with("default-src 'none'") && !policy.contains("script-src"),
        "{policy}"
    );
    let page = text(answer).await;
    assert!(page.contains("User reporter added, with the role Reporter"), "{page}");
    assert!(!page.contains("<script"), "{page}");

    let wrong = server.get(&format!("{audit}?q=after:noon"), Some(&admin)).await;
    assert_eq!(wrong.status(), StatusCode::BAD_REQUEST);
    let page = text(wrong).await;
    assert!(page.contains("“after:noon” isn’t a valid date."), "{page}");
    assert!(
        !page.contains("User reporter added"),
        "no events beside the error: {page}"
    );
}

#[tokio::test]
async fn the_events_come_in_pages_and_as_a_file() {
    let server = TestServer::new().await;
    server.control.add_user("=cmd", PASSWORD, Role::User).await.unwrap();
    let cookie = server.cookie(Role::SystemAdmin).await;
    let list = async |query: &str| {
        let answer = server.get(&format!("/api/v1/events{query}"), Some(&cookie)).await;
        serde_json::from_str::<session::audit::EventList>(&text(answer).await).unwrap()
    };
    let all = list("").await;
    assert_eq!(
        (all.items.len(), all.found, all.counted, all.next_before),
        (6, 6, true, None),
        "one of them is the reader's own sign-in"
    );
    let two = list("?limit=2").await;
    assert_eq!(two.items, all.items[..2]);
    let rest = list(&format!("?before={}", two.next_before.unwrap())).await;
    assert_eq!(rest.items, all.items[2..]);
    let found = list("?q=user:reporter%20who:system").await;
    assert_eq!(found.items[0].what, "User reporter added, with the role Reporter");
    assert_eq!(found.items.len(), 1);

    let file = server.get("/api/v1/events.csv?q=what:added", Some(&cookie)).await;
    let disposition = file.headers()[header::CONTENT_DISPOSITION].to_str().unwrap().to_owned();
    assert!(
        disposition.starts_with("attachment; filename=\"audit-"),
        "{disposition}"
    );
    let file = text(file).await;
    let mut lines = file.lines();
    assert_eq!(
        lines.next(),
        Some("\u{feff}ID,Date,Kind,Who,What,Session ID,Reason,Address,Request ID,Revision")
    );
    assert_eq!(lines.count(), 5, "{file}");
    assert!(
        file.contains(",user_changed,system,\"User reporter added, with the role Reporter\",,,,,"),
        "{file}"
    );
}
