//! The life of a session as its user and an administrator bring it about.

use std::time::Duration;

use crate::house::{House, PATIENCE};
use chrono::TimeDelta;
use control::{Close, Error};
use environment_simulated::SimulatedPlan;
use environments::Environment;
use session::{
    EndReason, EventKind, Status, Teardown, UserId,
    catalogue::Admission,
    lifecycle::Seen,
    view::View,
    wire::{ExpireRequest, Me},
};
use store::LaunchRefusal;
use store_testing::conformance::denials;
use tokio::time::timeout;
use uuid::Uuid;

#[tokio::test]
async fn a_student_launches_opens_leaves_and_an_admin_expires() {
    let house = House::new().await;
    let launched = house.control.launch(&house.student, house.desktop).await.unwrap();
    assert_eq!(launched.status, Status::Pending);
    house.becomes(launched.id, Status::Active).await;

    let (tab, _bytes) = house.open(launched.id).await;
    assert!(house.row(launched.id).connected);
    drop(tab);
    house.shows(launched.id, |row| !row.connected).await;

    let (mut tab, _bytes) = house.open(launched.id).await;
    let request = ExpireRequest {
        reason: Some("licence needed".into()),
        block_relaunch: false,
        seen: None,
    };
    let expired = house.control.expire(&house.admin, launched.id, request).await.unwrap();
    assert_eq!(
        tab.closed.try_recv(),
        Ok(Close::Expired),
        "the tab is told before the administrator is answered"
    );
    assert_eq!(
        (expired.status, expired.connected, expired.ended_by.as_deref()),
        (Status::Expired, false, Some("admin"))
    );
    assert_eq!(expired.end_note.as_deref(), Some("licence needed"));

    house
        .shows(launched.id, |row| row.teardown == Teardown::Confirmed)
        .await;
    assert!(
        house.environment.observe().await.unwrap().is_empty(),
        "nothing of it runs"
    );
    let refused = house.control.attach(&house.student, launched.id).await;
    assert!(matches!(refused.map(drop), Err(Error::Ended(_))));

    let events = house.store.events(launched.id).await.unwrap();
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
    let house = House::new().await;
    let first = house.active().await;
    assert_eq!(
        house.control.launch(&house.student, house.desktop).await.unwrap().id,
        first
    );
    assert_ne!(
        house.control.launch(&house.other, house.desktop).await.unwrap().id,
        first
    );
    house.control.end_own(&house.student, first).await.unwrap();
    assert_ne!(
        house.control.launch(&house.student, house.desktop).await.unwrap().id,
        first
    );
}

