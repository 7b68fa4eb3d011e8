//! Purges: never early, and only after the teardown.

use std::{collections::BTreeSet, sync::Arc};

use session::{SessionId, Status, Teardown, lifecycle, lifecycle::Command};
use store::{Store, WriteOutcome, WriteRequest};

use super::seeds::synthetic;
use crate::fixture::*;

const KEPT: i64 = 48 * 3600;

pub(super) async fn purging_is_never_early(store: Arc<dyn Store>) {
    populate(&*store, 1..=2).await;
    let ended = closed(&*store, 1, 1, at(100)).await;
    launched(&*store, 2, 2, TERMINAL).await;
    let before = store.revision().await.unwrap();
    for early in [
        at(100),
        at(100 + KEPT - 1),
        at(100 + KEPT) - chrono::TimeDelta::microseconds(1),
    ] {
        let done = store.write(&[WriteRequest::Purge { at: early }]).await.unwrap();
        assert_eq!(
            (done.revision, done.outcomes),
            (before, vec![WriteOutcome::Purged(vec![])]),
            "{early}"
        );
    }
    let done = store
        .write(&[WriteRequest::Purge { at: at(100 + KEPT) }])
        .await
        .unwrap();
    assert_eq!(
        (done.revision, done.outcomes),
        (before + 1, vec![WriteOutcome::Purged(vec![ended.id])])
    );
    assert_eq!(
        all(&store).await.iter().map(|session| session.id).collect::<Vec<_>>(),
        [session(2)]
    );
    let changes = store.changes(before).await.unwrap();
    assert_eq!(
        (changes.purged, changes.sessions, changes.revision),
        (vec![ended.id], vec![], before + 1)
    );
    assert_eq!(
        store.events(ended.id).await.unwrap().len(),
        4,
        "what happened stays known"
    );
    assert_eq!(
        write(&*store, step(1, expire(), at(200_000))).await,
        WriteOutcome::NotFound
    );
}

pub(super) async fn purging_waits_for_the_teardown(store: Arc<dyn Store>) {
    populate(&*store, 1..=3).await;
    launched(&*store, 1, 1, TERMINAL).await;
    stepped(&*store, 1, expire(), at(0)).await;
    launched(&*store, 2, 2, TERMINAL).await;
    stepped(&*store, 2, Command::Fail("lost".into()), at(0)).await;
    launched(&*store, 3, 3, TERMINAL).await;
    assert_eq!(
        write(&*store, WriteRequest::Purge { at: at(1000 * KEPT) }).await,
        WriteOutcome::Purged(vec![])
    );
    let torn = step(1, Command::TornDown, at(999 * KEPT));
    let done = store
        .write(&[torn, WriteRequest::Purge { at: at(999 * KEPT) }])
        .await
        .unwrap();
    assert_eq!(
        done.outcomes[1],
        WriteOutcome::Purged(vec![session(1)]),
        "48 h count from the end, not from the teardown"
    );
    assert_eq!(store.changes(0).await.unwrap().purged, [session(1)]);
    assert_eq!(all(&store).await.len(), 2);
}

pub(super) async fn a_thousand_are_purged_at_a_time(store: Arc<dyn Store>) {
    let old: Vec<_> = (0..1005)
        .map(|n| synthetic(n, Status::Expired, Teardown::Confirmed, at(0)))
        .collect();
    store.seed(&old).await.unwrap();
    let mut gone = BTreeSet::new();
    for expected in [1000, 5, 0] {
        let WriteOutcome::Purged(ids) = write(&*store, WriteRequest::Purge { at: at(KEPT) }).await else {
            panic!("no purge")
        };
        assert_eq!(ids.len(), expected);
        for id in ids {
            assert!(gone.insert(id), "{id} was removed twice");
            assert_eq!(
                store.events(id).await.unwrap().last().unwrap().what,
                session::EventKind::Purged
            );
        }
    }
    assert_eq!(all(&store).await, []);
    assert_eq!(
        store
            .changes(0)
            .await
            .unwrap()
            .purged
            .into_iter()
            .collect::<BTreeSet<_>>(),
        gone
    );
}

pub(super) async fn purging_agrees_with_the_life_cycle(store: Arc<dyn Store>) {
    let mut sessions = Vec::new();
    for (n, seconds) in (0..).zip([-KEPT - 1, -KEPT, -KEPT + 1, -1, 0, 1]) {
        for (m, teardown) in (0..).zip([Teardown::Wanted, Teardown::Confirmed]) {
            sessions.push(synthetic(10 * n + m, Status::Expired, teardown, at(seconds)));
        }
    }
    sessions.push(synthetic(100, Status::Active, Teardown::NotNeeded, at(-9 * KEPT)));
    store.seed(&sessions).await.unwrap();
    for seconds in [-1, 0, 1, KEPT - 1, KEPT, KEPT + 1] {
        let now = at(seconds);
        let due: BTreeSet<SessionId> = all(&store)
            .await
            .iter()
            .filter(|session| lifecycle::purgeable(session, now))
            .map(|s| s.id)
            .collect();
        let WriteOutcome::Purged(ids) = write(&*store, WriteRequest::Purge { at: now }).await else {
            panic!("no purge")
        };
        assert_eq!(ids.into_iter().collect::<BTreeSet<_>>(), due, "at {now}");
    }
    assert_eq!(all(&store).await.len(), 7);
}
