use session::{EndReason, EnvironmentId, Policy, Role, lifecycle::Command};
use uuid::Uuid;

use super::*;
use crate::{Application, EnvironmentRow};

const APPLICATION: ApplicationId = ApplicationId(Uuid::from_u128(1));
const REVISION: u64 = 7;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
}

const fn user(n: u128) -> UserId {
    UserId(Uuid::from_u128(n))
}

/// A batch that knows two users and one application.
fn batch(seats: Option<u32>) -> Batch {
    let environment = EnvironmentRow {
        id: EnvironmentId(Uuid::from_u128(1)),
        name: "This host".into(),
        kind: "local".into(),
        open: true,
        homes: None,
    };
    let application = Application {
        id: APPLICATION,
        name: "Terminal".into(),
        launch_text: "Launch".into(),
        environment_id: environment.id,
        command: vec!["xterm".into()],
        policy: Policy::default(),
        appearance: Default::default(),
        seats,
        open: true,
    };
    let users = [1, 2].map(|n| User {
        id: user(n),
        number: 7,
        username: format!("person{n}").into(),
        password_hash: String::new(),
        role: Role::User,
        created_at: at(0),
        blocked: false,
        must_change_password: false,
    });
    let mut batch = Batch::new(REVISION);
    batch.load(LoadedRows {
        users: users.into(),
        launchable: vec![Launchable {
            application,
            environment,
        }],
        ..LoadedRows::default()
    });
    batch
}

fn launch(id: u128, who: u128) -> WriteRequest {
    WriteRequest::Launch {
        session_id: SessionId(Uuid::from_u128(id)),
        application_id: APPLICATION,
        user_id: user(who),
        node: "a".into(),
        origin: None,
        most: None,
        recorded: Vec::new(),
        at: at(0),
    }
}

fn step(id: u128, command: Command) -> WriteRequest {
    WriteRequest::Step {
        session_id: SessionId(Uuid::from_u128(id)),
        command,
        by: Actor::System,
        at: at(1),
    }
}

#[test]
fn requests_see_the_result_of_those_before_them() {
    let mut batch = batch(Some(1));
    let WriteOutcome::Launched(session, start) = batch.decide(&launch(1, 1)) else {
        panic!("the seat is free")
    };
    assert_eq!(
        (session.version, start.command, start.user_number),
        (REVISION, vec!["xterm".to_owned()], 7)
    );
    assert_eq!(batch.decide(&launch(2, 1)), WriteOutcome::Resumed(session));
    assert_eq!(batch.decide(&launch(3, 2)), WriteOutcome::Denied(LaunchRefusal::NoSeat));
    let ended = batch.decide(&step(1, Command::expire(EndReason::User)));
    assert!(
        matches!(ended, WriteOutcome::Stepped { changed: true, .. }),
        "{ended:?}"
    );
    assert!(matches!(batch.decide(&launch(4, 2)), WriteOutcome::Launched(..)));
    assert_eq!(batch.events.len(), 4, "launched, refused, expired, launched");
}

#[test]
fn a_row_is_written_once_in_its_last_state() {
    let mut batch = batch(None);
    batch.decide(&launch(1, 1));
    batch.decide(&step(1, Command::Ready));
    let rows = batch.rows();
    let states: Vec<_> = rows.added.iter().map(|session| session.status).collect();
    assert_eq!((states, rows.changed), (vec![Status::Active], Vec::new()));
    // A later change of the same row is an update.
    batch.decide(&step(1, Command::expire(EndReason::User)));
    let rows = batch.rows();
    assert_eq!((rows.added.len(), rows.changed.len()), (0, 1));
    let rows = batch.rows();
    assert_eq!((rows.added.len(), rows.changed.len()), (0, 0));
}

#[test]
fn a_recorded_refusal_is_answered_and_not_written_again() {
    let mut batch = batch(Some(0));
    let mut request = launch(1, 1);
    let denied = WriteOutcome::Denied(LaunchRefusal::NoSeat);
    assert_eq!(batch.decide(&request), denied);
    let WriteRequest::Launch { recorded, .. } = &mut request else {
        unreachable!("it is a launch")
    };
    recorded.push(LaunchRefusal::NoSeat);
    assert_eq!(batch.decide(&request), denied);
    assert_eq!(batch.events.len(), 1);
}

#[test]
fn a_purge_is_one_event_per_session_in_the_order_of_their_ids() {
    let mut batch = batch(None);
    let [first, second] = [1, 2].map(|n| SessionId(Uuid::from_u128(n)));
    assert_eq!(
        batch.purged(vec![second, first], at(5)),
        WriteOutcome::Purged(vec![first, second])
    );
    let of = |event: &Event| (event.session_id, event.what.clone());
    assert_eq!(
        batch.events.iter().map(of).collect::<Vec<_>>(),
        [(Some(first), EventKind::Purged), (Some(second), EventKind::Purged)]
    );
    assert_eq!(batch.decide(&step(9, Command::Ready)), WriteOutcome::NotFound);
}
