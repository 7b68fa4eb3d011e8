//! A log that can't be written: is the server alive, as its supervisor asks, and is anything forgotten?

use std::{collections::HashMap, sync::Arc};

use chrono::TimeDelta;
use control::{Control, Error, ManualClock, Options};
use futures::future::join_all;
use session::{ApplicationId, Role, Status, UserId, wire::Me};
use store::StoreError;
use store_sqlite::Sqlite;
use uuid::Uuid;

use crate::house::House;

/// A refused launch is written down, so it needs room too: each time of somebody else, or it would only be counted.
async fn denied(control: &Arc<Control>) -> Error {
    let nobody = Me {
        user_id: UserId(Uuid::now_v7()),
        username: "nobody".into(),
        role: Role::User,
        must_change_password: false,
        origin: None,
        login: None,
    };
    let launched = control.launch(&nobody, ApplicationId(Uuid::from_u128(9))).await;
    let Err(error) = launched else {
        panic!("nobody may launch")
    };
    error
}

#[tokio::test]
async fn a_full_disk_is_no_death_and_a_writer_that_has_ended_is() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(Sqlite::open(folder.path()).await.unwrap());
    let clock = Arc::new(ManualClock::new(chrono::DateTime::UNIX_EPOCH + TimeDelta::days(20_000)));
    let control = Control::open(store.clone(), HashMap::new(), clock, Options::default())
        .await
        .unwrap();
    control.alive().await.unwrap();
    store.limit_pages(Some(1)).await;
    while !matches!(denied(&control).await, Error::Store(StoreError::Full)) {}
    // All of them in one transaction, which fails.
    let refusals = join_all((0..40).map(|_| denied(&control)));
    let (refusals, alive) = tokio::join!(refusals, join_all((0..40).map(|_| control.alive())));
    assert!(
        refusals
            .iter()
            .any(|error| matches!(error, Error::Store(StoreError::Full)))
    );
    assert!(alive.iter().all(Result::is_ok), "{alive:?}");
    control.flush().await;
    assert!(control.alive().await.is_err());
}

#[tokio::test]
async fn what_an_environment_tells_while_the_disk_is_full_is_known_when_there_is_room() {
    let house = House::new().await;
    let id = house.active().await;
    house.sqlite.limit_pages(Some(1)).await;
    while !matches!(denied(&house.control).await, Error::Store(StoreError::Full)) {}
    house.environment.lose(id, "its host lost power");
    // The signal has its turns among these.
    for _ in 0..50 {
        denied(&house.control).await;
    }
    assert_eq!(house.row(id).status, Status::Active);
    house.sqlite.limit_pages(None).await;
    let row = house.becomes(id, Status::Error).await;
    assert_eq!(row.error.as_deref(), Some("its host lost power"));
}
