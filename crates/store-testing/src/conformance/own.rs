//! My apps of a person: favourites, last uses, and the pictures of applications.

use std::sync::Arc;

use chrono::TimeDelta;
use session::{
    Actor, ApplicationId,
    catalogue::appearance::{Appearance, hex},
    lifecycle::Command,
};
use store::{Application, Edited, OwnApplication, Store, StoreError, UNUSED_PICTURES, WriteOutcome, WriteRequest};
use uuid::Uuid;

use crate::fixture::*;

const fn own(id: ApplicationId, favourite: bool, used: Option<session::Timestamp>) -> OwnApplication {
    OwnApplication {
        id,
        favourite,
        used_at: used,
    }
}

pub(super) async fn favourites_are_kept_by_person(store: Arc<dyn Store>) {
    populate(&*store, [1, 2]).await;
    let before = store.revision().await.unwrap();
    for favourite in [true, true, false, true] {
        store.set_favourite(person(1), LICENSED, favourite).await.unwrap();
    }
    store.set_favourite(person(1), TERMINAL, false).await.unwrap();
    assert_eq!(
        store.own_applications(person(1)).await.unwrap(),
        [own(TERMINAL, false, None), own(LICENSED, true, None)]
    );
    assert_eq!(store.own_applications(person(2)).await.unwrap(), []);
    assert_eq!(store.revision().await.unwrap(), before, "no event");
    for (who, what) in [(person(9), TERMINAL), (person(1), ApplicationId(Uuid::nil()))] {
        let refused = store.set_favourite(who, what, true).await;
        assert!(matches!(refused, Err(StoreError::NotFound(_))), "{refused:?}");
    }
}

pub(super) async fn a_launch_is_the_last_use_and_outlives_its_session(store: Arc<dyn Store>) {
    populate(&*store, [1, 2]).await;
    store.set_favourite(person(1), TERMINAL, true).await.unwrap();
    launched(&*store, 1, 1, TERMINAL).await;
    let first = own(TERMINAL, true, Some(at(0)));
    assert_eq!(store.own_applications(person(1)).await.unwrap(), [first]);
    // A resume is no launch. A refused launch is none either.
    write(&*store, launch(2, 1, TERMINAL, at(5))).await;
    let refused = write(&*store, launch(3, 2, ApplicationId(Uuid::nil()), at(5))).await;
    assert!(matches!(refused, WriteOutcome::Denied(_)), "{refused:?}");
    assert_eq!(store.own_applications(person(1)).await.unwrap(), [first]);
    assert_eq!(store.own_applications(person(2)).await.unwrap(), []);

    // Several launches of one pair in one batch; the clock of another node is behind.
    let again = [
        step(1, expire(), at(10)),
        launch(4, 1, TERMINAL, at(20)),
        step(4, expire(), at(21)),
        launch(5, 1, TERMINAL, at(15)),
        launch(6, 1, LICENSED, at(30)),
    ];
    store.write(&again).await.unwrap();
    for n in [1, 4] {
        stepped(&*store, n, Command::TornDown, at(40)).await;
    }
    let later = at(0) + TimeDelta::days(3);
    store.write(&[WriteRequest::Purge { at: later }]).await.unwrap();
    assert_eq!(
        store.own_applications(person(1)).await.unwrap(),
        [own(TERMINAL, true, Some(at(20))), own(LICENSED, false, Some(at(30)))]
    );
}

pub(super) async fn who_is_removed_leaves_nothing_of_their_own(store: Arc<dyn Store>) {
    populate(&*store, [1, 2]).await;
    let administrator = store::User {
        role: session::Role::SystemAdmin,
        ..user(3)
    };
    store.add_user(&administrator, &Actor::System, at(0)).await.unwrap();
    for n in [1, 2] {
        store.set_favourite(person(n), TERMINAL, true).await.unwrap();
    }
    store.remove_user(person(1), &Actor::System, at(1)).await.unwrap();
    assert_eq!(store.own_applications(person(1)).await.unwrap(), []);
    assert_eq!(store.own_applications(person(2)).await.unwrap().len(), 1);
}

pub(super) async fn a_picture_is_kept_under_its_hash(store: Arc<dyn Store>) {
    assert_eq!(store.picture([1; 32]).await.unwrap(), None);
    for _ in 0..2 {
        store.add_picture([1; 32], b"\0png", at(0)).await.unwrap();
    }
    assert_eq!(store.picture([1; 32]).await.unwrap().as_deref(), Some(&b"\0png"[..]));
    assert_eq!(store.picture([2; 32]).await.unwrap(), None);
}

fn pictured(hash: [u8; 32]) -> Appearance {
    Appearance {
        icon: Some(hex(&hash).into()),
        ..Appearance::default()
    }
}

pub(super) async fn an_application_has_a_picture_that_exists(store: Arc<dyn Store>) {
    populate(&*store, []).await;
    let drawn = Application {
        appearance: pictured([1; 32]),
        ..application(ApplicationId(Uuid::from_u128(9)), "Drawn", None)
    };
    let (before, by) = (store.revision().await.unwrap(), Actor::System);
    let missing = store.add_application(&drawn, &by, at(0)).await;
    assert!(matches!(missing, Err(StoreError::NotFound("picture"))), "{missing:?}");
    let terminal = application(TERMINAL, "Terminal", None).spec();
    let wanted = session::catalogue::ApplicationSpec {
        appearance: pictured([1; 32]),
        ..terminal.clone()
    };
    let missing = store.update_application(TERMINAL, &terminal, &wanted, &by, at(0)).await;
    assert!(matches!(missing, Err(StoreError::NotFound("picture"))), "{missing:?}");
    assert_eq!(store.revision().await.unwrap(), before);

    store.add_picture([1; 32], b"png", at(0)).await.unwrap();
    store.add_application(&drawn, &by, at(0)).await.unwrap();
    let edited = store.update_application(TERMINAL, &terminal, &wanted, &by, at(0)).await;
    assert!(matches!(edited, Ok(Edited::Done(_))), "{edited:?}");
    let all = store.applications().await.unwrap();
    let icons: Vec<_> = all.iter().map(|row| row.appearance.picture()).collect();
    assert_eq!(icons, [Some([1; 32]), None, Some([1; 32])]);
}

pub(super) async fn the_oldest_unused_pictures_are_forgotten(store: Arc<dyn Store>) {
    populate(&*store, []).await;
    store.add_picture([255; 32], b"used", at(0)).await.unwrap();
    let drawn = Application {
        appearance: pictured([255; 32]),
        ..application(ApplicationId(Uuid::from_u128(9)), "Drawn", None)
    };
    store.add_application(&drawn, &Actor::System, at(0)).await.unwrap();
    let most = u8::try_from(UNUSED_PICTURES).unwrap();
    for n in 0..=most {
        store
            .add_picture([n; 32], b"unused", at(1 + i64::from(n)))
            .await
            .unwrap();
    }
    assert_eq!(store.picture([0; 32]).await.unwrap(), None, "the oldest");
    for kept in [1, most, 255] {
        assert!(store.picture([kept; 32]).await.unwrap().is_some(), "{kept}");
    }
}
