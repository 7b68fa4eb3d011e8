//! Who and what may no longer go on: the tab is told, the row shows it, and nothing comes back.

use chrono::TimeDelta;
use control::{Close, Error};
use session::{EndReason, Role, Status, catalogue::Admission, wire::ExpireRequest};
use store::LaunchRefusal;
use tokio::time::timeout;

use crate::house::{HOME, House, PASSWORD, PATIENCE, client};

#[tokio::test]
async fn blocking_a_user_ends_their_sessions_and_logins_until_they_are_let_in_again() {
    let house = House::new().await;
    let id = house.active().await;
    let (mut tab, _bytes) = house.open(id).await;
    let token = house.control.sign_in("student", PASSWORD, &client(HOME)).await.unwrap();
    house.control.block_user(&house.admin, "student", true).await.unwrap();
    assert_eq!(timeout(PATIENCE, &mut tab.closed).await.unwrap(), Ok(Close::Expired));
    let row = house.row(id);
    assert_eq!(
        (row.status, row.end_reason),
        (Status::Expired, Some(EndReason::UserBlocked))
    );
    assert_eq!(row.ended_by.as_deref(), Some("admin"));
    assert_eq!(house.control.authenticate(&token).await.unwrap(), None);
    let refused = house.control.sign_in("student", PASSWORD, &client(HOME)).await;
    assert!(matches!(refused, Err(Error::Blocked)), "{refused:?}");
    let refused = house.control.sign_in("student", "wrong", &client(HOME)).await;
    assert!(
        matches!(refused, Err(Error::Credentials)),
        "only who knows the password is told"
    );
    let refused = house.control.launch(&house.student, house.desktop).await;
    assert!(
        matches!(refused, Err(Error::Denied(LaunchRefusal::UserBlocked))),
        "{refused:?}"
    );

    house.control.block_user(&house.admin, "student", false).await.unwrap();
    house.control.sign_in("student", PASSWORD, &client(HOME)).await.unwrap();
    house.active().await;
}

#[tokio::test]
async fn removing_a_user_ends_their_sessions() {
    let house = House::new().await;
    let id = house.active().await;
    let (mut tab, _bytes) = house.open(id).await;
    house.control.remove_user(&house.admin, "Student").await.unwrap();
    assert_eq!(timeout(PATIENCE, &mut tab.closed).await.unwrap(), Ok(Close::Expired));
    assert_eq!(house.row(id).end_reason, Some(EndReason::UserRemoved));
    let again = house.control.remove_user(&house.admin, "student").await;
    assert!(matches!(again, Err(Error::NoUser(_))), "{again:?}");
    let last = house.control.remove_user(&house.admin, "admin").await;
    assert!(
        matches!(last, Err(Error::Store(store::StoreError::LastSystemAdmin))),
        "{last:?}"
    );
}

#[tokio::test]
async fn closing_an_environment_or_an_application_ends_sessions_where_that_is_asked_for() {
    let house = House::new().await;
    let (control, admin) = (&house.control, &house.admin);
    let first = house.active().await;
    let (mut tab, _bytes) = house.open(first).await;
    let to = |to| control.set_application_launches(admin, house.desktop, to);
    assert!(!to(Admission::Close).await.unwrap().open);
    assert_eq!(house.row(first).status, Status::Active);
    to(Admission::CloseAndEnd).await.unwrap();
    assert_eq!(timeout(PATIENCE, &mut tab.closed).await.unwrap(), Ok(Close::Expired));
    assert_eq!(house.row(first).end_reason, Some(EndReason::ApplicationWithdrawn));

    to(Admission::Open).await.unwrap();
    let second = house.active().await;
    let lab = control.environment_named(admin, "Lab").await.unwrap();
    let closed = control
        .set_environment_launches(admin, lab, Admission::CloseAndEnd)
        .await
        .unwrap();
    assert_eq!((closed.open, closed.live), (false, 0));
    assert_eq!(house.row(second).end_reason, Some(EndReason::EnvironmentClosed));
}

#[tokio::test]
async fn only_a_system_admin_blocks_removes_and_gives_up() {
    let house = House::new().await;
    let id = house.active().await;
    let control = &house.control;
    control.set_role("other", Role::AppAdmin).await.unwrap();
    let token = control.sign_in("other", PASSWORD, &client(HOME)).await.unwrap();
    let app_admin = control.authenticate(&token).await.unwrap().unwrap();
    for me in [&house.student, &app_admin] {
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
    let house = House::new().await;
    let id = house.active().await;
    let request = ExpireRequest {
        block_relaunch: true,
        ..ExpireRequest::default()
    };
    house.control.expire(&house.admin, id, request).await.unwrap();
    let until = house.control.now() + TimeDelta::minutes(15);
    let refused = house.control.launch(&house.student, house.desktop).await;
    assert!(
        matches!(refused, Err(Error::Denied(LaunchRefusal::RelaunchBlocked(at))) if at == until),
        "{refused:?}"
    );
    house.pass(TimeDelta::minutes(15));
    house.active().await;
}

#[tokio::test]
async fn the_log_says_where_a_wish_came_from_and_its_chain_holds() {
    let house = House::new().await;
    let origin = session::Origin {
        address: "192.0.2.7".into(),
        request_id: "r-1".into(),
    };
    let me = session::wire::Me {
        origin: Some(origin.clone()),
        ..house.student.clone()
    };
    let id = house.control.launch(&me, house.desktop).await.unwrap().id;
    house.control.end_own(&me, id).await.unwrap();
    let events = house.store.events(id).await.unwrap();
    let from: Vec<_> = events
        .iter()
        .filter_map(|event| match &event.actor {
            session::Actor::Person { origin, .. } => Some(origin.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(from, [Some(origin.clone()), Some(origin)]);
    let found = house.control.verify_events(&house.admin, None).await.unwrap();
    assert!(found.verified.events > 5);
}
