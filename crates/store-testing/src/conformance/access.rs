//! Changes that end access: blocked and removed people, closed environments, withdrawn
//! applications, blocked relaunches. The sessions end in the transaction of the change.

use std::sync::Arc;

use session::{
    Actor, EndReason, EventKind, Role, SessionId, Status, Timestamp,
    catalogue::LaunchState,
    event::UserChange,
    lifecycle::{BLOCK_SECONDS, Command},
};
use store::{
    Changes, Checkpoint, Head, LaunchRefusal, Login, Store, StoreError, WriteOutcome,
    chain::{START, hex},
};

use super::{denials, newest};
use crate::fixture::*;

pub(super) async fn blocking_a_user_ends_logins_and_sessions(store: Arc<dyn Store>) {
    populate(&*store, 1..=3).await;
    let (mine, others) = three_sessions(&*store).await;
    let login = Login {
        token_hash: [7; 32],
        user_id: person(1),
        created_at: at(0),
        seen_at: at(0),
    };
    store.add_login(&new_login(login)).await.unwrap();
    let before = store.revision().await.unwrap();
    store.block_user(person(1), true, &actor(3), at(9)).await.unwrap();

    expect_ended(&*store, before, &mine, EndReason::UserBlocked, at(9)).await;
    expect_going_on(&*store, &others).await;
    assert_eq!(store.login(&[7; 32]).await.unwrap(), None);
    let refused = write(&*store, launch(9, 1, TERMINAL, at(10))).await;
    assert_eq!(refused, WriteOutcome::Denied(LaunchRefusal::UserBlocked));

    // Blocking again changes nothing. Then unblocking.
    let revision = store.revision().await.unwrap();
    store.block_user(person(1), true, &actor(3), at(11)).await.unwrap();
    assert_eq!(store.revision().await.unwrap(), revision);
    store.block_user(person(1), false, &actor(3), at(12)).await.unwrap();
    assert!(!store.user_named("person1").await.unwrap().unwrap().blocked);
    launched(&*store, 9, 1, TERMINAL).await;
}

pub(super) async fn removing_a_user_ends_their_sessions_and_keeps_their_history(store: Arc<dyn Store>) {
    populate(&*store, 1..=3).await;
    let (mine, others) = three_sessions(&*store).await;
    store.set_preference(person(1), "columns", Some("{}")).await.unwrap();
    let before = store.revision().await.unwrap();
    store.remove_user(person(1), &actor(3), at(9)).await.unwrap();

    expect_ended(&*store, before, &mine, EndReason::UserRemoved, at(9)).await;
    expect_going_on(&*store, &others).await;
    assert_eq!(store.user_named("person1").await.unwrap(), None);
    assert_eq!(store.events(mine[0]).await.unwrap()[0].what, EventKind::Launched);
    let refused = write(&*store, launch(9, 1, TERMINAL, at(10))).await;
    assert_eq!(refused, WriteOutcome::Denied(LaunchRefusal::UnknownUser));
    let again = store.remove_user(person(1), &actor(3), at(11)).await;
    assert!(matches!(again, Err(StoreError::NotFound("user"))), "{again:?}");
}

pub(super) async fn somebody_who_can_administer_stays(store: Arc<dyn Store>) {
    populate(&*store, 1..=2).await;
    for n in [1, 2] {
        store
            .set_role(person(n), Role::SystemAdmin, &Actor::System, at(0))
            .await
            .unwrap();
    }
    store.block_user(person(1), true, &Actor::System, at(0)).await.unwrap();
    for refused in [
        store.block_user(person(2), true, &Actor::System, at(0)).await,
        store.remove_user(person(2), &Actor::System, at(0)).await,
        store.set_role(person(2), Role::User, &Actor::System, at(0)).await,
    ] {
        assert!(matches!(refused, Err(StoreError::LastSystemAdmin)), "{refused:?}");
    }
    // A blocked administrator can be demoted and removed.
    store
        .set_role(person(1), Role::User, &Actor::System, at(0))
        .await
        .unwrap();
    store.remove_user(person(1), &Actor::System, at(0)).await.unwrap();
}

