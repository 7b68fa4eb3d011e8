//! Revoked access: a blocked user, a closed environment, a withdrawn application. The tab is
//! closed, the row shows the end, and a new launch is refused.

use chrono::TimeDelta;
use control::{Close, Error};
use session::{EndReason, Role, Status, api::ExpireRequest, catalogue::LaunchState};
use store::LaunchRefusal;
use tokio::time::timeout;

use crate::fixture::{Fixture, HOME, PASSWORD, PATIENCE, client};

#[tokio::test]
async fn blocking_a_user_ends_their_sessions_and_logins_until_they_are_unblocked() {
    let fixture = Fixture::new().await;
    let id = fixture.active().await;
    let (mut tab, _bytes) = fixture.open(id).await;
    let token = fixture
        .control
        .sign_in("student", PASSWORD, &client(HOME))
        .await
        .unwrap();
    fixture
        .control
        .block_user(&fixture.admin, "student", true)
        .await
        .unwrap();
    assert_eq!(timeout(PATIENCE, &mut tab.closed).await.unwrap(), Ok(Close::Expired));
    let row = fixture.row(id);
    assert_eq!(
        (row.status, row.end_reason),
        (Status::Expired, Some(EndReason::UserBlocked))
    );
    assert_eq!(row.ended_by.as_deref(), Some("admin"));
    assert_eq!(fixture.control.authenticate(&token).await.unwrap(), None);
    let refused = fixture.control.sign_in("student", PASSWORD, &client(HOME)).await;
    assert!(matches!(refused, Err(Error::Blocked)), "{refused:?}");
    let refused = fixture.control.sign_in("student", "wrong", &client(HOME)).await;
    assert!(
        matches!(refused, Err(Error::Credentials)),
        "only with the right password"
    );
    let refused = fixture.control.launch(&fixture.student, fixture.desktop).await;
    assert!(
        matches!(refused, Err(Error::Denied(LaunchRefusal::UserBlocked))),
        "{refused:?}"
    );

    fixture
        .control
        .block_user(&fixture.admin, "student", false)
        .await
        .unwrap();
    fixture
        .control
        .sign_in("student", PASSWORD, &client(HOME))
        .await
        .unwrap();
    fixture.active().await;
}

#[tokio::test]
async fn removing_a_user_ends_their_sessions() {
    let fixture = Fixture::new().await;
    let id = fixture.active().await;
    let (mut tab, _bytes) = fixture.open(id).await;
    fixture.control.remove_user(&fixture.admin, "Student").await.unwrap();
    assert_eq!(timeout(PATIENCE, &mut tab.closed).await.unwrap(), Ok(Close::Expired));
    assert_eq!(fixture.row(id).end_reason, Some(EndReason::UserRemoved));
    let again = fixture.control.remove_user(&fixture.admin, "student").await;
    assert!(matches!(again, Err(Error::NoUser(_))), "{again:?}");
    let last = fixture.control.remove_user(&fixture.admin, "admin").await;
    assert!(
        matches!(last, Err(Error::Store(store::StoreError::LastSystemAdmin))),
        "{last:?}"
    );
}

#[tokio::test]
async fn closing_an_environment_or_an_application_ends_sessions_on_request() {
    let fixture = Fixture::new().await;
    let (control, admin) = (&fixture.control, &fixture.admin);
    let first = fixture.active().await;
    let (mut tab, _bytes) = fixture.open(first).await;
    let to = |to| control.set_application_launches(admin, fixture.desktop, to);
    assert!(!to(LaunchState::Closed).await.unwrap().open);
    assert_eq!(fixture.row(first).status, Status::Active);
    to(LaunchState::ClosedAndEnded).await.unwrap();
    assert_eq!(timeout(PATIENCE, &mut tab.closed).await.unwrap(), Ok(Close::Expired));
    assert_eq!(fixture.row(first).end_reason, Some(EndReason::ApplicationWithdrawn));

    to(LaunchState::Open).await.unwrap();
    let second = fixture.active().await;
    let lab = control.environment_named(admin, "Lab").await.unwrap();
    let closed = control
        .set_environment_launches(admin, lab, LaunchState::ClosedAndEnded)
        .await
        .unwrap();
    assert_eq!((closed.open, closed.live), (false, 0));
    assert_eq!(fixture.row(second).end_reason, Some(EndReason::EnvironmentClosed));
}

#[tokio::test]
async fn only_a_system_admin_blocks_removes_and_gives_up() {
    let fixture = Fixture::new().await;
    let id = fixture.active().await;
    let control = &fixture.control;
    control.set_role("other", Role::AppAdmin).await.unwrap();
    let token = control.sign_in("other", PASSWORD, &client(HOME)).await.unwrap();
    let app_admin = control.authenticate(&token).await.unwrap().unwrap();
    for me in [&fixture.student, &app_admin] {
        for refused in [
            control.block_user(me, "admin", true).await,
            control.remove_user(me, "admin").await,
            control.give_up_cleanup(me, id).await.map(drop),
            control.verify_events(me, None).await.map(drop),
        ] {
            assert!(
                matches!(refused, Err(Error::Forbidden(Role::SystemAdmin))),
                "{refused:?}"
            );
        }
    }
}

#[tokio::test]
async fn an_expire_can_keep_the_user_from_launching_again_for_15_minutes() {
    let fixture = Fixture::new().await;
    let id = fixture.active().await;
    let request = ExpireRequest {
        block_relaunch: true,
        ..ExpireRequest::default()
    };
    fixture.control.expire(&fixture.admin, id, request).await.unwrap();
    let until = fixture.control.now() + TimeDelta::minutes(15);
    let refused = fixture.control.launch(&fixture.student, fixture.desktop).await;
    assert!(
        matches!(refused, Err(Error::Denied(LaunchRefusal::RelaunchBlocked(at))) if at == until),
        "{refused:?}"
    );
    fixture.advance(TimeDelta::minutes(15));
    fixture.active().await;
}

#[tokio::test]
async fn the_log_names_the_origin_of_a_request_and_its_chain_is_intact() {
    let fixture = Fixture::new().await;
    let origin = session::Origin {
        address: "192.0.2.7".into(),
        request_id: "r-1".into(),
    };
    let me = session::api::Me {
        origin: Some(origin.clone()),
        ..fixture.student.clone()
    };
    let id = fixture.control.launch(&me, fixture.desktop).await.unwrap().id;
    fixture.control.end_own(&me, id).await.unwrap();
    let events = fixture.store.events(id).await.unwrap();
    let from: Vec<_> = events
        .iter()
        .filter_map(|event| match &event.actor {
            session::Actor::Person { origin, .. } => Some(origin.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(from, [Some(origin.clone()), Some(origin)]);
    let found = fixture.control.verify_events(&fixture.admin, None).await.unwrap();
    assert!(found.verified.events > 5);
}
