//! What the cases have in common: a furnished store, and short words for what they do to it.

use std::sync::Arc;

use session::{
    Actor, ApplicationId, EndReason, EnvironmentId, Policy, Role, Session, SessionId, Timestamp, UserId,
    catalogue::Admission, lifecycle::Command,
};
use uuid::Uuid;

use crate::{Application, Committed, EnvironmentRow, Login, NewLogin, Store, User, WriteOutcome, WriteRequest};

/// No limit of seats.
pub(super) const TERMINAL: ApplicationId = ApplicationId(Uuid::from_u128(101));
/// Three seats.
pub(super) const LICENSED: ApplicationId = ApplicationId(Uuid::from_u128(102));
/// Where both run.
pub(super) const HOST: EnvironmentId = EnvironmentId(Uuid::from_u128(201));

pub(super) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
}

pub(super) const fn session(n: u128) -> SessionId {
    SessionId(Uuid::from_u128(0x0199_0000_0000_7000_8000_0000_0000_0000 + n))
}

pub(super) const fn person(n: u128) -> UserId {
    UserId(Uuid::from_u128(1000 + n))
}

pub(super) fn user(n: u128) -> User {
    User {
        id: person(n),
        username: format!("person{n}").into(),
        password_hash: format!("$argon2id${n}"),
        role: Role::User,
        created_at: at(0),
        blocked: false,
        must_change_password: false,
    }
}

/// A sign-in of one of the people whom [`user`] makes, from `192.0.2.1`.
pub(super) fn new_login(login: Login) -> NewLogin {
    let n = login.user_id.number() - 1000;
    NewLogin {
        login,
        verified_hash: user(n).password_hash,
        network: "192.0.2.1".into(),
        by: actor(n),
    }
}

pub(super) fn actor(n: u128) -> Actor {
    Actor::Person {
        user_id: person(n),
        username: format!("person{n}").into(),
        origin: None,
    }
}

/// Open to launches, or not.
pub(super) const fn admission(open: bool) -> Admission {
    if open { Admission::Open } else { Admission::Close }
}

pub(super) fn environment() -> EnvironmentRow {
    EnvironmentRow {
        id: HOST,
        name: "This host".into(),
        kind: "local".into(),
        open: true,
    }
}

pub(super) fn application(id: ApplicationId, name: &str, seats: Option<u32>) -> Application {
    Application {
        id,
        name: name.into(),
        launch_text: "Launch".into(),
        environment_id: HOST,
        command: vec!["xterm".into(), "-T".into(), name.into()],
        policy: Policy::default(),
        seats,
        open: true,
    }
}

/// An environment, two applications, and so many people, from 1.
pub(super) async fn furnish(store: &dyn Store, people: u128) {
    store
        .add_environment(&environment(), &Actor::System, at(0))
        .await
        .unwrap();
    store
        .add_application(&application(TERMINAL, "Terminal", None), &Actor::System, at(0))
        .await
        .unwrap();
    store
        .add_application(&application(LICENSED, "Licensed", Some(3)), &Actor::System, at(0))
        .await
        .unwrap();
    for n in 1..=people {
        store.add_user(&user(n), &Actor::System, at(0)).await.unwrap();
    }
}

pub(super) fn launch(n: u128, who: u128, what: ApplicationId, when: Timestamp) -> WriteRequest {
    WriteRequest::Launch {
        session_id: session(n),
        application_id: what,
        user_id: person(who),
        node: "a".into(),
        origin: None,
        most: None,
        recorded: Vec::new(),
        at: when,
    }
}

pub(super) const fn step(n: u128, command: Command, when: Timestamp) -> WriteRequest {
    WriteRequest::Step {
        session_id: session(n),
        command,
        by: Actor::System,
        at: when,
    }
}

pub(super) fn expire() -> Command {
    Command::Expire {
        reason: EndReason::Admin,
        note: Some("licence needed".into()),
        seen: None,
        batch: None,
        block: false,
    }
}

/// Writes one request and gives its answer.
pub(super) async fn write(store: &dyn Store, request: WriteRequest) -> WriteOutcome {
    let Committed { mut outcomes, .. } = store.write(&[request]).await.unwrap();
    assert_eq!(outcomes.len(), 1, "one outcome for one request");
    outcomes.pop().unwrap()
}

/// Launches, and gives the new session.
pub(super) async fn launched(store: &dyn Store, n: u128, who: u128, what: ApplicationId) -> Session {
    match write(store, launch(n, who, what, at(0))).await {
        WriteOutcome::Launched(session, _) => session,
        other => panic!("expected a new session, got {other:?}"),
    }
}

/// Applies a command that must change the session, and gives the session after it.
pub(super) async fn stepped(store: &dyn Store, n: u128, command: Command, when: Timestamp) -> Session {
    match write(store, step(n, command.clone(), when)).await {
        WriteOutcome::Stepped { session, changed: true } => session,
        other => panic!("expected {command:?} to change the session, got {other:?}"),
    }
}

/// A session brought to Expired at `when`, with its teardown confirmed.
pub(super) async fn closed(store: &dyn Store, n: u128, who: u128, when: Timestamp) -> Session {
    launched(store, n, who, TERMINAL).await;
    stepped(store, n, expire(), when).await;
    stepped(store, n, Command::TornDown, when).await
}

/// The sessions as they are on the disk.
pub(super) async fn all(store: &Arc<dyn Store>) -> Vec<Session> {
    let mut sessions = store.load().await.unwrap().sessions;
    sessions.sort_by_key(|session| session.id);
    sessions
}
