//! People, logins, preferences, and the turn to sweep.

use std::sync::Arc;

use chrono::TimeDelta;
use futures::future::join_all;
use session::{Actor, EventKind, Role, event::UserChange};
use store::{Claim, Login, NewLogin, SignedIn, Store, StoreError, User};

use crate::fixture::*;

pub(super) async fn people_are_found_by_name_in_any_case(store: Arc<dyn Store>) {
    let jane = User {
        username: "Jane".into(),
        role: Role::AppAdmin,
        ..user(1)
    };
    let adam = User {
        username: "adam".into(),
        role: Role::Reporter,
        created_at: at(0) + TimeDelta::microseconds(7),
        ..user(2)
    };
    let zoe = User {
        username: "Zoé".into(),
        role: Role::SystemAdmin,
        ..user(3)
    };
    for person in [&jane, &adam, &zoe] {
        store.add_user(person, &Actor::System, at(0)).await.unwrap();
    }
    for name in ["Jane", "jane", "JANE"] {
        assert_eq!(store.user_named(name).await.unwrap().as_ref(), Some(&jane), "{name}");
        let taken = store
            .add_user(
                &User {
                    username: name.into(),
                    ..user(9)
                },
                &Actor::System,
                at(0),
            )
            .await;
        assert!(
            matches!(&taken, Err(StoreError::AlreadyExists(said)) if said == name),
            "{taken:?}"
        );
    }
    assert_eq!(store.user_named("ZOÉ").await.unwrap().as_ref(), Some(&zoe));
    assert_eq!(store.user_named("jan").await.unwrap(), None);
    assert_eq!(store.user_named("jan%").await.unwrap(), None);
    assert_eq!(store.users().await.unwrap(), [adam, jane, zoe]);
}

pub(super) async fn the_last_system_admin_stays(store: Arc<dyn Store>) {
    for n in 1..=3 {
        store.add_user(&user(n), &Actor::System, at(0)).await.unwrap();
    }
    for role in Role::ALL {
        store.set_role(person(1), role, &Actor::System, at(0)).await.unwrap();
        assert_eq!(store.user_named("person1").await.unwrap().unwrap().role, role);
    }
    for role in [Role::User, Role::Reporter, Role::AppAdmin] {
        let refused = store.set_role(person(1), role, &Actor::System, at(0)).await;
        assert!(matches!(refused, Err(StoreError::LastSystemAdmin)), "{refused:?}");
    }
    store
        .set_role(person(1), Role::SystemAdmin, &Actor::System, at(0))
        .await
        .unwrap();
    store
        .set_role(person(2), Role::SystemAdmin, &Actor::System, at(0))
        .await
        .unwrap();
    // Two administrators demote each other at the same time: one of them stays.
    let both = join_all([person(1), person(2)].map(|id| store.set_role(id, Role::User, &Actor::System, at(0)))).await;
    assert_eq!(both.iter().filter(|done| done.is_ok()).count(), 1);
    assert_eq!(
        store
            .users()
            .await
            .unwrap()
            .iter()
            .filter(|user| user.role == Role::SystemAdmin)
            .count(),
        1
    );
    let nobody = store.set_role(person(99), Role::User, &Actor::System, at(0)).await;
    assert!(matches!(nobody, Err(StoreError::NotFound("user"))), "{nobody:?}");
}

fn login(token: u8, who: u128, created: i64, seen: i64) -> Login {
    Login {
        token_hash: [token; 32],
        user_id: person(who),
        created_at: at(created),
        seen_at: at(seen),
    }
}

pub(super) async fn a_new_password_ends_the_logins(store: Arc<dyn Store>) {
    populate(&*store, 1..=2).await;
    for kept in [login(1, 1, 0, 0), login(2, 1, 0, 0), login(3, 2, 0, 0)] {
        assert!(store.add_login(&new_login(kept)).await.unwrap());
    }
    store
        .set_password(person(1), "$new", true, &Actor::System, at(0))
        .await
        .unwrap();
    let changed = async || store.user_named("person1").await.unwrap().unwrap();
    let first = changed().await;
    assert_eq!((&*first.password_hash, first.must_change_password), ("$new", true));
    assert_eq!(store.login(&[1; 32]).await.unwrap(), None);
    assert_eq!(store.login(&[2; 32]).await.unwrap(), None);
    assert!(store.login(&[3; 32]).await.unwrap().is_some());
    let own = store.set_password(person(1), "$own", false, &actor(1), at(1)).await;
    own.unwrap();
    assert!(!changed().await.must_change_password);
    let nobody = store.set_password(person(99), "$x", false, &Actor::System, at(0)).await;
    assert!(matches!(nobody, Err(StoreError::NotFound("user"))), "{nobody:?}");
}