pub(super) async fn closing_ends_sessions_only_on_request(store: Arc<dyn Store>) {
    populate(&*store, 1..=3).await;
    let (mine, others) = three_sessions(&*store).await;
    store
        .set_application_launches(LICENSED, LaunchState::Closed, &actor(3), at(8))
        .await
        .unwrap();
    expect_going_on(&*store, &mine).await;

    // The sessions of a closed application can still be ended.
    let before = store.revision().await.unwrap();
    let end = LaunchState::ClosedAndEnded;
    assert!(
        store
            .set_application_launches(LICENSED, end, &actor(3), at(9))
            .await
            .unwrap()
    );
    expect_ended(&*store, before, &mine[1..], EndReason::ApplicationWithdrawn, at(9)).await;
    expect_going_on(&*store, &[mine[0], others[0]]).await;

    let before = store.revision().await.unwrap();
    assert!(
        store
            .set_environment_launches(HOST, end, &actor(3), at(10))
            .await
            .unwrap()
    );
    expect_ended(
        &*store,
        before,
        &[mine[0], others[0]],
        EndReason::EnvironmentClosed,
        at(10),
    )
    .await;
    let revision = store.revision().await.unwrap();
    assert!(
        store
            .set_environment_launches(HOST, end, &actor(3), at(11))
            .await
            .unwrap()
    );
    assert_eq!(store.revision().await.unwrap(), revision, "nothing was left to do");
}

pub(super) async fn a_relaunch_is_blocked_for_its_time_and_its_application(store: Arc<dyn Store>) {
    populate(&*store, 1..=2).await;
    launched(&*store, 1, 1, TERMINAL).await;
    let command = Command::Expire {
        reason: EndReason::Admin,
        note: None,
        seen: None,
        batch: None,
        block: true,
    };
    let until = at(60 + BLOCK_SECONDS);
    assert_eq!(stepped(&*store, 1, command, at(60)).await.blocked_until, Some(until));
    let last = at(60 + BLOCK_SECONDS - 1);
    let refused = write(&*store, launch(2, 1, TERMINAL, last)).await;
    assert_eq!(refused, WriteOutcome::Denied(LaunchRefusal::RelaunchBlocked(until)));
    let kept = denials(&*store).await;
    assert!(
        matches!(&kept[0].what, EventKind::LaunchRefused { reason, .. } if reason.contains("again after")),
        "{kept:?}"
    );
    for (n, who, what, when) in [(3, 1, LICENSED, last), (4, 2, TERMINAL, last), (5, 1, TERMINAL, until)] {
        let answer = write(&*store, launch(n, who, what, when)).await;
        assert!(matches!(answer, WriteOutcome::Launched(..)), "{n}: {answer:?}");
    }
}

