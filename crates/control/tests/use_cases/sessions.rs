//! The life of a session, through its user and an administrator.

use std::time::Duration;

use crate::fixture::{Fixture, PATIENCE};
use chrono::TimeDelta;
use control::{Close, Error};
use environment_simulated::SimulatedPlan;
use environments::Environment;
use session::{
    EndReason, EventKind, Status, Teardown, UserId,
    api::{ExpireRequest, Me},
    catalogue::LaunchState,
    lifecycle::Seen,
    view::View,
};
use store::LaunchRefusal;
use store_testing::conformance::denials;
use tokio::time::timeout;
use uuid::Uuid;

#[tokio::test]
async fn a_student_launches_opens_leaves_and_an_admin_expires() {
    let fixture = Fixture::new().await;
    let launched = fixture.control.launch(&fixture.student, fixture.desktop).await.unwrap();
    assert_eq!(launched.status, Status::Pending);
    fixture.wait_for_status(launched.id, Status::Active).await;

    let (tab, _bytes) = fixture.open(launched.id).await;
    assert!(fixture.row(launched.id).connected);
    drop(tab);
    fixture.wait_for(launched.id, |row| !row.connected).await;

    let (mut tab, _bytes) = fixture.open(launched.id).await;
    let request = ExpireRequest {
        reason: Some("licence needed".into()),
        block_relaunch: false,
        seen: None,
    };
    let expired = fixture
        .control
        .expire(&fixture.admin, launched.id, request)
        .await
        .unwrap();
    assert_eq!(
        tab.closed.try_recv(),
        Ok(Close::Expired),
        "the tab is closed before the administrator is answered"
    );
    assert_eq!(
        (expired.status, expired.connected, expired.ended_by.as_deref()),
        (Status::Expired, false, Some("admin"))
    );
    assert_eq!(expired.end_note.as_deref(), Some("licence needed"));

    fixture
        .wait_for(launched.id, |row| row.teardown == Teardown::Confirmed)
        .await;
    assert!(
        fixture.environment.observe().await.unwrap().is_empty(),
        "nothing of it runs"
    );
    let refused = fixture.control.attach(&fixture.student, launched.id).await;
    assert!(matches!(refused.map(drop), Err(Error::Ended(_))));

    let events = fixture.store.events(launched.id).await.unwrap();
    let kinds: Vec<_> = events.iter().map(|event| event.what.code()).collect();
    assert_eq!(
        kinds,
        [
            "launched",
            "ready",
            "connected",
            "disconnected",
            "connected",
            "expired",
            "torn_down"
        ]
    );
}

#[tokio::test]
async fn a_second_launch_resumes_the_live_session_and_one_after_its_end_is_new() {
    let fixture = Fixture::new().await;
    let first = fixture.active().await;
    assert_eq!(
        fixture
            .control
            .launch(&fixture.student, fixture.desktop)
            .await
            .unwrap()
            .id,
        first
    );
    assert_ne!(
        fixture
            .control
            .launch(&fixture.other, fixture.desktop)
            .await
            .unwrap()
            .id,
        first
    );
    fixture.control.end_own(&fixture.student, first).await.unwrap();
    assert_ne!(
        fixture
            .control
            .launch(&fixture.student, fixture.desktop)
            .await
            .unwrap()
            .id,
        first
    );
}

#[tokio::test]
async fn twenty_administrators_expire_at_once_and_it_happens_once() {
    let fixture = Fixture::new().await;
    let id = fixture.active().await;
    let expire = || fixture.control.expire(&fixture.admin, id, ExpireRequest::default());
    let answers = futures::future::join_all((0..20).map(|_| expire())).await;
    let ends: Vec<_> = answers.into_iter().map(|answer| answer.unwrap().ended_at).collect();
    assert!(
        ends.iter().all(|end| end.is_some() && *end == ends[0]),
        "all twenty get the same end"
    );
    let events = fixture.store.events(id).await.unwrap();
    assert_eq!(
        events
            .iter()
            .filter(|event| matches!(event.what, EventKind::Expired { .. }))
            .count(),
        1
    );
}