pub(super) async fn a_sign_in_that_overlaps_a_change_is_refused(store: Arc<dyn Store>) {
    populate(&*store, 1..=2).await;
    let revision = store.revision().await.unwrap();
    let before = new_login(login(1, 1, 0, 0));
    let of_nobody = new_login(login(2, 99, 0, 0));
    store
        .set_password(person(1), "$new", false, &Actor::System, at(1))
        .await
        .unwrap();
    store.block_user(person(2), true, &Actor::System, at(1)).await.unwrap();
    for overtaken in [before.clone(), new_login(login(3, 2, 0, 0)), of_nobody] {
        assert!(!store.add_login(&overtaken).await.unwrap(), "{overtaken:?}");
        assert_eq!(store.login(&overtaken.login.token_hash).await.unwrap(), None);
    }
    assert_eq!(
        store.revision().await.unwrap(),
        revision + 2,
        "a refused login is no event"
    );
    let after = NewLogin {
        verified_hash: "$new".into(),
        ..before
    };
    assert!(store.add_login(&after).await.unwrap());
    assert!(store.login(&[1; 32]).await.unwrap().is_some());
}

pub(super) async fn sign_ins_sign_outs_and_ends_of_logins_are_events(store: Arc<dyn Store>) {
    populate(&*store, 1..=2).await;
    let start = store.revision().await.unwrap();
    for kept in [login(1, 1, 0, 0), login(2, 1, 0, 0), login(3, 2, 0, 0)] {
        store.add_login(&new_login(kept)).await.unwrap();
    }
    let mut of_one = store.logins_of(&[person(1)]).await.unwrap();
    of_one.sort_by_key(|signed_in| signed_in.login.token_hash);
    let tokens: Vec<_> = of_one.iter().map(|signed_in| signed_in.login.token_hash[0]).collect();
    assert_eq!(tokens, [1, 2]);
    for _ in 0..2 {
        store.end_login(&[1; 32], &Actor::System, at(1)).await.unwrap();
    }
    store.end_logins(person(2), &Actor::System, at(2)).await.unwrap();
    store.unlock_user(person(2), &Actor::System, at(3)).await.unwrap();
    assert!(store.login(&[2; 32]).await.unwrap().is_some());
    for token in [1, 3] {
        assert_eq!(store.login(&[token; 32]).await.unwrap(), None);
    }
    let user_changed = |change| EventKind::UserChanged {
        user_id: person(2),
        username: user(2).username,
        change,
    };
    let changes = store.changes(start).await.unwrap();
    assert_eq!(changes.revision, start + 6, "ending a login twice is one event");
    let access: Vec<_> = changes.access.into_iter().map(|event| event.what).collect();
    assert_eq!(
        access,
        [
            EventKind::SignedOut,
            user_changed(UserChange::LoginsEnded),
            user_changed(UserChange::Unlocked),
        ],
        "in order, and without the sign-ins"
    );
}

pub(super) async fn networks_that_people_signed_in_from_are_known(store: Arc<dyn Store>) {
    populate(&*store, 1..=2).await;
    store.add_login(&new_login(login(1, 1, 10, 10))).await.unwrap();
    store.add_login(&new_login(login(2, 1, 5, 5))).await.unwrap();
    let knows = async |name: &str, network: &str| store.signed_in_from(name, network).await.unwrap();
    assert!(knows("PERSON1", "192.0.2.1").await, "names are case-insensitive");
    assert!(!knows("person1", "192.0.2.2").await);
    assert!(!knows("person2", "192.0.2.1").await);
    assert!(!knows("nobody", "192.0.2.1").await);
    store.remove_old_logins(at(0), at(0), at(10)).await.unwrap();
    assert!(knows("person1", "192.0.2.1").await, "the latest sign-in counts");
    store.remove_old_logins(at(0), at(0), at(11)).await.unwrap();
    assert!(!knows("person1", "192.0.2.1").await);
}

