use super::*;
use crate::{EndReason, Event, Origin, UserId};

const SESSION: SessionId = SessionId::numbered(0x0199_f3a0_5d1e_7c3b_9a51_2f6f_5d0e_8c11);

fn jane() -> Actor {
    Actor::Person {
        user_id: UserId::numbered(1),
        username: "Jané".into(),
        origin: Some(Origin {
            address: "192.0.2.7".into(),
            request_id: "0199f3a0-request".into(),
        }),
    }
}

fn numbered(session_id: Option<SessionId>, actor: Actor, what: EventKind) -> Numbered {
    Numbered {
        id: 1,
        revision: 1,
        event: Event {
            at: Timestamp::default(),
            session_id,
            actor,
            what,
        },
    }
}

fn session() -> Session {
    Session {
        id: SESSION,
        environment_id: crate::EnvironmentId::numbered(2),
        environment: "Lab A".into(),
        application_id: crate::ApplicationId::numbered(3),
        application: "Terminal".into(),
        user_id: UserId::numbered(4),
        username: "rita".into(),
        status: crate::Status::Pending,
        access_epoch: 0,
        started_at: Timestamp::default(),
        ready_at: None,
        valid_until: Timestamp::default(),
        connected_since: None,
        disconnected_at: None,
        end: None,
        error: None,
        teardown: crate::Teardown::NotNeeded,
        blocked_until: None,
        policy: crate::Policy::default(),
        home: None,
        node: crate::ONLY_NODE.into(),
        version: 1,
    }
}

fn expired() -> Numbered {
    let what = EventKind::Expired {
        reason: EndReason::Admin,
        note: Some("Licence needed".into()),
        batch: None,
        blocked_until: None,
    };
    numbered(Some(SESSION), jane(), what)
}

fn found(query: &str, event: &Numbered) -> bool {
    Query::parse(query).unwrap().matches(event, None)
}

#[test]
fn words_are_found_in_every_column_and_narrowed_by_fields() {
    for (query, is) in [
        ("", true),
        ("jane expired", true),
        ("jane launched", false),
        ("\"expired by jane\"", true),
        ("who:jane", true),
        ("who:licence", false),
        ("what:expired", true),
        ("what:jane", true),
        ("reason:licence", true),
        ("reason:expired", false),
        ("address:192.0.2", true),
        ("request:0199f3a0", true),
        ("session:2f6f5d0e8c11", true),
        ("session:0199f3a0-5d1e-7c3b-9a51-2f6f5d0e8c11", true),
        ("session:0199f3a0-5d1e-7c3b-9a51-2f6f5d0e8c12", false),
        ("user:JANE", true),
        ("app:jane", false),
        ("colour:red", false),
    ] {
        assert_eq!(found(query, &expired()), is, "{query}");
    }
}

#[test]
fn what_an_event_names_is_found_without_a_session() {
    let refused = EventKind::LaunchRefused {
        application: "Terminal".into(),
        reason: "All seats are taken.".into(),
        more: None,
    };
    let refused = numbered(None, jane(), refused);
    for query in [
        "app:terminal",
        "what:launch_refused",
        "what:\"seats are taken\"",
        "user:jane",
    ] {
        assert!(found(query, &refused), "{query}");
    }
    let closed = EventKind::EnvironmentChanged {
        environment_id: crate::EnvironmentId::numbered(9),
        name: "This host".into(),
        open: false,
        homes: None,
    };
    let closed = numbered(None, Actor::System, closed);
    for query in ["env:host", "who:system", "closed", "env:00000009"] {
        assert!(found(query, &closed), "{query}");
    }
    assert!(!found("user:system", &closed), "the system is no user");
}

#[test]
fn a_session_that_is_in_the_list_lends_its_names() {
    let session = session();
    let query = Query::parse(&format!("user:{} app:{}", session.username, session.application)).unwrap();
    let event = numbered(Some(session.id), Actor::System, EventKind::Purged);
    assert!(query.matches(&event, Some(&session)));
    assert!(!query.matches(&event, None));
}

#[test]
fn a_whole_session_id_is_the_stores_to_look_for() {
    let text = SESSION.to_string();
    assert_eq!(Query::parse(&format!("session:{text}")).unwrap().session, Some(SESSION));
    assert_eq!(Query::parse("session:0199").unwrap().session, None);
    assert_eq!(Query::parse(&text).unwrap().session, None, "a word may stand anywhere");
    let two = Query::parse(&format!("session:{text} session:{UNKNOWN}")).unwrap();
    assert!(!two.matches(&expired(), None), "no event has both");
}

const UNKNOWN: &str = "0199f3a0-5d1e-7c3b-9a51-2f6f5d0e8c12";

#[test]
fn times_are_days_or_moments_in_utc() {
    let from = |text: &str| Query::parse(text).unwrap().from.map(crate::format::iso);
    for (text, is) in [
        ("after:2026-11-01", "2026-11-01T00:00:00Z"),
        ("AFTER: 2026-11-01T14:05", "2026-11-01T14:05:00Z"),
        ("after:2026-11-01t14:05:09z", "2026-11-01T14:05:09Z"),
        ("after:2026-11-01T24:00", "2026-11-02T00:00:00Z"),
        ("after:2026-11-01 after:2026-11-03", "2026-11-03T00:00:00Z"),
    ] {
        assert_eq!(from(text).as_deref(), Some(is), "{text}");
    }
    let query = Query::parse("x before:2026-12-01 before:2026-11-30 after:2026-11-01").unwrap();
    assert_eq!(
        query.until.map(crate::format::iso).as_deref(),
        Some("2026-11-30T00:00:00Z")
    );
    assert_eq!(query.words.len(), 1, "times are no words");
}

#[test]
fn what_is_no_time_is_refused_and_named() {
    for text in [
        "after:yesterday",
        "after:2026-13-01",
        "after:2026-02-30",
        "after:2026-1-1",
        "after:20261101",
        "after:2026-11-01-02",
        "after:2026-11-01T25:00",
        "after:2026-11-01T14",
        "after:+026-11-01",
        "after:é",
    ] {
        let error = Query::parse(text).unwrap_err().to_string();
        assert!(
            error.contains("after:") && error.contains("2026-11-01"),
            "{text}: {error}"
        );
    }
    let error = Query::parse("before:noon").unwrap_err().to_string();
    assert!(error.starts_with("“before:noon” isn’t a valid date."), "{error}");
    assert!(Query::parse("after:").is_ok(), "a field without a word filters nothing");
}

#[test]
fn every_field_is_looked_for_somewhere() {
    for (name, _) in FIELDS {
        if !matches!(name, "after:" | "before:") {
            assert!(!found(&format!("{name}nothing-has-this"), &expired()), "{name}");
        }
    }
}
