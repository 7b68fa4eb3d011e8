//! Steps of the state machine, on the disk.

use std::sync::Arc;

use futures::future::join_all;
use session::{Session, lifecycle, lifecycle::Command};
use store::{Store, WriteOutcome, WriteRequest, Writer};

use crate::fixture::*;

pub(super) async fn every_edge_is_kept_and_read_back(store: Arc<dyn Store>) {
    populate(&*store, 1..=9).await;
    let (ready, attach, detach) = (Command::Ready, Command::Attach { epoch: 0 }, Command::Detach);
    let (fail, torn) = (Command::Fail("lost “it” \u{1F980}\n".into()), Command::TornDown);
    let by_time = Command::expire(session::EndReason::ValidUntil);
    let lives: [&[&Command]; 7] = [
        &[&ready, &attach, &detach, &attach, &expire(), &torn],
        &[&ready, &attach, &fail, &expire(), &torn],
        &[&ready, &fail],
        &[&fail, &by_time, &torn],
        &[&by_time],
        &[&ready, &expire()],
        &[&ready, &attach, &by_time, &torn],
    ];
    for (n, life) in (1..).zip(lives) {
        let mut now = launched(&*store, n, n, TERMINAL).await;
        for (second, command) in (1..).zip(life) {
            let by = if second % 2 == 0 {
                actor(9)
            } else {
                session::Actor::Environment
            };
            let expected = lifecycle::step(&now, (*command).clone(), &by, at(second)).unwrap();
            let events = store.events(session(n)).await.unwrap().len();
            let request = WriteRequest::Step {
                session_id: session(n),
                command: (*command).clone(),
                by: by.clone(),
                at: at(second),
            };
            let done = store.write(&[request]).await.unwrap();
            now = Session {
                version: done.revision,
                ..expected.session
            };
            assert_eq!(
                done.outcomes,
                [WriteOutcome::Stepped {
                    session: now.clone(),
                    changed: true
                }]
            );
            assert!(
                all(&store).await.contains(&now),
                "{command:?} reads back as it was answered"
            );
            let story = store.events(session(n)).await.unwrap();
            assert_eq!(story.len(), events + 1);
            let last = story.last().unwrap();
            assert_eq!(
                (&last.actor, Some(&last.what), last.at),
                (&by, expected.event.as_ref(), at(second))
            );
        }
    }
}

pub(super) async fn refused_and_unknown_steps_write_nothing(store: Arc<dyn Store>) {
    populate(&*store, 1..=1).await;
    let pending = launched(&*store, 1, 1, TERMINAL).await;
    let before = store.revision().await.unwrap();
    let refused = write(&*store, step(1, Command::TornDown, at(1))).await;
    assert_eq!(
        refused,
        WriteOutcome::Refused(lifecycle::Refusal::Status { status: pending.status }, pending.clone())
    );
    assert_eq!(write(&*store, step(77, expire(), at(1))).await, WriteOutcome::NotFound);
    assert_eq!(store.revision().await.unwrap(), before);

    let active = stepped(&*store, 1, Command::Ready, at(1)).await;
    let seen = Some(lifecycle::Seen {
        status: pending.status,
        connected: false,
    });
    let stale = Command::Expire {
        reason: session::EndReason::Admin,
        note: None,
        seen,
        batch: None,
        block: false,
    };
    assert_eq!(
        write(&*store, step(1, stale, at(2))).await,
        WriteOutcome::Refused(lifecycle::Refusal::Changed, active.clone())
    );
    let old = write(&*store, step(1, Command::Attach { epoch: 7 }, at(2))).await;
    assert_eq!(old, WriteOutcome::Refused(lifecycle::Refusal::OldEpoch, active.clone()));
    assert_eq!(all(&store).await, [active]);
    assert_eq!(store.events(session(1)).await.unwrap().len(), 2);
}

pub(super) async fn a_command_repeated_changes_nothing(store: Arc<dyn Store>) {
    populate(&*store, 1..=1).await;
    launched(&*store, 1, 1, TERMINAL).await;
    for command in [
        Command::Ready,
        Command::Attach { epoch: 0 },
        Command::Detach,
        expire(),
        Command::TornDown,
    ] {
        let once = stepped(&*store, 1, command.clone(), at(1)).await;
        let again = store.write(&[step(1, command, at(2))]).await.unwrap();
        assert_eq!(again.revision, once.version);
        assert_eq!(
            again.outcomes,
            [WriteOutcome::Stepped {
                session: once,
                changed: false
            }]
        );
    }
    assert_eq!(store.events(session(1)).await.unwrap().len(), 6);
}

pub(super) async fn twenty_expires_at_once_are_one_transition(store: Arc<dyn Store>) {
    populate(&*store, 1..=1).await;
    launched(&*store, 1, 1, TERMINAL).await;
    stepped(&*store, 1, Command::Ready, at(1)).await;
    let writer = Writer::spawn(store.clone(), |_| {});
    let answers = join_all((0..20).map(|n| writer.submit(step(1, expire(), at(n))))).await;
    let mut changes = 0;
    let now = all(&store).await;
    for answer in answers {
        let Ok(WriteOutcome::Stepped { session, changed }) = answer else {
            panic!("{answer:?}")
        };
        changes += u32::from(changed);
        assert_eq!([session], *now);
    }
    assert_eq!(changes, 1);
    assert_eq!(now[0].access_epoch, 1);
    assert_eq!(store.events(session(1)).await.unwrap().len(), 3);
}

pub(super) async fn times_are_kept_to_the_microsecond(store: Arc<dyn Store>) {
    populate(&*store, 1..=1).await;
    let fine = at(0) + chrono::TimeDelta::nanoseconds(123_456_789);
    let WriteOutcome::Launched(session, _) = write(&*store, launch(1, 1, TERMINAL, fine)).await else {
        panic!("no launch")
    };
    assert_eq!(session.started_at, at(0) + chrono::TimeDelta::microseconds(123_456));
    assert_eq!(all(&store).await, [session]);
    let ended = stepped(
        &*store,
        1,
        expire(),
        fine + chrono::TimeDelta::nanoseconds(1_000_000_999),
    )
    .await;
    assert_eq!(all(&store).await, [ended]);
}