#[tokio::test]
async fn an_expire_decided_on_stale_facts_is_refused_with_the_new_ones() {
    let fixture = Fixture::new().await;
    let id = fixture.active().await;
    let seen = fixture.row(id).seen();
    let _tab = fixture.open(id).await;
    let request = ExpireRequest {
        reason: None,
        block_relaunch: false,
        seen: Some(seen),
    };
    let Err(Error::Changed(now)) = fixture.control.expire(&fixture.admin, id, request).await else {
        panic!("the user has connected since")
    };
    assert!(now.connected);
    let request = ExpireRequest {
        reason: None,
        block_relaunch: false,
        seen: Some(Seen {
            status: now.status,
            connected: now.connected,
        }),
    };
    assert!(fixture.control.expire(&fixture.admin, id, request).await.is_ok());
}

#[tokio::test]
async fn a_second_tab_takes_over_and_the_first_is_closed() {
    let fixture = Fixture::new().await;
    let id = fixture.active().await;
    let (mut first, _bytes) = fixture.open(id).await;
    let (mut second, _more) = fixture.open(id).await;
    assert_eq!(first.closed.try_recv(), Ok(Close::OtherTab));
    drop(first);
    fixture.control.purge_now().await.unwrap();
    assert!(
        second.closed.try_recv().is_err() && fixture.row(id).connected,
        "the second stays"
    );
}

#[tokio::test]
async fn a_reload_within_the_grace_is_no_disconnect() {
    let fixture = Fixture::new().await;
    let id = fixture.active().await;
    let (tab, _bytes) = fixture.open(id).await;
    drop(tab);
    let (reloaded, _bytes) = fixture.open(id).await;
    let (other, _more) = (
        fixture.control.launch(&fixture.other, fixture.desktop).await.unwrap(),
        (),
    );
    fixture.wait_for_status(other.id, Status::Active).await;
    drop(reloaded);
    fixture.wait_for(id, |row| !row.connected).await;
    let events = fixture.store.events(id).await.unwrap();
    assert_eq!(
        events
            .iter()
            .filter(|event| event.what == EventKind::Disconnected)
            .count(),
        1
    );
}

#[tokio::test]
async fn only_its_user_opens_or_ends_a_session_and_only_a_system_admin_expires() {
    let fixture = Fixture::new().await;
    let id = fixture.active().await;
    for stranger in [&fixture.other, &fixture.admin] {
        assert!(matches!(
            fixture.control.attach(stranger, id).await.map(drop),
            Err(Error::NoSession(_))
        ));
        assert!(matches!(
            fixture.control.end_own(stranger, id).await,
            Err(Error::NoSession(_))
        ));
    }
    let student = &fixture.student;
    assert!(matches!(
        fixture.control.expire(student, id, ExpireRequest::default()).await,
        Err(Error::Forbidden(_))
    ));
    assert!(matches!(
        fixture.control.list(student, &View::default()),
        Err(Error::Forbidden(_))
    ));
    assert!(matches!(
        fixture.control.request_sweep(student).await,
        Err(Error::Forbidden(_))
    ));
    assert!(matches!(
        fixture.control.watch(student, View::default()).map(drop),
        Err(Error::Forbidden(_))
    ));
    assert!(matches!(
        fixture.control.columns(student).await,
        Err(Error::Forbidden(_))
    ));
    assert!(matches!(
        fixture.control.set_columns(student, None).await,
        Err(Error::Forbidden(_))
    ));
    assert!(matches!(
        fixture.control.session(&fixture.other, id),
        Err(Error::NoSession(_))
    ));
    assert_eq!(fixture.row(id).status, Status::Active, "nothing has changed");
}

#[tokio::test]
async fn a_refused_launch_is_kept_with_its_reason() {
    let fixture = Fixture::new().await;
    fixture
        .control
        .set_application_launches(&fixture.admin, fixture.desktop, LaunchState::Closed)
        .await
        .unwrap();
    let refused = fixture.control.launch(&fixture.student, fixture.desktop).await;
    assert!(matches!(refused, Err(Error::Denied(LaunchRefusal::ApplicationClosed))));
    let nobody = Me {
        user_id: UserId(Uuid::from_u128(77)),
        ..fixture.student.clone()
    };
    assert!(matches!(
        fixture.control.launch(&nobody, fixture.desktop).await,
        Err(Error::Denied(LaunchRefusal::UnknownUser))
    ));
    assert_eq!(denials(&*fixture.store).await.len(), 2);
    assert_eq!(
        fixture.control.list(&fixture.admin, &View::default()).unwrap().head.all,
        0
    );
}

