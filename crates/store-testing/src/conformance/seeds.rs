//! Synthetic sessions, in every shape that a session can have.

use std::{num::NonZeroU32, sync::Arc};

use session::{
    ApplicationId, End, EndReason, EnvironmentId, HomeKind, ONLY_NODE, Policy, Session, Status, Teardown, Timestamp,
    Transfer, UserId,
};
use store::{Store, StoreError};
use uuid::Uuid;

use crate::fixture::*;

/// A session; if it has ended, at `when`.
pub(super) fn synthetic(n: u128, status: Status, teardown: Teardown, when: Timestamp) -> Session {
    let end = End {
        at: when,
        by: "system".into(),
        reason: EndReason::ValidUntil,
        note: None,
    };
    Session {
        id: session(n),
        environment_id: HOST,
        environment: "This host".into(),
        application_id: TERMINAL,
        application: "Terminal".into(),
        user_id: person(n),
        username: format!("person{n}").into(),
        status,
        access_epoch: 0,
        started_at: when - chrono::TimeDelta::hours(8),
        ready_at: None,
        valid_until: when,
        connected_since: None,
        disconnected_at: None,
        end: (status == Status::Expired).then_some(end),
        error: None,
        teardown,
        blocked_until: None,
        policy: Policy::default(),
        home: None,
        node: ONLY_NODE.into(),
        version: 0,
    }
}

/// Each optional field with and without a value, each code of each enumeration, the largest and
/// oddest values.
fn shapes() -> Vec<Session> {
    let mut shapes = Vec::new();
    let odd = "a\t\"b\" 'c' \\ \u{0}é ß \u{1F980}\n;--%_";
    let policies = [
        Policy::default(),
        Policy {
            start_seconds: None,
            never_connected_seconds: None,
            idle_seconds: None,
            disconnected_seconds: None,
            total_seconds: None,
            allow_user_namespaces: true,
            clipboard: Transfer::Out,
            files: Transfer::In,
            sound: false,
        },
        Policy {
            total_seconds: NonZeroU32::new(u32::MAX),
            ..Policy::default()
        },
    ];
    let reasons = EndReason::ALL;
    for status in Status::ALL {
        for bits in 0..32_u32 {
            let n = shapes.len() as u128;
            let has = |bit: u32| bits & (1 << bit) != 0;
            let plain = synthetic(n, status, Teardown::NotNeeded, at(i64::from(bits)));
            let fine = at(0) + chrono::TimeDelta::microseconds(i64::from(bits) + 999_999);
            let pick = bits as usize;
            let ended = status == Status::Expired;
            shapes.push(Session {
                environment_id: EnvironmentId(Uuid::from_u128(u128::MAX - n)),
                environment: if has(0) { odd.into() } else { "".into() },
                application_id: ApplicationId(if has(1) { Uuid::max() } else { Uuid::nil() }),
                application: if has(1) { "".into() } else { odd.into() },
                user_id: UserId(Uuid::from_u128(n)),
                username: format!("{odd}{n}").into(),
                access_epoch: if has(2) { u32::MAX } else { bits },
                ready_at: has(0).then_some(fine),
                disconnected_at: has(1).then_some(fine),
                connected_since: (has(2) && status == Status::Active).then_some(fine),
                error: has(3).then(|| odd.into()),
                end: ended.then(|| End {
                    at: fine,
                    by: odd.into(),
                    reason: reasons[pick % reasons.len()],
                    note: has(4).then(|| "n".repeat(500).into()),
                }),
                teardown: [Teardown::NotNeeded, Teardown::Wanted, Teardown::Confirmed][pick % 3],
                policy: policies[pick % policies.len()],
                home: [None, Some(HomeKind::Kept), Some(HomeKind::Scratch)][pick % 3],
                started_at: if has(4) {
                    Timestamp::UNIX_EPOCH - chrono::TimeDelta::microseconds(1)
                } else {
                    at(0)
                },
                ..plain
            });
        }
    }
    shapes
}

pub(super) async fn every_field_survives(store: Arc<dyn Store>) {
    let shapes = shapes();
    store.seed(&shapes).await.unwrap();
    let loaded = store.load().await.unwrap();
    assert_eq!((loaded.revision, loaded.purged.len()), (1, 0));
    let expected: Vec<_> = shapes
        .into_iter()
        .map(|session| Session { version: 1, ..session })
        .collect();
    assert_eq!(all(&store).await, expected);
    let mut changed = store.changes(0).await.unwrap().sessions;
    changed.sort_by_key(|session| session.id);
    assert_eq!(changed, expected);
}

pub(super) async fn seeding_is_refused_if_there_are_sessions(store: Arc<dyn Store>) {
    populate(&*store, 1..=1).await;
    let furnished = store.revision().await.unwrap();
    store.seed(&[]).await.unwrap();
    assert_eq!(store.revision().await.unwrap(), furnished);
    launched(&*store, 1, 1, TERMINAL).await;
    let more = [synthetic(2, Status::Active, Teardown::NotNeeded, at(0))];
    let refused = store.seed(&more).await;
    assert!(matches!(refused, Err(StoreError::NotEmpty)), "{refused:?}");
    assert_eq!(all(&store).await.len(), 1);
    assert_eq!(store.revision().await.unwrap(), furnished + 1);
}

pub(super) async fn a_large_seed_arrives_whole(store: Arc<dyn Store>) {
    let many: Vec<_> = (0..10_001)
        .map(|n| synthetic(n, Status::Expired, Teardown::Wanted, at(0)))
        .collect();
    store.seed(&many).await.unwrap();
    let revision = store.revision().await.unwrap();
    assert!(revision > 0);
    let loaded = all(&store).await;
    assert_eq!(loaded.len(), 10_001);
    assert!(loaded.iter().all(|session| (1..=revision).contains(&session.version)));
    // The log accepts further writes.
    populate(&*store, 1..=1).await;
    let furnished = store.revision().await.unwrap();
    assert!(furnished > revision);
    assert_eq!(launched(&*store, 20_000, 1, TERMINAL).await.version, furnished + 1);
}