#[tokio::test]
async fn twenty_administrators_expire_at_once_and_it_happens_once() {
    let house = House::new().await;
    let id = house.active().await;
    let expire = || house.control.expire(&house.admin, id, ExpireRequest::default());
    let answers = futures::future::join_all((0..20).map(|_| expire())).await;
    let ends: Vec<_> = answers.into_iter().map(|answer| answer.unwrap().ended_at).collect();
    assert!(
        ends.iter().all(|end| end.is_some() && *end == ends[0]),
        "all twenty are told the same end"
    );
    let events = house.store.events(id).await.unwrap();
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
    let house = House::new().await;
    let id = house.active().await;
    let seen = house.row(id).seen();
    let _tab = house.open(id).await;
    let request = ExpireRequest {
        reason: None,
        block_relaunch: false,
        seen: Some(seen),
    };
    let Err(Error::Changed(now)) = house.control.expire(&house.admin, id, request).await else {
        panic!("the user has connected meanwhile")
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
    assert!(house.control.expire(&house.admin, id, request).await.is_ok());
}

#[tokio::test]
async fn a_second_tab_takes_over_and_the_first_is_told() {
    let house = House::new().await;
    let id = house.active().await;
    let (mut first, _bytes) = house.open(id).await;
    let (mut second, _more) = house.open(id).await;
    assert_eq!(first.closed.try_recv(), Ok(Close::OtherTab));
    drop(first);
    house.control.purge_now().await.unwrap();
    assert!(
        second.closed.try_recv().is_err() && house.row(id).connected,
        "the second stays"
    );
}

#[tokio::test]
async fn a_reload_within_the_grace_is_no_disconnect() {
    let house = House::new().await;
    let id = house.active().await;
    let (tab, _bytes) = house.open(id).await;
    drop(tab);
    let (reloaded, _bytes) = house.open(id).await;
    let (other, _more) = (house.control.launch(&house.other, house.desktop).await.unwrap(), ());
    house.becomes(other.id, Status::Active).await;
    drop(reloaded);
    house.shows(id, |row| !row.connected).await;
    let events = house.store.events(id).await.unwrap();
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
    let house = House::new().await;
    let id = house.active().await;
    for stranger in [&house.other, &house.admin] {
        assert!(matches!(
            house.control.attach(stranger, id).await.map(drop),
            Err(Error::NoSession(_))
        ));
        assert!(matches!(
            house.control.end_own(stranger, id).await,
            Err(Error::NoSession(_))
        ));
    }
    let student = &house.student;
    assert!(matches!(
        house.control.expire(student, id, ExpireRequest::default()).await,
        Err(Error::Forbidden(_))
    ));
    assert!(matches!(
        house.control.list(student, &View::default()),
        Err(Error::Forbidden(_))
    ));
    assert!(matches!(house.control.refresh(student).await, Err(Error::Forbidden(_))));
    assert!(matches!(
        house.control.watch(student, View::default()).map(drop),
        Err(Error::Forbidden(_))
    ));
    assert!(matches!(house.control.columns(student).await, Err(Error::Forbidden(_))));
    assert!(matches!(
        house.control.set_columns(student, None).await,
        Err(Error::Forbidden(_))
    ));
    assert!(matches!(
        house.control.session(&house.other, id),
        Err(Error::NoSession(_))
    ));
    assert_eq!(house.row(id).status, Status::Active, "nothing has changed");
}

#[tokio::test]
async fn a_refused_launch_is_kept_with_its_reason() {
    let house = House::new().await;
    house
        .control
        .admit_application(&house.admin, house.desktop, Admission::Close)
        .await
        .unwrap();
    let refused = house.control.launch(&house.student, house.desktop).await;
    assert!(matches!(refused, Err(Error::Denied(LaunchRefusal::ApplicationClosed))));
    let nobody = Me {
        user_id: UserId(Uuid::from_u128(77)),
        ..house.student.clone()
    };
    assert!(matches!(
        house.control.launch(&nobody, house.desktop).await,
        Err(Error::Denied(LaunchRefusal::UnknownUser))
    ));
    assert_eq!(denials(&*house.store).await.len(), 2);
    assert_eq!(house.control.list(&house.admin, &View::default()).unwrap().head.all, 0);
}

#[tokio::test]
async fn a_missing_program_ends_in_error_and_says_which() {
    let house = House::with(SimulatedPlan {
        missing_programs: vec!["desktop".into()],
        ..SimulatedPlan::default()
    })
    .await;
    let id = house.control.launch(&house.student, house.desktop).await.unwrap().id;
    let row = house.becomes(id, Status::Error).await;
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
    let house = House::new().await;
    let id = house.active().await;
    let (mut tab, _bytes) = house.open(id).await;
    assert!(house.environment.lose(id, "the application ended with status 1"));
    assert_eq!(timeout(PATIENCE, &mut tab.closed).await.unwrap(), Ok(Close::Lost));
    let row = house.becomes(id, Status::Error).await;
    assert_eq!(
        (row.connected, row.error.as_deref()),
        (false, Some("the application ended with status 1"))
    );
}

#[tokio::test]
async fn a_stop_that_fails_is_tried_again_and_never_holds_up_the_row() {
    let house = House::new().await;
    let id = house.active().await;
    house.environment.fail_stops(1);
    let expired = house
        .control
        .expire(&house.admin, id, ExpireRequest::default())
        .await
        .unwrap();
    assert_eq!(expired.status, Status::Expired);
    house.shows(id, |row| row.teardown == Teardown::Confirmed).await;
    assert!(house.environment.observe().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_session_ends_at_valid_until_and_is_gone_48_hours_later_and_not_before() {
    let house = House::new().await;
    let id = house.active().await;
    let _tab = house.open(id).await;
    house.pass(TimeDelta::hours(8));
    let row = house.becomes(id, Status::Expired).await;
    assert_eq!(
        (row.end_reason, row.ended_by.as_deref()),
        (Some(EndReason::ValidUntil), Some("system"))
    );
    house.shows(id, |row| row.teardown == Teardown::Confirmed).await;

    house.pass(TimeDelta::hours(48) - TimeDelta::seconds(1));
    house.control.purge_now().await.unwrap();
    assert_eq!(house.row(id).status, Status::Expired, "a second early");
    house.pass(TimeDelta::seconds(1));
    house.control.purge_now().await.unwrap();
    assert!(matches!(
        house.control.session(&house.admin, id),
        Err(Error::NoSession(_))
    ));
    assert_eq!(
        house
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
    let house = House::with(SimulatedPlan {
        start_delay: slow,
        ..SimulatedPlan::default()
    })
    .await;
    let id = house.control.launch(&house.student, house.desktop).await.unwrap().id;
    house.pass(TimeDelta::minutes(5));
    house.becomes(id, Status::Error).await;
    assert!(house.environment.observe().await.unwrap().is_empty());
}

#[tokio::test]
async fn after_a_crash_nothing_is_a_ghost_and_what_was_expired_stays_so() {
    let house = House::new().await;
    let active = house.active().await;
    let _tab = house.open(active).await;
    let expired = house.control.launch(&house.other, house.desktop).await.unwrap().id;
    house
        .control
        .expire(&house.admin, expired, ExpireRequest::default())
        .await
        .unwrap();

    let house = house.restart().await;
    let lost = house.row(active);
    assert_eq!((lost.status, lost.connected), (Status::Error, false));
    assert_eq!(house.row(expired).status, Status::Expired);
}
