//! A log that can't be written: the server still counts as alive, and loses no signal.

use std::{collections::HashMap, sync::Arc};

use chrono::TimeDelta;
use control::{Control, Error, ManualClock, Options};
use futures::future::join_all;
use session::{ApplicationId, Role, Status, UserId, api::Me};
use store::StoreError;
use store_sqlite::Sqlite;
use uuid::Uuid;

use crate::fixture::Fixture;

/// Makes a launch that is refused, which writes an event and so needs disk space. Each time by
/// another person: equal refusals are only counted.
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
async fn a_server_with_a_full_disk_is_alive_and_one_without_a_writer_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(Sqlite::open(folder.path()).await.unwrap());
    let clock = Arc::new(ManualClock::new(chrono::DateTime::UNIX_EPOCH + TimeDelta::days(20_000)));
    let control = Control::open(store.clone(), HashMap::new(), clock, Options::default())
        .await
        .unwrap();
    control.check_liveness().await.unwrap();
    store.limit_pages(Some(1)).await;
    while !matches!(denied(&control).await, Error::Store(StoreError::Full)) {}
    // All share one transaction, which fails.
    let refusals = join_all((0..40).map(|_| denied(&control)));
    let (refusals, alive) = tokio::join!(refusals, join_all((0..40).map(|_| control.check_liveness())));
    assert!(
        refusals
            .iter()
            .any(|error| matches!(error, Error::Store(StoreError::Full)))
    );
    assert!(alive.iter().all(Result::is_ok), "{alive:?}");
    control.flush().await;
    assert!(control.check_liveness().await.is_err());
}

#[tokio::test]
async fn a_signal_that_arrives_while_the_disk_is_full_is_recorded_later() {
    let fixture = Fixture::new().await;
    let id = fixture.active().await;
    fixture.sqlite.limit_pages(Some(1)).await;
    while !matches!(denied(&fixture.control).await, Error::Store(StoreError::Full)) {}
    fixture.environment.lose(id, "its host lost power");
    // The retries of the signal run between these.
    for _ in 0..50 {
        denied(&fixture.control).await;
    }
    assert_eq!(fixture.row(id).status, Status::Active);
    fixture.sqlite.limit_pages(None).await;
    let row = fixture.wait_for_status(id, Status::Error).await;
    assert_eq!(row.error.as_deref(), Some("its host lost power"));
}
