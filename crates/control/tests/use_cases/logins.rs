//! Logins: their limits, and the tabs and watches that end with them.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a step that fails is a failed test"
)]

use std::time::Duration;

use chrono::TimeDelta;
use control::{Attachment, Close, Error, Message, Watch};
use session::{Role, Status, api::Me, view::View};
use tokio::time::timeout;

use crate::{
    cluster::Cluster,
    fixture::{Fixture, HOME, PASSWORD, PATIENCE, client},
};

/// “Within 1 s”, plus a margin for a busy machine.
const AT_ONCE: Duration = Duration::from_secs(5);

async fn sign_in(fixture: &Fixture, name: &str) -> (String, Me) {
    let token = fixture.control.sign_in(name, PASSWORD, &client(HOME)).await.unwrap();
    let me = fixture.control.authenticate(&token).await.unwrap().unwrap();
    (token, me)
}

async fn role(fixture: &Fixture, token: &str) -> Option<Role> {
    fixture.control.authenticate(token).await.unwrap().map(|me| me.role)
}

/// The reason for which the tab was closed.
async fn closed(tab: &mut Attachment) -> Close {
    timeout(AT_ONCE, &mut tab.closed)
        .await
        .expect("the tab is closed")
        .unwrap()
}

/// Returns when the watch has ended. Reads every message until then.
async fn ended(watch: &mut Watch) -> Error {
    let end = async {
        loop {
            if let Err(error) = watch.next().await {
                return error;
            }
        }
    };
    timeout(AT_ONCE, end).await.expect("the watch has ended")
}

#[tokio::test]
async fn a_login_ends_by_sign_out_by_idleness_and_by_age() {
    let fixture = Fixture::new().await;
    let (token, me) = sign_in(&fixture, "student").await;
    assert_eq!(role(&fixture, &token).await, Some(Role::User));
    for _ in 0..2 {
        fixture.control.sign_out(&me).await.unwrap();
        assert_eq!(role(&fixture, &token).await, None);
    }

    let (idle, _) = sign_in(&fixture, "student").await;
    for _ in 0..4 {
        fixture.advance(TimeDelta::hours(2));
        assert!(role(&fixture, &idle).await.is_some());
    }
    fixture.advance(TimeDelta::seconds(1));
    assert_eq!(
        role(&fixture, &idle).await,
        None,
        "requests that a page makes by itself are no use"
    );

    let (old, me) = sign_in(&fixture, "student").await;
    for _ in 0..4 {
        fixture.advance(TimeDelta::hours(6));
        fixture.control.login_used(&me);
        assert!(role(&fixture, &old).await.is_some(), "used, so not idle");
    }
    fixture.advance(TimeDelta::seconds(1));
    assert_eq!(role(&fixture, &old).await, None);
    for rubbish in ["", "zz", &"é".repeat(32), &"0".repeat(64)] {
        assert_eq!(role(&fixture, rubbish).await, None);
    }
}

#[tokio::test]
async fn a_person_who_types_into_a_session_all_day_stays_signed_in() {
    let fixture = Fixture::new().await;
    let id = fixture.active().await;
    let (token, me) = sign_in(&fixture, "student").await;
    let (tab, _application) = fixture.control.attach(&me, id).await.unwrap();
    for _ in 0..20 {
        fixture.advance(TimeDelta::minutes(25));
        tab.last_use.touch();
    }
    assert_eq!(
        role(&fixture, &token).await,
        Some(Role::User),
        "8 h 20 min after the sign-in"
    );
}

#[tokio::test]
async fn the_last_use_survives_a_restart() {
    let fixture = Fixture::new().await;
    let (token, me) = sign_in(&fixture, "student").await;
    fixture.advance(TimeDelta::hours(7));
    fixture.control.login_used(&me);
    fixture.control.flush().await;
    let fixture = fixture.restart().await;
    fixture.advance(TimeDelta::hours(7));
    assert_eq!(role(&fixture, &token).await, Some(Role::User));
}

/// A way to end the login of the student, or its tabs and watches.
#[derive(Clone, Copy, Debug)]
enum Way {
    SignOut,
    Everywhere,
    Password,
    Block,
    Remove,
    LowerRole,
    Idle,
    Age,
}

const WAYS: [Way; 8] = [
    Way::SignOut,
    Way::Everywhere,
    Way::Password,
    Way::Block,
    Way::Remove,
    Way::LowerRole,
    Way::Idle,
    Way::Age,
];

impl Way {
    async fn take(self, fixture: &Fixture, me: &Me) {
        let control = &fixture.control;
        match self {
            Self::SignOut => control.sign_out(me).await.unwrap(),
            Self::Everywhere => {
                let (_, elsewhere) = sign_in(fixture, "student").await;
                control.sign_out_everywhere(&elsewhere).await.unwrap();
            }
            Self::Password => control.set_password("student", "another horse").await.unwrap(),
            Self::Block => control.block_user(&fixture.admin, "student", true).await.unwrap(),
            Self::Remove => control.remove_user(&fixture.admin, "student").await.unwrap(),
            Self::LowerRole => control.set_role("student", Role::AppAdmin).await.unwrap(),
            Self::Idle => fixture.advance(TimeDelta::hours(8) + TimeDelta::seconds(1)),
            Self::Age => {
                for _ in 0..4 {
                    fixture.advance(TimeDelta::hours(6));
                    control.login_used(me);
                }
                fixture.advance(TimeDelta::seconds(1));
            }
        }
    }

