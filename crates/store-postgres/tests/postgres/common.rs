//! Helpers of the tests of PostgreSQL.

use std::{future::Future, time::Duration};

use session::{ApplicationId, EndReason, SessionId, lifecycle::Command};
use sqlx::{Connection, PgConnection};
use store::{Cluster, StoreError, WriteRequest};
use store_postgres::{Postgres, Settings};
pub use store_testing::fixture::{LICENSED, TERMINAL, at, populate, user};
use store_testing::fixture::{launch_as, step_of};
use tokio::time::{Instant, sleep, timeout};
use uuid::Uuid;

pub async fn open(url: &str) -> Postgres {
    Postgres::open(url, Settings::default()).await.unwrap()
}

pub async fn raw(url: &str) -> PgConnection {
    PgConnection::connect(url).await.unwrap()
}

pub fn launch(id: Uuid, who: u128, application_id: ApplicationId) -> WriteRequest {
    launch_as(SessionId(id), who, application_id, at(0))
}

pub fn expire(id: Uuid) -> WriteRequest {
    step_of(SessionId(id), Command::expire(EndReason::Admin), at(1))
}

/// Polls until there is an answer.
pub async fn until<T, F: Future<Output = Option<T>>>(what: &str, mut ask: impl FnMut() -> F) -> T {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(Instant::now() < deadline, "for 20 s not: {what}");
        // Nothing signals the event, so this polls with a deadline.
        sleep(Duration::from_millis(5)).await;
    }
}

/// Waits for a wake-up.
pub async fn wakes_up(store: &Postgres, what: &str) {
    let woken = timeout(Duration::from_secs(10), store.changed()).await;
    assert!(woken.is_ok(), "no wake-up: {what}");
}

/// True for an error after which a caller may try again.
pub const fn is_transient(error: &StoreError) -> bool {
    matches!(
        error,
        StoreError::Unreachable(_) | StoreError::OutcomeUnknown | StoreError::Busy
    )
}
