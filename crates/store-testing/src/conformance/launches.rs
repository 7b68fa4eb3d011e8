//! Launches that start or resume a session.

use std::{num::NonZeroU32, sync::Arc};

use session::{Actor, Event, EventKind, HomeKind, Policy, Session, Status, Teardown, Transfer, lifecycle::Command};
use store::{Application, Start, Store, WriteOutcome, WriteRequest};

use crate::fixture::*;

pub(super) async fn a_launch_gives_a_pending_session(store: Arc<dyn Store>) {
    populate(&*store, 1..=1).await;
    let before = store.revision().await.unwrap();
    let done = store.write(&[launch(1, 1, TERMINAL, at(5))]).await.unwrap();
    let expected = Session {
        id: session(1),
        environment_id: HOST,
        environment: "This host".into(),
        application_id: TERMINAL,
        application: "Terminal".into(),
        user_id: person(1),
        username: "person1".into(),
        status: Status::Pending,
        access_epoch: 0,
        started_at: at(5),
        ready_at: None,
        valid_until: Policy::default().valid_until(at(5)),
        connected_since: None,
        disconnected_at: None,
        end: None,
        error: None,
        teardown: Teardown::NotNeeded,
        blocked_until: None,
        policy: Policy::default(),
        home: Some(HomeKind::Kept),
        node: "a".into(),
        version: before + 1,
    };
    let start = Start {
        command: vec!["xterm".into(), "-T".into(), "Terminal".into()],
        user_number: 1,
    };
    assert_eq!(done.outcomes, [WriteOutcome::Launched(expected.clone(), start)]);
    assert_eq!(done.revision, before + 1);
    assert_eq!(all(&store).await, [expected]);
    let event = Event {
        at: at(5),
        session_id: Some(session(1)),
        actor: actor(1),
        what: EventKind::Launched,
    };
    assert_eq!(store.events(session(1)).await.unwrap(), [event]);
}

pub(super) async fn a_second_launch_resumes_and_writes_nothing(store: Arc<dyn Store>) {
    populate(&*store, 1..=2).await;
    let first = launched(&*store, 1, 1, TERMINAL).await;
    let revision = store.revision().await.unwrap();
    let again = store.write(&[launch(2, 1, TERMINAL, at(9))]).await.unwrap();
    assert_eq!(again.outcomes, [WriteOutcome::Resumed(first)]);
    assert_eq!((again.revision, store.revision().await.unwrap()), (revision, revision));
    let active = stepped(&*store, 1, Command::Ready, at(9)).await;
    assert_eq!(
        write(&*store, launch(3, 1, TERMINAL, at(9))).await,
        WriteOutcome::Resumed(active)
    );

    // Another application or another person is another session.
    launched(&*store, 4, 1, LICENSED).await;
    launched(&*store, 5, 2, TERMINAL).await;
    assert_eq!(all(&store).await.len(), 3);
    assert_eq!(store.events(session(2)).await.unwrap(), []);
}

pub(super) async fn an_ended_session_is_not_resumed(store: Arc<dyn Store>) {
    populate(&*store, 1..=1).await;
    launched(&*store, 1, 1, TERMINAL).await;
    stepped(&*store, 1, Command::Fail("no display".into()), at(1)).await;
    launched(&*store, 2, 1, TERMINAL).await;
    stepped(&*store, 2, expire(), at(2)).await;
    launched(&*store, 3, 1, TERMINAL).await;
    assert_eq!(all(&store).await.len(), 3);
}

pub(super) async fn requests_of_a_batch_see_each_other(store: Arc<dyn Store>) {
    populate(&*store, 1..=2).await;
    let before = store.revision().await.unwrap();
    let batch: Vec<WriteRequest> = vec![
        step(1, Command::Ready, at(0)),
        launch(1, 1, TERMINAL, at(0)),
        launch(2, 1, TERMINAL, at(0)),
        step(1, Command::Ready, at(1)),
        step(1, Command::Attach { epoch: 0 }, at(2)),
        step(1, expire(), at(3)),
        step(1, expire(), at(4)),
        step(1, Command::Attach { epoch: 0 }, at(5)),
        launch(3, 1, TERMINAL, at(6)),
        launch(4, 2, session::ApplicationId(uuid::Uuid::nil()), at(6)),
    ];
    let done = store.write(&batch).await.unwrap();
    assert_eq!(done.revision, before + 1, "a batch is one revision");
    let words: Vec<_> = done
        .outcomes
        .iter()
        .map(|answer| match answer {
            WriteOutcome::Launched(session, _) => ("launched", session.status),
            WriteOutcome::Resumed(session) => ("resumed", session.status),
            WriteOutcome::Denied(_) => ("denied", Status::Error),
            WriteOutcome::Stepped { session, changed: true } => ("changed", session.status),
            WriteOutcome::Stepped {
                session,
                changed: false,
            } => ("same", session.status),
            WriteOutcome::Refused(_, session) => ("refused", session.status),
            WriteOutcome::NotFound => ("unknown", Status::Error),
            WriteOutcome::Noted => ("noted", Status::Error),
            WriteOutcome::Purged(_) => ("purged", Status::Error),
        })
        .collect();
    assert_eq!(
        words,
        [
            ("unknown", Status::Error),
            ("launched", Status::Pending),
            ("resumed", Status::Pending),
            ("changed", Status::Active),
            ("changed", Status::Active),
            ("changed", Status::Expired),
            ("same", Status::Expired),
            ("refused", Status::Expired),
            ("launched", Status::Pending),
            ("denied", Status::Error),
        ]
    );
    let now = all(&store).await;
    assert!(now.iter().all(|session| session.version == done.revision), "{now:?}");
    let WriteOutcome::Stepped { session: ended, .. } = &done.outcomes[5] else {
        panic!("{:?}", done.outcomes[5])
    };
    let WriteOutcome::Launched(fresh, _) = &done.outcomes[8] else {
        panic!("{:?}", done.outcomes[8])
    };
    assert_eq!(now, [ended.clone(), fresh.clone()]);
    assert_eq!(store.events(session(1)).await.unwrap().len(), 4);
}

pub(super) async fn a_policy_is_kept_as_it_was_at_launch(store: Arc<dyn Store>) {
    populate(&*store, 1..=1).await;
    let off = Policy {
        start_seconds: None,
        never_connected_seconds: None,
        idle_seconds: None,
        disconnected_seconds: None,
        total_seconds: None,
        allow_user_namespaces: true,
        clipboard: Transfer::Out,
        files: Transfer::Off,
        sound: false,
    };
    let policies = [
        off,
        Policy {
            total_seconds: NonZeroU32::new(1),
            ..off
        },
        Policy {
            start_seconds: NonZeroU32::new(u32::MAX),
            ..off
        },
        Policy {
            disconnected_seconds: NonZeroU32::new(60),
            ..Policy::default()
        },
    ];
    for (n, policy) in (1..).zip(policies) {
        let id = session::ApplicationId(uuid::Uuid::from_u128(n));
        store
            .add_application(
                &Application {
                    policy,
                    ..application(id, &format!("app{n}"), None)
                },
                &Actor::System,
                at(0),
            )
            .await
            .unwrap();
        let session = launched(&*store, n, 1, id).await;
        assert_eq!(
            (session.policy, session.valid_until),
            (policy, policy.valid_until(at(0)))
        );
        assert!(all(&store).await.contains(&session));
    }
}
