//! Logins: how long they last, and what ends with them.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a step that fails is a failed test"
)]

use std::time::Duration;

use chrono::TimeDelta;
use control::{Attachment, Close, Error, Message, Watch};
use session::{Role, Status, view::View, wire::Me};
use tokio::time::timeout;

use crate::{
    cluster::Cluster,
    house::{HOME, House, PASSWORD, PATIENCE, client},
};

/// "Within 1 s", with room for a busy machine.
const AT_ONCE: Duration = Duration::from_secs(5);

async fn sign_in(house: &House, name: &str) -> (String, Me) {
    let token = house.control.sign_in(name, PASSWORD, &client(HOME)).await.unwrap();
    let me = house.control.authenticate(&token).await.unwrap().unwrap();
    (token, me)
}

async fn role(house: &House, token: &str) -> Option<Role> {
    house.control.authenticate(token).await.unwrap().map(|me| me.role)
}

/// Why the tab is closed.
async fn closed(tab: &mut Attachment) -> Close {
    timeout(AT_ONCE, &mut tab.closed)
        .await
        .expect("the tab is closed")
        .unwrap()
}

/// Returns when the watch has ended. However much changes: each message is taken.
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
    let house = House::new().await;
    let (token, me) = sign_in(&house, "student").await;
    assert_eq!(role(&house, &token).await, Some(Role::User));
    for _ in 0..2 {
        house.control.sign_out(&me).await.unwrap();
        assert_eq!(role(&house, &token).await, None);
    }

    let (idle, _) = sign_in(&house, "student").await;
    for _ in 0..4 {
        house.pass(TimeDelta::hours(2));
        assert!(role(&house, &idle).await.is_some());
    }
    house.pass(TimeDelta::seconds(1));
    assert_eq!(role(&house, &idle).await, None, "what a page asks by itself is no use");

    let (old, me) = sign_in(&house, "student").await;
    for _ in 0..4 {
        house.pass(TimeDelta::hours(6));
        house.control.login_used(&me);
        assert!(role(&house, &old).await.is_some(), "used, so not idle");
    }
    house.pass(TimeDelta::seconds(1));
    assert_eq!(role(&house, &old).await, None);
    for rubbish in ["", "zz", &"é".repeat(32), &"0".repeat(64)] {
        assert_eq!(role(&house, rubbish).await, None);
    }
}

#[tokio::test]
async fn who_types_into_a_session_all_day_stays_signed_in() {
    let house = House::new().await;
    let id = house.active().await;
    let (token, me) = sign_in(&house, "student").await;
    let (tab, _application) = house.control.attach(&me, id).await.unwrap();
    for _ in 0..20 {
        house.pass(TimeDelta::minutes(25));
        tab.last_use.touch();
    }
    assert_eq!(
        role(&house, &token).await,
        Some(Role::User),
        "8 h 20 min after the sign-in"
    );
}

#[tokio::test]
async fn the_last_use_survives_a_restart() {
    let house = House::new().await;
    let (token, me) = sign_in(&house, "student").await;
    house.pass(TimeDelta::hours(7));
    house.control.login_used(&me);
    house.control.flush().await;
    let house = house.restart().await;
    house.pass(TimeDelta::hours(7));
    assert_eq!(role(&house, &token).await, Some(Role::User));
}

/// A way to end the login of the student, or what it opened.
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
    async fn take(self, house: &House, me: &Me) {
        let control = &house.control;
        match self {
            Self::SignOut => control.sign_out(me).await.unwrap(),
            Self::Everywhere => {
                let (_, elsewhere) = sign_in(house, "student").await;
                control.sign_out_everywhere(&elsewhere).await.unwrap();
            }
            Self::Password => control.set_password("student", "another horse").await.unwrap(),
            Self::Block => control.block_user(&house.admin, "student", true).await.unwrap(),
            Self::Remove => control.remove_user(&house.admin, "student").await.unwrap(),
            Self::LowerRole => control.set_role("student", Role::AppAdmin).await.unwrap(),
            Self::Idle => house.pass(TimeDelta::hours(8) + TimeDelta::seconds(1)),
            Self::Age => {
                for _ in 0..4 {
                    house.pass(TimeDelta::hours(6));
                    control.login_used(me);
                }
                house.pass(TimeDelta::seconds(1));
            }
        }
    }

    /// Does the session end, too? Then its tab may be told that instead. Time ends it by its own limits.
    const fn ends_session(self) -> bool {
        matches!(self, Self::Block | Self::Remove | Self::Idle | Self::Age)
    }

    const fn leaves_login(self) -> bool {
        matches!(self, Self::LowerRole)
    }
}

