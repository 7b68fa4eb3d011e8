//! The Audit page, the list of events and its file.

use super::*;

async fn text(answer: Response) -> String {
    let body = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
    String::from_utf8(body.to_vec()).unwrap()
}

const AUDIT: &str = "/admin/cloud-delivery/audit";

#[tokio::test]
async fn the_audit_page_shows_events_to_a_system_admin_only() {
    let server = TestServer::new().await;
    assert_eq!(server.get(AUDIT, None).await.status(), StatusCode::SEE_OTHER);
    let app_admin = server.cookie(Role::AppAdmin).await;
    // Also with an invalid search.
    for path in [
        AUDIT.to_owned(),
        format!("{AUDIT}?q=after:noon"),
        format!("{AUDIT}?limit=x"),
    ] {
        let answer = server.get(&path, Some(&app_admin)).await;
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{path}");
        let refused = text(answer).await;
        assert!(
            refused.contains("It needs the role System Admin.") && !refused.contains("<table"),
            "{refused}"
        );
    }
    let admin = server.cookie(Role::SystemAdmin).await;
    let page = text(server.get(AUDIT, Some(&admin)).await).await;
    assert!(page.contains("User reporter added, with the role Reporter"), "{page}");
    assert!(!page.contains(" style="), "{page}");
}

#[tokio::test]
async fn an_invalid_search_is_answered_with_its_error_and_no_events() {
    let server = TestServer::new().await;
    let admin = server.cookie(Role::SystemAdmin).await;
    for (query, error) in [
        ("q=after:noon", "“after:noon” isn’t a valid date."),
        ("q=reporter&limit=x", "“limit=x” must be a number from 1 to 200."),
    ] {
        let wrong = server.get(&format!("{AUDIT}?{query}"), Some(&admin)).await;
        assert_eq!(wrong.status(), StatusCode::BAD_REQUEST, "{query}");
        let page = text(wrong).await;
        assert!(page.contains(error) && page.contains("aria-invalid=\"true\""), "{page}");
        let q = query.split(['=', '&']).nth(1).unwrap();
        assert!(
            page.contains(&format!("value=\"{q}\"")),
            "the box keeps the search: {page}"
        );
        assert!(
            !page.contains("User reporter added"),
            "no events beside the error: {page}"
        );
    }
}

#[tokio::test]
async fn what_people_wrote_is_text_and_never_markup() {
    let server = TestServer::new().await;
    server
        .control
        .add_user("<b>bold</b>", PASSWORD, Role::User)
        .await
        .unwrap();
    let admin = server.cookie(Role::SystemAdmin).await;
    let page = text(server.get(&format!("{AUDIT}?q=%22%3E%3Cb%3E"), Some(&admin)).await).await;
    assert!(!page.contains("<b>"), "{page}");
    let page = text(server.get(&format!("{AUDIT}?q=bold"), Some(&admin)).await).await;
    assert!(page.contains("&lt;b&gt;bold") && !page.contains("<b>bold"), "{page}");
}

#[tokio::test]
async fn an_event_has_an_address_of_its_own() {
    let server = TestServer::new().await;
    let admin = server.cookie(Role::SystemAdmin).await;
    let page = text(server.get(&format!("{AUDIT}/1?q=reporter"), Some(&admin)).await).await;
    assert!(page.contains("Event details"), "{page}");
    assert!(page.contains("User reporter added"), "with the list beside it: {page}");
    for id in ["999", "rubbish"] {
        let answer = server.get(&format!("{AUDIT}/{id}"), Some(&admin)).await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{id}");
        assert!(text(answer).await.contains("There is no such event"), "{id}");
    }
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