#[tokio::test]
async fn a_missing_program_ends_in_an_error_that_names_it() {
    let fixture = Fixture::with(SimulatedPlan {
        missing_programs: vec!["desktop".into()],
        ..SimulatedPlan::default()
    })
    .await;
    let id = fixture
        .control
        .launch(&fixture.student, fixture.desktop)
        .await
        .unwrap()
        .id;
    let row = fixture.wait_for_status(id, Status::Error).await;
    assert!(
        row.error
            .as_deref()
            .is_some_and(|error| error.contains("desktop is not installed")),
        "{:?}",
        row.error
    );
}

#[tokio::test]
async fn an_application_that_is_lost_closes_the_tab_and_shows_why() {
    let fixture = Fixture::new().await;
    let id = fixture.active().await;
    let (mut tab, _bytes) = fixture.open(id).await;
    assert!(fixture.environment.lose(id, "the application ended with status 1"));
    assert_eq!(timeout(PATIENCE, &mut tab.closed).await.unwrap(), Ok(Close::Lost));
    let row = fixture.wait_for_status(id, Status::Error).await;
    assert_eq!(
        (row.connected, row.error.as_deref()),
        (false, Some("the application ended with status 1"))
    );
}

#[tokio::test]
async fn a_stop_that_fails_is_tried_again_and_never_holds_up_the_row() {
    let fixture = Fixture::new().await;
    let id = fixture.active().await;
    fixture.environment.fail_stops(1);
    let expired = fixture
        .control
        .expire(&fixture.admin, id, ExpireRequest::default())
        .await
        .unwrap();
    assert_eq!(expired.status, Status::Expired);
    fixture.wait_for(id, |row| row.teardown == Teardown::Confirmed).await;
    assert!(fixture.environment.observe().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_session_ends_at_valid_until_and_is_gone_48_hours_later_and_not_before() {
    let fixture = Fixture::new().await;
    let id = fixture.active().await;
    let _tab = fixture.open(id).await;
    fixture.advance(TimeDelta::hours(8));
    let row = fixture.wait_for_status(id, Status::Expired).await;
    assert_eq!(
        (row.end_reason, row.ended_by.as_deref()),
        (Some(EndReason::ValidUntil), Some("system"))
    );
    fixture.wait_for(id, |row| row.teardown == Teardown::Confirmed).await;

    fixture.advance(TimeDelta::hours(48) - TimeDelta::seconds(1));
    fixture.control.purge_now().await.unwrap();
    assert_eq!(fixture.row(id).status, Status::Expired, "a second early");
    fixture.advance(TimeDelta::seconds(1));
    fixture.control.purge_now().await.unwrap();
    assert!(matches!(
        fixture.control.session(&fixture.admin, id),
        Err(Error::NoSession(_))
    ));
    assert_eq!(
        fixture
            .store
            .events(id)
            .await
            .unwrap()
            .last()
            .map(|event| event.what.code()),
        Some("purged")
    );
}

#[tokio::test]
async fn a_start_that_takes_too_long_is_an_error_and_nothing_is_left() {
    let slow = Duration::from_secs(3600)..=Duration::from_secs(3600);
    let fixture = Fixture::with(SimulatedPlan {
        start_delay: slow,
        ..SimulatedPlan::default()
    })
    .await;
    let id = fixture
        .control
        .launch(&fixture.student, fixture.desktop)
        .await
        .unwrap()
        .id;
    fixture.advance(TimeDelta::minutes(5));
    fixture.wait_for_status(id, Status::Error).await;
    assert!(fixture.environment.observe().await.unwrap().is_empty());
}

#[tokio::test]
async fn after_a_crash_no_session_is_a_ghost_and_expired_ones_stay_expired() {
    let fixture = Fixture::new().await;
    let active = fixture.active().await;
    let _tab = fixture.open(active).await;
    let expired = fixture
        .control
        .launch(&fixture.other, fixture.desktop)
        .await
        .unwrap()
        .id;
    fixture
        .control
        .expire(&fixture.admin, expired, ExpireRequest::default())
        .await
        .unwrap();

    let fixture = fixture.restart().await;
    let lost = fixture.row(active);
    assert_eq!((lost.status, lost.connected), (Status::Error, false));
    assert_eq!(fixture.row(expired).status, Status::Expired);
}
