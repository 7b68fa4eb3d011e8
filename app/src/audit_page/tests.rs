use session::{SessionId, Timestamp, UserId, audit::Entry};

use super::*;

fn me(role: Role) -> Me {
    Me {
        user_id: UserId::numbered(1),
        username: "jane".into(),
        role,
        must_change_password: false,
        origin: None,
        login: None,
    }
}

fn entry(what: &str) -> Entry {
    Entry {
        id: 7,
        at: Timestamp::default(),
        kind: "expired".into(),
        who: "jane".into(),
        what: what.into(),
        session_id: Some(SessionId::numbered(5)),
        reason: Some("exam".into()),
        address: None,
        request_id: None,
        revision: 1,
        about: None,
    }
}

fn drawn(role: Role, view: &View, events: Result<Page, Problem>, wrong: Option<String>) -> String {
    let options = LeptosOptions::builder().output_name("cloud-delivery").build();
    page(&options, &me(role), view, events, wrong)
}

fn shown(view: &View, page: Page) -> String {
    drawn(Role::SystemAdmin, view, Ok(page), None)
}

fn one() -> Page {
    Page {
        items: vec![entry("Expired by jane")],
        found: 1,
        counted: true,
        ..Page::default()
    }
}

#[test]
fn what_people_wrote_is_text_and_never_markup() {
    let page = Page {
        items: vec![entry("Error: <script>alert(1)</script>")],
        ..one()
    };
    let view = View {
        q: "\"><script>".into(),
        ..View::default()
    };
    let html = shown(&view, page);
    assert!(!html.contains("<script"), "{html}");
    assert!(html.contains("&lt;script&gt;alert(1)"), "{html}");
}

#[test]
fn there_is_no_script_and_no_style_of_its_own() {
    let html = shown(&View::default(), one());
    for forbidden in ["<script", " style=", " onclick", "javascript:"] {
        assert!(!html.contains(forbidden), "{forbidden}: {html}");
    }
    assert!(html.contains("<title>Audit · Cloud Delivery</title>"), "{html}");
}

#[test]
fn the_count_says_how_far_was_counted() {
    for (place, page, text) in [
        (Place::Newest, one(), "1 event"),
        (
            Place::Newest,
            Page {
                found: 10_051,
                counted: false,
                ..one()
            },
            "More than 10,000 events",
        ),
        (
            Place::Newest,
            Page {
                found: 317,
                counted: false,
                ..one()
            },
            "At least 317 events",
        ),
        (
            Place::Newest,
            Page {
                found: 3,
                counted: false,
                stopped: Some(200_000),
                ..one()
            },
            "3 events among the newest 200,000",
        ),
        (
            Place::Before(8),
            one(),
            "1 from 1970-01-01 00:00 UTC to 1970-01-01 00:00 UTC",
        ),
        (Place::Before(8), Page::default(), "No events here"),
    ] {
        assert_eq!(count(place, &page), text);
    }
}

#[test]
fn a_search_that_stopped_leads_on() {
    let view = View {
        q: "who:jane".into(),
        ..View::default()
    };
    let page = Page {
        found: 0,
        counted: false,
        stopped: Some(200_000),
        older: Some(9),
        ..Page::default()
    };
    let html = shown(&view, page);
    for text in [
        "Searched the newest 200,000 events.",
        "href=\"/admin/cloud-delivery/audit?q=who%3Ajane&amp;before=9\"",
        ">Search older events<",
    ] {
        assert!(html.contains(text), "{text}: {html}");
    }
}

#[test]
fn links_keep_the_search_and_the_size() {
    let view = View {
        q: "who:jane".into(),
        limit: 100,
        place: Place::Before(8),
    };
    let page = Page {
        newer: Some(7),
        older: Some(3),
        ..one()
    };
    let html = shown(&view, page);
    for address in [
        "audit?q=who%3Ajane&amp;limit=100&amp;after=7\"",
        "audit?q=who%3Ajane&amp;limit=100&amp;before=3\"",
        "audit?q=who%3Ajane&amp;limit=200\"",
        "/api/v1/events.csv?q=who%3Ajane\"",
        "audit?limit=100\"",
    ] {
        assert!(html.contains(address), "{address}: {html}");
    }
}

#[test]
fn each_state_says_what_is_the_case() {
    let searched = View {
        q: "nobody".into(),
        ..View::default()
    };
    let failed = || Err(Problem::new(503, "store", "The log can’t be read", "Try again."));
    for (html, texts) in [
        (
            shown(&View::default(), Page::default()),
            ["No events yet", "written down"],
        ),
        (
            shown(&searched, Page::default()),
            ["No events match “nobody”", "Clear search"],
        ),
        (
            drawn(Role::SystemAdmin, &searched, failed(), None),
            ["Try again", "503 store"],
        ),
        (
            drawn(
                Role::User,
                &searched,
                Err(Problem::new(403, "forbidden", "x", "y")),
                None,
            ),
            ["It needs the role System Admin.", "jane, whose role is User."],
        ),
        (
            drawn(
                Role::SystemAdmin,
                &searched,
                Ok(one()),
                Some("“after:x” isn’t a valid date.".into()),
            ),
            ["“after:x” isn’t a valid date.", "aria-invalid=\"true\""],
        ),
    ] {
        for text in texts {
            assert!(html.contains(text), "{text}: {html}");
        }
    }
}

#[test]
fn the_navigation_shows_what_the_role_may_use() {
    let forbidden = |role| {
        drawn(
            role,
            &View::default(),
            Err(Problem::new(403, "forbidden", "x", "y")),
            None,
        )
    };
    let html = forbidden(Role::AppAdmin);
    assert!(
        html.contains(">Applications<") && !html.contains(">Environments<"),
        "{html}"
    );
    assert!(!forbidden(Role::User).contains("<nav"), "none at all");
    assert!(shown(&View::default(), one()).contains("aria-current=\"page\">Audit<"));
}
