//! Events, revisions and changes since a revision.

use std::{collections::BTreeMap, sync::Arc};

use session::{Actor, BatchId, EndReason, Event, EventKind, Session, SessionId, lifecycle::Command};
use store::{Changes, Store, WriteOutcome, WriteRequest};
use uuid::Uuid;

use super::{denials, newest};
use crate::fixture::*;

pub(super) async fn events_are_complete_and_in_order(store: Arc<dyn Store>) {
    populate(&*store, 1..=2).await;
    launched(&*store, 1, 1, TERMINAL).await;
    launched(&*store, 2, 2, TERMINAL).await;
    // All at the same time: the order is that of the writes, not of the clock.
    let steps = [
        (Command::Ready, Actor::Environment),
        (Command::Attach { epoch: 0 }, actor(1)),
        (Command::Detach, actor(1)),
        (Command::Fail("it’s gone".into()), Actor::Environment),
        (expire(), actor(2)),
        (Command::TornDown, Actor::Environment),
    ];
    let requests = steps.map(|(command, by)| WriteRequest::Step {
        session_id: session(1),
        command,
        by,
        at: at(60),
    });
    store.write(&requests).await.unwrap();
    write(&*store, WriteRequest::Purge { at: at(60 + 48 * 3600) }).await;
    let event = |seconds, actor, what| Event {
        at: at(seconds),
        session_id: Some(session(1)),
        actor,
        what,
    };
    let ended = EventKind::Expired {
        reason: EndReason::Admin,
        note: Some("licence needed".into()),
        batch: None,
        blocked_until: None,
    };
    assert_eq!(
        store.events(session(1)).await.unwrap(),
        [
            event(0, actor(1), EventKind::Launched),
            event(60, Actor::Environment, EventKind::Ready),
            event(60, actor(1), EventKind::Connected),
            event(60, actor(1), EventKind::Disconnected),
            event(
                60,
                Actor::Environment,
                EventKind::Failed {
                    error: "it’s gone".into()
                }
            ),
            event(60, actor(2), ended),
            event(60, Actor::Environment, EventKind::TornDown),
            event(60 + 48 * 3600, Actor::System, EventKind::Purged),
        ]
    );
    assert_eq!(store.events(session(2)).await.unwrap().len(), 1);
    assert_eq!(store.events(session(3)).await.unwrap(), []);
}

pub(super) async fn revisions_have_no_gap(store: Arc<dyn Store>) {
    assert_eq!(store.revision().await.unwrap(), 0);
    assert_eq!(store.load().await.unwrap(), Changes::default());
    populate(&*store, 1..=3).await;
    let furnished = store.revision().await.unwrap();
    assert_eq!(furnished, 6, "the catalogue and people are in the log");
    let batches: [(&[WriteRequest], u64); 7] = [
        (&[], 0),
        (&[launch(1, 1, TERMINAL, at(0))], 1),
        (&[launch(2, 1, TERMINAL, at(0))], 1),
        (&[launch(2, 2, TERMINAL, at(0)), launch(3, 3, TERMINAL, at(0))], 2),
        (&[step(1, Command::TornDown, at(1)), step(9, expire(), at(1))], 2),
        (&[launch(4, 99, TERMINAL, at(0))], 3),
        (&[step(1, expire(), at(1)), step(1, expire(), at(1))], 4),
    ];
    for (batch, raised) in batches {
        let revision = furnished + raised;
        let done = store.write(batch).await.unwrap();
        assert_eq!(
            (done.revision, done.outcomes.len()),
            (revision, batch.len()),
            "{batch:?}"
        );
        assert_eq!(store.revision().await.unwrap(), revision);
        assert_eq!(store.load().await.unwrap().revision, revision);
    }
}

