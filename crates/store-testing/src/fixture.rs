//! A fixture: an environment, two applications and some people, and functions that build requests
//! about them.

#![expect(clippy::unwrap_used, reason = "for tests: a panic is how it reports")]

use std::sync::Arc;

use session::{
    Actor, ApplicationId, EndReason, EnvironmentId, Homes, Policy, Role, Session, SessionId, Timestamp, UserId,
    catalogue::LaunchState, lifecycle::Command,
};
use store::{Application, Committed, EnvironmentRow, Login, NewLogin, Store, User, WriteOutcome, WriteRequest};
use uuid::Uuid;

/// An application without a limit of seats.
pub const TERMINAL: ApplicationId = ApplicationId(Uuid::from_u128(101));
/// An application with three seats.
pub const LICENSED: ApplicationId = ApplicationId(Uuid::from_u128(102));
/// The environment of both.
pub const HOST: EnvironmentId = EnvironmentId(Uuid::from_u128(201));

/// A time, in seconds after a fixed start.
pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
}

/// The id of a session.
pub const fn session(n: u128) -> SessionId {
    SessionId(Uuid::from_u128(0x0199_0000_0000_7000_8000_0000_0000_0000 + n))
}

/// The id of a person.
pub const fn person(n: u128) -> UserId {
    UserId(Uuid::from_u128(1000 + n))
}

/// A person: `person1`, `person2`, …
pub fn user(n: u128) -> User {
    User {
        id: person(n),
        // Correct if they are added in this order.
        number: u32::try_from(n).unwrap(),
        username: format!("person{n}").into(),
        password_hash: format!("$argon2id${n}"),
        role: Role::User,
        created_at: at(0),
        blocked: false,
        must_change_password: false,
    }
}

/// The sign-in of a [`user`], from `192.0.2.1`.
pub fn new_login(login: Login) -> NewLogin {
    let n = login.user_id.number() - 1000;
    NewLogin {
        login,
        verified_hash: user(n).password_hash,
        network: "192.0.2.1".into(),
        by: actor(n),
    }
}

/// A person as the author of an event.
pub fn actor(n: u128) -> Actor {
    Actor::Person {
        user_id: person(n),
        username: format!("person{n}").into(),
        origin: None,
    }
}

/// Opens or closes to launches.
pub const fn launches(open: bool) -> LaunchState {
    if open { LaunchState::Open } else { LaunchState::Closed }
}

/// The row of [`HOST`].
pub fn environment() -> EnvironmentRow {
    EnvironmentRow {
        id: HOST,
        name: "This host".into(),
        kind: "local".into(),
        open: true,
        homes: Some(Homes::default()),
    }
}

/// An application on [`HOST`].
pub fn application(id: ApplicationId, name: &str, seats: Option<u32>) -> Application {
    Application {
        id,
        name: name.into(),
        launch_text: "Launch".into(),
        environment_id: HOST,
        command: vec!["xterm".into(), "-T".into(), name.into()],
        policy: Policy::default(),
        seats,
        appearance: Default::default(),
        open: true,
    }
}

/// Adds the environment, both applications, and these people.
pub async fn populate(store: &dyn Store, people: impl IntoIterator<Item = u128>) {
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
    for n in people {
        store.add_user(&user(n), &Actor::System, at(0)).await.unwrap();
    }
}

/// A launch.
pub fn launch(n: u128, who: u128, what: ApplicationId, when: Timestamp) -> WriteRequest {
    launch_as(session(n), who, what, when)
}

/// A launch with any id.
pub fn launch_as(session_id: SessionId, who: u128, what: ApplicationId, when: Timestamp) -> WriteRequest {
    WriteRequest::Launch {
        session_id,
        application_id: what,
        user_id: person(who),
        node: "a".into(),
        origin: None,
        most: None,
        recorded: Vec::new(),
        at: when,
    }
}

/// A step of a session, by the system.
pub const fn step(n: u128, command: Command, when: Timestamp) -> WriteRequest {
    step_of(session(n), command, when)
}

/// A step of a session with any id, by the system.
pub const fn step_of(session_id: SessionId, command: Command, when: Timestamp) -> WriteRequest {
    WriteRequest::Step {
        session_id,
        command,
        by: Actor::System,
        at: when,
    }
}

/// An expire by an administrator, with a note.
pub fn expire() -> Command {
    Command::Expire {
        reason: EndReason::Admin,
        note: Some("licence needed".into()),
        seen: None,
        batch: None,
        block: false,
    }
}

/// Writes one request and returns its outcome.
pub async fn write(store: &dyn Store, request: WriteRequest) -> WriteOutcome {
    let Committed { mut outcomes, .. } = store.write(&[request]).await.unwrap();
    assert_eq!(outcomes.len(), 1, "one outcome for one request");
    outcomes.pop().unwrap()
}

/// Launches at 0 and returns the new session.
pub async fn launched(store: &dyn Store, n: u128, who: u128, what: ApplicationId) -> Session {
    match write(store, launch(n, who, what, at(0))).await {
        WriteOutcome::Launched(session, _) => session,
        other => panic!("expected a new session, got {other:?}"),
    }
}

/// Applies a command that must change the session, and returns the session after it.
pub async fn stepped(store: &dyn Store, n: u128, command: Command, when: Timestamp) -> Session {
    match write(store, step(n, command.clone(), when)).await {
        WriteOutcome::Stepped { session, changed: true } => session,
        other => panic!("expected {command:?} to change the session, got {other:?}"),
    }
}

/// A session that expires at `when`, with its teardown confirmed.
pub async fn closed(store: &dyn Store, n: u128, who: u128, when: Timestamp) -> Session {
    launched(store, n, who, TERMINAL).await;
    stepped(store, n, expire(), when).await;
    stepped(store, n, Command::TornDown, when).await
}

/// All sessions as they are on the disk, by id.
pub async fn all(store: &Arc<dyn Store>) -> Vec<Session> {
    let mut sessions = store.load().await.unwrap().sessions;
    sessions.sort_by_key(|session| session.id);
    sessions
}