pub(super) async fn changes_of_people_are_in_the_log(store: Arc<dyn Store>) {
    populate(&*store, 1..=1).await;
    let before = store.revision().await.unwrap();
    store
        .set_role(person(1), Role::Reporter, &actor(2), at(1))
        .await
        .unwrap();
    store
        .set_password(person(1), "$new", false, &actor(2), at(2))
        .await
        .unwrap();
    store.block_user(person(1), true, &actor(2), at(3)).await.unwrap();
    store.block_user(person(1), false, &actor(2), at(4)).await.unwrap();
    store.remove_user(person(1), &actor(2), at(5)).await.unwrap();
    assert_eq!(store.revision().await.unwrap(), before + 5);
    let events = newest(&*store, |what| matches!(what, EventKind::UserChanged { .. })).await;
    let changes: Vec<_> = events
        .iter()
        .map(|event| match &event.what {
            EventKind::UserChanged { change, username, .. } => {
                assert_eq!(&**username, "person1");
                *change
            }
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        changes,
        [
            UserChange::Removed,
            UserChange::Unblocked,
            UserChange::Blocked,
            UserChange::PasswordSet,
            UserChange::RoleSet(Role::Reporter),
            UserChange::Added(Role::User),
        ]
    );
    assert_eq!((events[0].at, &events[0].actor), (at(5), &actor(2)));
}

pub(super) async fn the_chain_of_events_holds(store: Arc<dyn Store>) {
    let empty = store.verify_events(&[]).await.unwrap();
    assert_eq!((empty.events, empty.broken), (0, None));
    populate(&*store, 1..=2).await;
    closed(&*store, 1, 1, at(60)).await;
    launched(&*store, 2, 2, LICENSED).await;
    let checked = store.verify_events(&[]).await.unwrap();
    assert_eq!(checked.broken, None);
    // Two applications, two people, one environment; launched, expired, closed; launched.
    assert_eq!(checked.events, 9);
    write(&*store, store::WriteRequest::Purge { at: at(60 + 48 * 3600) }).await;
    let longer = store.verify_events(&[]).await.unwrap();
    assert_eq!((longer.events, longer.broken), (10, None));
    assert_ne!(longer.head, checked.head);
}

pub(super) async fn the_head_is_the_last_event_and_checkpoints_stay(store: Arc<dyn Store>) {
    let none = Head { number: 0, hash: START };
    assert_eq!(store.head().await.unwrap(), none);
    populate(&*store, 1..=2).await;
    let first = store.head().await.unwrap();
    launched(&*store, 1, 1, TERMINAL).await;
    let second = store.head().await.unwrap();
    assert_eq!((first.number, second.number), (5, 6));
    for head in [first, second] {
        assert_eq!(store.event_hash(head.number).await.unwrap(), Some(head.hash));
    }
    for number in [0, 7, u64::MAX] {
        assert_eq!(store.event_hash(number).await.unwrap(), None);
    }
    let wanted = [second.hash, START, [9; 32], first.hash];
    let verified = store.verify_events(&wanted).await.unwrap();
    assert_eq!(verified.found, [Some(6), Some(0), None, Some(5)]);
    assert_eq!((verified.last, verified.head), (6, hex(&second.hash)));

    let checkpoint = |head, seconds| Checkpoint {
        head,
        at: at(seconds),
        mac: [1; 32],
    };
    for made in [checkpoint(second, 2), checkpoint(first, 1), checkpoint(first, 3)] {
        store.add_checkpoint(&made).await.unwrap();
    }
    let kept = store.checkpoints().await.unwrap();
    assert_eq!(
        kept,
        [checkpoint(first, 1), checkpoint(second, 2)],
        "the first of an event stays"
    );
}

/// Two sessions of the first person, the second of them of the licensed application, and one of the
/// second person.
async fn three_sessions(store: &dyn Store) -> ([SessionId; 2], [SessionId; 1]) {
    launched(store, 1, 1, TERMINAL).await;
    launched(store, 2, 1, LICENSED).await;
    launched(store, 3, 2, TERMINAL).await;
    stepped(store, 1, Command::Ready, at(1)).await;
    stepped(store, 2, Command::Fail("lost".into()), at(1)).await;
    ([session(1), session(2)], [session(3)])
}

/// Checks that exactly these sessions ended, in one revision and each with its event.
async fn expect_ended(store: &dyn Store, before: u64, ids: &[SessionId], reason: EndReason, when: Timestamp) {
    let Changes { revision, sessions, .. } = store.changes(before).await.unwrap();
    assert_eq!(revision, before + 1);
    let mut changed: Vec<_> = sessions.iter().map(|session| session.id).collect();
    changed.sort();
    assert_eq!(changed, ids);
    for session in sessions {
        let end = session.end.unwrap();
        assert_eq!((session.status, end.at, end.reason), (Status::Expired, when, reason));
        assert_eq!(&*end.by, "person3");
        let events = store.events(session.id).await.unwrap();
        let expired = events
            .iter()
            .filter(|event| matches!(event.what, EventKind::Expired { .. }))
            .count();
        assert_eq!(expired, 1);
    }
}

async fn expect_going_on(store: &dyn Store, ids: &[SessionId]) {
    let sessions = store.load().await.unwrap().sessions;
    for id in ids {
        let session = sessions.iter().find(|session| session.id == *id).unwrap();
        assert_ne!(session.status, Status::Expired, "{id}");
    }
}