    /// Does the session end too? Then the tab may be closed for that reason. Time ends it by its
    /// own limits.
    const fn ends_session(self) -> bool {
        matches!(self, Self::Block | Self::Remove | Self::Idle | Self::Age)
    }

    const fn leaves_login(self) -> bool {
        matches!(self, Self::LowerRole)
    }
}

#[tokio::test]
async fn ending_a_login_in_any_way_ends_its_tabs_and_watches() {
    for way in WAYS {
        let fixture = Fixture::new().await;
        fixture.control.set_role("student", Role::SystemAdmin).await.unwrap();
        let id = fixture.active().await;
        let (token, me) = sign_in(&fixture, "student").await;
        let (mut tab, _application) = fixture.control.attach(&me, id).await.unwrap();
        let mut watch = fixture.control.watch(&me, View::default()).unwrap();
        assert!(matches!(watch.next().await, Ok(Message::Snapshot(_))));

        way.take(&fixture, &me).await;

        let why = closed(&mut tab).await;
        drop(tab);
        assert!(
            why == Close::SignedOut || (way.ends_session() && matches!(why, Close::Expired | Close::Idle)),
            "{way:?}: {why:?}"
        );
        let error = ended(&mut watch).await;
        assert!(matches!(error, Error::SignIn), "{way:?}: {error:?}");
        let left = role(&fixture, &token).await;
        assert_eq!(left, way.leaves_login().then_some(Role::AppAdmin), "{way:?}");
        if !way.ends_session() {
            fixture.wait_for(id, |row| !row.connected).await;
            assert_eq!(fixture.row(id).status, Status::Active, "{way:?}: the session goes on");
        }
        if !way.leaves_login() {
            let refused = fixture.control.attach(&me, id).await.err();
            assert!(
                matches!(refused, Some(Error::SignIn | Error::Ended(_))),
                "{way:?}: no request of the ended login opens anything: {refused:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_watch_on_a_busy_list_ends_with_its_login() {
    let fixture = Fixture::new().await;
    let (_, me) = sign_in(&fixture, "admin").await;
    let mut watch = fixture.control.watch(&me, View::default()).unwrap();
    fixture.control.sign_out(&me).await.unwrap();
    let busy = async {
        loop {
            let id = fixture
                .control
                .launch(&fixture.student, fixture.desktop)
                .await
                .unwrap()
                .id;
            fixture.control.end_own(&fixture.student, id).await.unwrap();
        }
    };
    tokio::select! {
        error = ended(&mut watch) => assert!(matches!(error, Error::SignIn), "{error:?}"),
        () = busy => {}
    }
}

#[tokio::test]
async fn a_higher_role_ends_nothing() {
    let fixture = Fixture::new().await;
    let id = fixture.active().await;
    let (token, me) = sign_in(&fixture, "student").await;
    let (mut tab, _application) = fixture.control.attach(&me, id).await.unwrap();
    fixture.control.set_role("student", Role::SystemAdmin).await.unwrap();
    assert_eq!(role(&fixture, &token).await, Some(Role::SystemAdmin));
    assert!(tab.closed.try_recv().is_err(), "the tab goes on");
    fixture.control.sign_out(&me).await.unwrap();
    assert_eq!(
        closed(&mut tab).await,
        Close::SignedOut,
        "and still belongs to the login"
    );
}

#[tokio::test]
async fn a_sign_in_that_overlaps_a_password_change_does_not_survive_it() {
    let fixture = Fixture::new().await;
    let home = client(HOME);
    let (token, changed) = tokio::join!(
        fixture.control.sign_in("student", PASSWORD, &home),
        fixture.control.set_password("student", "another horse"),
    );
    changed.unwrap();
    match token {
        Ok(token) => assert_eq!(role(&fixture, &token).await, None),
        Err(error) => assert!(matches!(error, Error::Credentials), "{error:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_login_that_is_ended_on_one_node_ends_its_tabs_on_the_other() {
    for way in ["sign-out", "password", "role"] {
        let cluster = Cluster::new().await;
        let [here, there] = [0, 1].map(|node| &cluster.nodes[node].control);
        here.set_role("student", Role::SystemAdmin).await.unwrap();
        let token = here.sign_in("student", PASSWORD, &client(HOME)).await.unwrap();
        let me = there.authenticate(&token).await.unwrap().unwrap();
        let id = cluster.active_on(1).await;
        let (mut tab, _application) = there.attach(&me, id).await.unwrap();
        let mut watch = there.watch(&me, View::default()).unwrap();
        match way {
            "sign-out" => here.sign_out(&me).await.unwrap(),
            "password" => here.set_password("student", "another horse").await.unwrap(),
            _ => here.set_role("student", Role::User).await.unwrap(),
        }
        assert_eq!(closed(&mut tab).await, Close::SignedOut, "{way}");
        assert!(matches!(ended(&mut watch).await, Error::SignIn), "{way}");
        let left = timeout(PATIENCE, there.authenticate(&token)).await.unwrap().unwrap();
        assert_eq!(left.map(|me| me.role), (way == "role").then_some(Role::User), "{way}");
    }
}
