//! Homes of environments, and the numbers of their owners.

use std::{num::NonZeroU32, sync::Arc};

use session::{Actor, EnvironmentId, EventKind, HomeKind, Homes};
use store::{EnvironmentRow, Store, WriteOutcome};
use uuid::Uuid;

use super::catalogue_events;
use crate::fixture::*;

const SCRATCH: Homes = Homes {
    kind: HomeKind::Scratch,
    limit_mib: None,
};

pub(super) async fn homes_are_kept_and_changed(store: Arc<dyn Store>) {
    let largest = Homes {
        kind: HomeKind::Kept,
        limit_mib: NonZeroU32::new(u32::MAX),
    };
    let wanted = [None, Some(SCRATCH), Some(largest), Some(Homes::default())];
    for (n, homes) in (1..).zip(wanted) {
        let row = EnvironmentRow {
            id: EnvironmentId(Uuid::from_u128(n)),
            name: n.to_string().into(),
            homes,
            ..environment()
        };
        store.add_environment(&row, &Actor::System, at(0)).await.unwrap();
    }
    let of_all = async || {
        let rows = store.environments().await.unwrap();
        rows.into_iter().map(|row| row.homes).collect::<Vec<_>>()
    };
    assert_eq!(of_all().await, wanted);
    let first = EnvironmentId(Uuid::from_u128(1));
    let before = store.revision().await.unwrap();
    for written in [true, false] {
        assert!(
            store.set_homes(first, SCRATCH, &actor(1), at(7)).await.unwrap(),
            "{written}"
        );
        assert_eq!(store.revision().await.unwrap(), before + 1, "one event, once");
    }
    assert_eq!(of_all().await[..2], [Some(SCRATCH); 2]);
    let newest = &catalogue_events(&*store).await[0];
    let changed = EventKind::EnvironmentChanged {
        environment_id: first,
        name: "1".into(),
        open: true,
        homes: Some(SCRATCH),
    };
    assert_eq!((&newest.what, &newest.actor, newest.at), (&changed, &actor(1), at(7)));
    let nowhere = EnvironmentId(Uuid::max());
    assert!(!store.set_homes(nowhere, SCRATCH, &actor(1), at(8)).await.unwrap());
}

pub(super) async fn a_number_is_never_given_again(store: Arc<dyn Store>) {
    populate(&*store, 1..=3).await;
    let numbers = async || {
        let users = store.users().await.unwrap();
        users.iter().map(|user| user.number).collect::<Vec<_>>()
    };
    assert_eq!(numbers().await, [1, 2, 3]);
    store.remove_user(person(3), &Actor::System, at(1)).await.unwrap();
    // A name that is in use takes no number.
    let twice = store.add_user(&user(1), &Actor::System, at(2)).await;
    assert!(twice.is_err(), "{twice:?}");
    store.add_user(&user(4), &Actor::System, at(3)).await.unwrap();
    assert_eq!(numbers().await, [1, 2, 4]);
    store.add_user(&user(3), &Actor::System, at(4)).await.unwrap();
    assert_eq!(numbers().await, [1, 2, 3, 4], "the same id keeps its number");
    let WriteOutcome::Launched(_, start) = write(&*store, launch(1, 4, TERMINAL, at(5))).await else {
        panic!("not launched")
    };
    assert_eq!(start.user_number, 4);
}

pub(super) async fn a_session_keeps_the_homes_of_its_launch(store: Arc<dyn Store>) {
    populate(&*store, 1..=2).await;
    launched(&*store, 1, 1, TERMINAL).await;
    store.set_homes(HOST, SCRATCH, &actor(1), at(1)).await.unwrap();
    launched(&*store, 2, 2, TERMINAL).await;
    let homes: Vec<_> = all(&store).await.iter().map(|session| session.home).collect();
    assert_eq!(homes, [Some(HomeKind::Kept), Some(HomeKind::Scratch)]);
}
