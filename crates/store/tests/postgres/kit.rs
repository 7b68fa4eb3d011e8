//! What the tests of PostgreSQL have in common.

use std::{future::Future, time::Duration};

use session::{
    Actor, ApplicationId, EndReason, EnvironmentId, Policy, Role, SessionId, Timestamp, UserId, lifecycle::Command,
};
use sqlx::{Connection, PgConnection};
use store::{
    Application, EnvironmentRow, Store, StoreError, User, WriteRequest,
    postgres::{Postgres, Settings},
};
use tokio::time::{Instant, sleep, timeout};
use uuid::Uuid;

/// No limit of seats.
pub const TERMINAL: ApplicationId = ApplicationId(Uuid::from_u128(1));
/// Three seats.
pub const LICENSED: ApplicationId = ApplicationId(Uuid::from_u128(2));

pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
}

pub async fn open(url: &str) -> Postgres {
    Postgres::open(url, Settings::default()).await.unwrap()
}

pub async fn raw(url: &str) -> PgConnection {
    PgConnection::connect(url).await.unwrap()
}

pub fn user(n: u128) -> User {
    User {
        id: UserId(Uuid::from_u128(n)),
        username: format!("person{n}").into(),
        password_hash: String::new(),
        role: Role::User,
        created_at: at(0),
        blocked: false,
        must_change_password: false,
    }
}

pub async fn furnish(store: &dyn Store, people: u128) {
    let host = EnvironmentId(Uuid::from_u128(1));
    let environment = EnvironmentRow {
        id: host,
        name: "This host".into(),
        kind: "local".into(),
        open: true,
    };
    store
        .add_environment(&environment, &Actor::System, at(0))
        .await
        .unwrap();
    for (id, name, seats) in [(TERMINAL, "Terminal", None), (LICENSED, "Licensed", Some(3))] {
        let application = Application {
            id,
            name: name.into(),
            launch_text: "Launch".into(),
            environment_id: host,
            command: vec![],
            policy: Policy::default(),
            seats,
            open: true,
        };
        store
            .add_application(&application, &Actor::System, at(0))
            .await
            .unwrap();
    }
    for n in 0..people {
        store.add_user(&user(n), &Actor::System, at(0)).await.unwrap();
    }
}

pub fn launch(id: Uuid, who: u128, application_id: ApplicationId) -> WriteRequest {
    WriteRequest::Launch {
        session_id: SessionId(id),
        application_id,
        user_id: UserId(Uuid::from_u128(who)),
        node: session::ONLY_NODE.into(),
        origin: None,
        most: None,
        recorded: Vec::new(),
        at: at(0),
    }
}

pub fn expire(id: Uuid) -> WriteRequest {
    WriteRequest::Step {
        session_id: SessionId(id),
        command: Command::expire(EndReason::Admin),
        by: Actor::System,
        at: at(1),
    }
}

/// Asks again and again until the answer is there.
pub async fn until<T, F: Future<Output = Option<T>>>(what: &str, mut ask: impl FnMut() -> F) -> T {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(Instant::now() < deadline, "for 20 s not: {what}");
        // Polling with a deadline: the moment itself can't be waited for.
        sleep(Duration::from_millis(5)).await;
    }
}

/// Waits until the store has heard something.
pub async fn hears(store: &Postgres, what: &str) {
    let heard = timeout(Duration::from_secs(10), store.changed()).await;
    assert!(heard.is_ok(), "nothing was heard: {what}");
}

/// Is it what a caller may try again?
pub const fn passing(error: &StoreError) -> bool {
    matches!(
        error,
        StoreError::Unreachable(_) | StoreError::OutcomeUnknown | StoreError::Busy
    )
}