#[tokio::test]
async fn ending_a_login_in_any_way_ends_what_it_opened() {
    for way in WAYS {
        let house = House::new().await;
        house.control.set_role("student", Role::SystemAdmin).await.unwrap();
        let id = house.active().await;
        let (token, me) = sign_in(&house, "student").await;
        let (mut tab, _application) = house.control.attach(&me, id).await.unwrap();
        let mut watch = house.control.watch(&me, View::default()).unwrap();
        assert!(matches!(watch.next().await, Ok(Message::Snapshot(_))));

        way.take(&house, &me).await;

        let why = closed(&mut tab).await;
        drop(tab);
        assert!(
            why == Close::SignedOut || (way.ends_session() && matches!(why, Close::Expired | Close::Idle)),
            "{way:?}: {why:?}"
        );
        let error = ended(&mut watch).await;
        assert!(matches!(error, Error::SignIn), "{way:?}: {error:?}");
        let left = role(&house, &token).await;
        assert_eq!(left, way.leaves_login().then_some(Role::AppAdmin), "{way:?}");
        if !way.ends_session() {
            house.shows(id, |row| !row.connected).await;
            assert_eq!(house.row(id).status, Status::Active, "{way:?}: the session goes on");
        }
        if !way.leaves_login() {
            let refused = house.control.attach(&me, id).await.err();
            assert!(
                matches!(refused, Some(Error::SignIn | Error::Ended(_))),
                "{way:?}: no request of the ended login opens anything: {refused:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_watch_on_a_busy_list_ends_with_its_login() {
    let house = House::new().await;
    let (_, me) = sign_in(&house, "admin").await;
    let mut watch = house.control.watch(&me, View::default()).unwrap();
    house.control.sign_out(&me).await.unwrap();
    let busy = async {
        loop {
            let id = house.control.launch(&house.student, house.desktop).await.unwrap().id;
            house.control.end_own(&house.student, id).await.unwrap();
        }
    };
    tokio::select! {
        error = ended(&mut watch) => assert!(matches!(error, Error::SignIn), "{error:?}"),
        () = busy => {}
    }
}

#[tokio::test]
async fn a_higher_role_ends_nothing() {
    let house = House::new().await;
    let id = house.active().await;
    let (token, me) = sign_in(&house, "student").await;
    let (mut tab, _application) = house.control.attach(&me, id).await.unwrap();
    house.control.set_role("student", Role::SystemAdmin).await.unwrap();
    assert_eq!(role(&house, &token).await, Some(Role::SystemAdmin));
    assert!(tab.closed.try_recv().is_err(), "the tab goes on");
    house.control.sign_out(&me).await.unwrap();
    assert_eq!(
        closed(&mut tab).await,
        Close::SignedOut,
        "and still belongs to the login"
    );
}

#[tokio::test]
async fn a_sign_in_that_overlaps_a_password_change_does_not_survive_it() {
    let house = House::new().await;
    let home = client(HOME);
    let (token, changed) = tokio::join!(
        house.control.sign_in("student", PASSWORD, &home),
        house.control.set_password("student", "another horse"),
    );
    changed.unwrap();
    match token {
        Ok(token) => assert_eq!(role(&house, &token).await, None),
        Err(error) => assert!(matches!(error, Error::Credentials), "{error:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_login_that_is_ended_on_one_node_ends_what_it_opened_on_the_other() {
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