pub(super) async fn replayed_changes_equal_a_load(store: Arc<dyn Store>) {
    populate(&*store, 1..=4).await;
    // One replica reads after each batch, one now and then.
    let mut close: BTreeMap<SessionId, Session> = BTreeMap::new();
    let mut far = close.clone();
    let (mut close_at, mut far_at) = (0, 0);
    // A generator with a fixed seed, so that a failure repeats.
    let mut state = 42_u64;
    let mut draw = |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    for round in 0..120_i64 {
        let size = draw(4);
        let batch: Vec<_> = (0..size)
            .map(|_| {
                let n = u128::from(draw(40));
                let now = at(round * 3600);
                match draw(8) {
                    0 | 1 => launch(n + 1000 * u128::from(round.unsigned_abs()), 1 + n % 4, TERMINAL, now),
                    2 => WriteRequest::Purge { at: now },
                    kind => {
                        let known: Vec<_> = close.keys().copied().collect();
                        let id = usize::try_from(n)
                            .ok()
                            .and_then(|n| known.get(n % known.len().max(1)).copied());
                        let command = match kind {
                            3 => Command::Ready,
                            4 => Command::Attach { epoch: 0 },
                            5 => Command::Detach,
                            6 => expire(),
                            _ => Command::TornDown,
                        };
                        WriteRequest::Step {
                            session_id: id.unwrap_or(session(n)),
                            command,
                            by: Actor::System,
                            at: now,
                        }
                    }
                }
            })
            .collect();
        let done = store.write(&batch).await.unwrap();
        close_at = replay(&mut close, store.changes(close_at).await.unwrap());
        assert_eq!(close_at, done.revision);
        if draw(10) == 0 {
            far_at = replay(&mut far, store.changes(far_at).await.unwrap());
            assert_eq!((&far, far_at), (&close, close_at));
        }
    }
    replay(&mut far, store.changes(far_at).await.unwrap());
    let loaded = all(&store).await;
    assert!(
        loaded.len() > 3 && store.events(loaded[0].id).await.unwrap().len() > 1,
        "the test did something"
    );
    assert_eq!(close.into_values().collect::<Vec<_>>(), loaded);
    assert_eq!(far.into_values().collect::<Vec<_>>(), loaded);
    let nothing = Changes {
        revision: close_at,
        ..Changes::default()
    };
    assert_eq!(store.changes(close_at).await.unwrap(), nothing);
    assert_eq!(
        store.changes(close_at + 5).await.unwrap(),
        nothing,
        "the future is empty"
    );
}

fn replay(replica: &mut BTreeMap<SessionId, Session>, changes: Changes) -> u64 {
    for id in &changes.purged {
        replica.remove(id);
    }
    for session in changes.sessions {
        assert!(session.version <= changes.revision);
        replica.insert(session.id, session);
    }
    changes.revision
}

pub(super) async fn denials_come_newest_first(store: Arc<dyn Store>) {
    populate(&*store, 1..=1).await;
    launched(&*store, 1, 1, TERMINAL).await;
    let requests: Vec<_> = (0..10).map(|n| launch(2, 99, TERMINAL, at(n))).collect();
    store.write(&requests).await.unwrap();
    let seconds: Vec<_> = denials(&*store).await.iter().map(|event| event.at).collect();
    assert_eq!(seconds[..3], [at(9), at(8), at(7)]);
    assert_eq!(seconds.len(), 10);
}

pub(super) async fn sessions_that_end_together_name_their_batch(store: Arc<dyn Store>) {
    populate(&*store, 1..=2).await;
    for n in [1, 2] {
        launched(&*store, n, n, TERMINAL).await;
    }
    let batch = BatchId(Uuid::from_u128(5));
    let noted = |size, when| WriteRequest::Batch {
        batch,
        size,
        note: Some("exam".into()),
        by: Actor::System,
        at: when,
    };
    let ended = |n| {
        let command = Command::Expire {
            reason: EndReason::Admin,
            note: Some("exam".into()),
            seen: None,
            batch: Some(batch),
            block: false,
        };
        step(n, command, at(3))
    };
    let before = store.revision().await.unwrap();
    let done = store
        .write(&[noted(2, at(3)), ended(1), noted(9, at(4))])
        .await
        .unwrap();
    assert_eq!(done.revision, before + 1);
    assert_eq!(write(&*store, noted(9, at(5))).await, WriteOutcome::Noted);
    write(&*store, ended(2)).await;
    let kept = Event {
        at: at(3),
        session_id: None,
        actor: Actor::System,
        what: EventKind::BatchExpired {
            batch,
            size: 2,
            note: Some("exam".into()),
        },
    };
    let batches = newest(&*store, |what| matches!(what, EventKind::BatchExpired { .. })).await;
    assert_eq!(batches, [kept], "the first note stays");
    for n in [1, 2] {
        let last = store.events(session(n)).await.unwrap().pop().unwrap();
        assert!(matches!(last.what, EventKind::Expired { batch: Some(of), .. } if of == batch));
    }
    assert!(denials(&*store).await.is_empty(), "a batch is no refusal");
}

pub(super) async fn a_batch_that_fails_leaves_nothing_behind(store: Arc<dyn Store>) {
    populate(&*store, 1..=3).await;
    let before = launched(&*store, 1, 1, TERMINAL).await;
    let revision = store.revision().await.unwrap();
    // The id of a new session is in use: every request of this batch must fail.
    let batch = [
        step(1, expire(), at(1)),
        launch(1, 2, TERMINAL, at(1)),
        launch(3, 3, TERMINAL, at(1)),
    ];
    assert!(store.write(&batch).await.is_err());
    assert_eq!(all(&store).await, [before]);
    assert_eq!(store.revision().await.unwrap(), revision);
    assert_eq!(store.events(session(1)).await.unwrap().len(), 1);
    // The next batch succeeds.
    let done = store.write(&[launch(3, 3, TERMINAL, at(2))]).await.unwrap();
    assert_eq!(done.revision, revision + 1);
    assert!(matches!(done.outcomes[0], WriteOutcome::Launched(..)));
}