pub(super) async fn logins_are_kept_touched_and_removed(store: Arc<dyn Store>) {
    populate(&*store, 1..=1).await;
    let mut kept = login(1, 1, 10, 20);
    assert!(store.add_login(&new_login(kept.clone())).await.unwrap());
    assert_eq!(
        store.login(&[1; 32]).await.unwrap(),
        Some(SignedIn {
            user: user(1),
            login: kept.clone()
        })
    );
    store
        .touch_logins(&[([1; 32], at(80)), ([9; 32], at(80))])
        .await
        .unwrap();
    store.touch_logins(&[([1; 32], at(50))]).await.unwrap();
    store.touch_logins(&[]).await.unwrap();
    kept.seen_at = at(80);
    assert_eq!(
        store.login(&[1; 32]).await.unwrap().unwrap().login,
        kept,
        "the latest use counts"
    );
    store
        .set_role(person(1), Role::Reporter, &Actor::System, at(0))
        .await
        .unwrap();
    assert_eq!(
        store.login(&[1; 32]).await.unwrap().unwrap().user.role,
        Role::Reporter,
        "at once"
    );
    assert_eq!(store.login(&[2; 32]).await.unwrap(), None);
    for _ in 0..2 {
        store.end_login(&[1; 32], &Actor::System, at(0)).await.unwrap();
        assert_eq!(store.login(&[1; 32]).await.unwrap(), None);
    }
    store.touch_logins(&[([1; 32], at(90))]).await.unwrap();
    assert_eq!(
        store.login(&[1; 32]).await.unwrap(),
        None,
        "touching brings nothing back"
    );
}

pub(super) async fn old_logins_are_removed(store: Arc<dyn Store>) {
    populate(&*store, 1..=1).await;
    for kept in [
        login(1, 1, 0, 100),
        login(2, 1, 50, 99),
        login(3, 1, 49, 100),
        login(4, 1, 50, 100),
    ] {
        store.add_login(&new_login(kept)).await.unwrap();
    }
    store.remove_old_logins(at(100), at(50), at(0)).await.unwrap();
    for (token, stays) in [(1, false), (2, false), (3, false), (4, true)] {
        assert_eq!(
            store.login(&[token; 32]).await.unwrap().is_some(),
            stays,
            "login {token}"
        );
    }
}

pub(super) async fn preferences_are_kept_by_person(store: Arc<dyn Store>) {
    populate(&*store, 1..=2).await;
    let of = async |n, name| store.preference(person(n), name).await.unwrap();
    assert_eq!(of(1, "columns").await, None);
    store
        .set_preference(person(1), "columns", Some("[\"id\"]"))
        .await
        .unwrap();
    store.set_preference(person(1), "theme", Some("")).await.unwrap();
    store.set_preference(person(1), "columns", Some("[]")).await.unwrap();
    assert_eq!(
        (of(1, "columns").await.as_deref(), of(1, "theme").await.as_deref()),
        (Some("[]"), Some(""))
    );
    assert_eq!(of(2, "columns").await, None);
    for _ in 0..2 {
        store.set_preference(person(1), "columns", None).await.unwrap();
        assert_eq!(of(1, "columns").await, None);
    }
}

pub(super) async fn sweeps_are_granted_once_an_interval(store: Arc<dyn Store>) {
    let interval = TimeDelta::seconds(30);
    let claims = join_all((0..10).map(|_| store.claim_sweep(at(0), interval))).await;
    let granted = claims
        .iter()
        .filter(|claim| matches!(claim, Ok(Claim::Granted)))
        .count();
    let waiting = claims
        .iter()
        .filter(|claim| matches!(claim, Ok(Claim::Wait(until)) if *until == at(30)))
        .count();
    assert_eq!((granted, waiting), (1, 9));
    let claim = async |seconds| store.claim_sweep(at(seconds), interval).await.unwrap();
    assert_eq!(claim(29).await, Claim::Wait(at(30)));
    assert_eq!(claim(30).await, Claim::Granted);
    assert_eq!(
        claim(31).await,
        Claim::Wait(at(60)),
        "counted from the start of the last one"
    );
    assert_eq!(claim(500).await, Claim::Granted);
    assert_eq!(
        claim(490).await,
        Claim::Wait(at(530)),
        "an earlier claim that arrives late"
    );
    assert_eq!(claim(529).await, Claim::Wait(at(530)), "a late claim changes nothing");
    assert_eq!(store.revision().await.unwrap(), 0, "it is not in the log");
}

pub(super) async fn a_clock_set_back_blocks_for_one_interval_at_most(store: Arc<dyn Store>) {
    let claim = async |seconds| store.claim_sweep(at(seconds), TimeDelta::seconds(30)).await.unwrap();
    assert_eq!(claim(100_000).await, Claim::Granted);
    assert_eq!(claim(0).await, Claim::Wait(at(30)));
    assert_eq!(
        claim(15).await,
        Claim::Wait(at(30)),
        "a claim does not prolong the wait"
    );
    assert_eq!(claim(30).await, Claim::Granted);
    assert_eq!(claim(31).await, Claim::Wait(at(60)));
}
