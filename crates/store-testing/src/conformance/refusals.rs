//! Launches that are refused.

use std::{num::NonZeroU32, sync::Arc};

use futures::future::join_all;
use session::{Actor, Event, EventKind, catalogue::LaunchState};
use store::{Application, LaunchRefusal, Store, WriteOutcome, WriteRequest, Writer};

use super::denials;
use crate::fixture::*;

pub(super) async fn refusals_come_in_their_order_and_are_kept(store: Arc<dyn Store>) {
    populate(&*store, 1..=5).await;
    let unknown = session::ApplicationId(uuid::Uuid::from_u128(999));
    let mut kept = Vec::new();
    let mut refused = async |who, what, application: &str, expected: LaunchRefusal| {
        let before = store.revision().await.unwrap();
        let done = store.write(&[launch(50, who, what, at(7))]).await.unwrap();
        assert_eq!(done.outcomes, [WriteOutcome::Denied(expected)]);
        assert_eq!(done.revision, before + 1, "a refusal is kept, so it has a revision");
        kept.insert(
            0,
            Event {
                at: at(7),
                session_id: None,
                actor: if expected == LaunchRefusal::UnknownUser {
                    Actor::System
                } else {
                    actor(who)
                },
                what: EventKind::LaunchRefused {
                    application: application.into(),
                    reason: expected.sentence().into(),
                    more: None,
                },
            },
        );
    };
    for n in 1..=3 {
        launched(&*store, n, n, LICENSED).await;
    }
    // The answer is the first of several reasons.
    refused(99, unknown, &unknown.to_string(), LaunchRefusal::UnknownUser).await;
    refused(99, TERMINAL, "Terminal", LaunchRefusal::UnknownUser).await;
    refused(4, unknown, &unknown.to_string(), LaunchRefusal::UnknownApplication).await;
    refused(4, LICENSED, "Licensed", LaunchRefusal::NoSeat).await;
    store
        .set_environment_launches(HOST, LaunchState::Closed, &Actor::System, at(0))
        .await
        .unwrap();
    refused(4, LICENSED, "Licensed", LaunchRefusal::EnvironmentClosed).await;
    store
        .set_application_launches(LICENSED, LaunchState::Closed, &Actor::System, at(0))
        .await
        .unwrap();
    refused(4, LICENSED, "Licensed", LaunchRefusal::ApplicationClosed).await;
    refused(1, LICENSED, "Licensed", LaunchRefusal::ApplicationClosed).await;
    store
        .set_environment_launches(HOST, LaunchState::Open, &Actor::System, at(0))
        .await
        .unwrap();
    refused(4, LICENSED, "Licensed", LaunchRefusal::ApplicationClosed).await;
    store
        .set_application_launches(LICENSED, LaunchState::Open, &Actor::System, at(0))
        .await
        .unwrap();
    refused(4, LICENSED, "Licensed", LaunchRefusal::NoSeat).await;

    assert_eq!(denials(&*store).await, kept);
    let resumed = write(&*store, launch(51, 1, LICENSED, at(8))).await;
    assert!(
        matches!(resumed, WriteOutcome::Resumed(_)),
        "a holder keeps the seat: {resumed:?}"
    );
    assert_eq!(all(&store).await.len(), 3);
}

pub(super) async fn seats_are_never_exceeded(store: Arc<dyn Store>) {
    populate(&*store, 1..=40).await;
    let writer = Writer::spawn(store.clone(), |_| {});
    let answers = join_all((1..=40).map(|n| writer.submit(launch(n, n, LICENSED, at(0))))).await;
    let launched = answers
        .iter()
        .filter(|answer| matches!(answer, Ok(WriteOutcome::Launched(..))))
        .count();
    let denied = answers
        .iter()
        .filter(|answer| matches!(answer, Ok(WriteOutcome::Denied(LaunchRefusal::NoSeat))))
        .count();
    assert_eq!((launched, denied), (3, 37));
    assert_eq!(all(&store).await.len(), 3);

    // Twenty clicks of one person are one session.
    let answers = join_all((100..120).map(|n| writer.submit(launch(n, 1, TERMINAL, at(0))))).await;
    assert_eq!(
        answers
            .iter()
            .filter(|answer| matches!(answer, Ok(WriteOutcome::Launched(..))))
            .count(),
        1
    );
    assert_eq!(
        answers
            .iter()
            .filter(|answer| matches!(answer, Ok(WriteOutcome::Resumed(_))))
            .count(),
        19
    );
}

/// A launch with a limit of live sessions.
fn limited(n: u128, who: u128, what: session::ApplicationId, limit: u32) -> WriteRequest {
    let mut request = launch(n, who, what, at(0));
    if let WriteRequest::Launch { most, .. } = &mut request {
        *most = NonZeroU32::new(limit);
    }
    request
}

pub(super) async fn nobody_has_more_live_sessions_than_allowed(store: Arc<dyn Store>) {
    populate(&*store, 1..=2).await;
    let app = |n: u128| session::ApplicationId(uuid::Uuid::from_u128(500 + n));
    for n in 0..20 {
        let row = application(app(n), &format!("app{n}"), None);
        store.add_application(&row, &Actor::System, at(0)).await.unwrap();
    }
    let writer = Writer::spawn(store.clone(), |_| {});
    let answers = join_all((0..20).map(|n| writer.submit(limited(n, 1, app(n), 4)))).await;
    let count = |is: fn(&WriteOutcome) -> bool| answers.iter().flatten().filter(|answer| is(answer)).count();
    assert_eq!(count(|answer| matches!(answer, WriteOutcome::Launched(..))), 4);
    assert_eq!(
        count(|answer| *answer == WriteOutcome::Denied(LaunchRefusal::TooManySessions)),
        16
    );

    // A person at the limit can still resume, other people are not limited by it, and ended
    // sessions do not count.
    let mine = all(&store).await[0].application_id;
    let resumed = write(&*store, limited(30, 1, mine, 4)).await;
    assert!(matches!(resumed, WriteOutcome::Resumed(_)), "{resumed:?}");
    let other = write(&*store, limited(31, 2, app(0), 1)).await;
    assert!(matches!(other, WriteOutcome::Launched(..)), "{other:?}");
    let first = all(&store).await[0].id.0.as_u128() - session(0).0.as_u128();
    let batch = [
        limited(32, 1, app(19), 4),
        step(first, expire(), at(1)),
        limited(33, 1, app(19), 4),
    ];
    let done = store.write(&batch).await.unwrap().outcomes;
    assert_eq!(done[0], WriteOutcome::Denied(LaunchRefusal::TooManySessions));
    assert!(matches!(done[2], WriteOutcome::Launched(..)), "{done:?}");
}

pub(super) async fn a_refusal_that_is_recorded_is_not_written_again(store: Arc<dyn Store>) {
    populate(&*store, 1..=1).await;
    let unknown = session::ApplicationId(uuid::Uuid::from_u128(999));
    let refused = |known: &[LaunchRefusal]| {
        let mut request = launch(1, 1, unknown, at(3));
        if let WriteRequest::Launch { recorded, .. } = &mut request {
            *recorded = known.to_vec();
        }
        request
    };
    let denied = WriteOutcome::Denied(LaunchRefusal::UnknownApplication);
    let before = store.revision().await.unwrap();
    let known = [LaunchRefusal::NoSeat, LaunchRefusal::UnknownApplication];
    let done = store.write(&[refused(&known)]).await.unwrap();
    assert_eq!((done.outcomes, done.revision), (vec![denied.clone()], before));
    assert_eq!(
        write(&*store, refused(&[LaunchRefusal::NoSeat])).await,
        denied,
        "for another reason it is"
    );

    let more = |application_id, user, more| WriteRequest::RecordRefusal {
        user_id: person(user),
        application_id,
        refusal: LaunchRefusal::NoSeat,
        more: NonZeroU32::new(more),
        origin: None,
        at: at(60),
    };
    let batch = [
        more(Some(LICENSED), 1, 353),
        more(None, 1, 1),
        more(Some(unknown), 99, 0),
    ];
    assert_eq!(
        store.write(&batch).await.unwrap().outcomes,
        [WriteOutcome::Noted, WriteOutcome::Noted, WriteOutcome::Noted]
    );
    let kept: Vec<_> = denials(&*store)
        .await
        .into_iter()
        .map(|event| (event.at, event.actor, event.what))
        .collect();
    let event = |application: &str, more| EventKind::LaunchRefused {
        application: application.into(),
        reason: LaunchRefusal::NoSeat.sentence().into(),
        more: NonZeroU32::new(more),
    };
    assert_eq!(
        kept[..3],
        [
            (at(60), Actor::System, event(&unknown.to_string(), 0)),
            (at(60), actor(1), event("", 1)),
            (at(60), actor(1), event("Licensed", 353)),
        ]
    );
    assert_eq!(kept.len(), 4);
}

pub(super) async fn a_seat_is_free_again_after_the_end(store: Arc<dyn Store>) {
    populate(&*store, 1..=4).await;
    for n in 1..=3 {
        launched(&*store, n, n, LICENSED).await;
    }
    assert_eq!(
        write(&*store, launch(4, 4, LICENSED, at(1))).await,
        WriteOutcome::Denied(LaunchRefusal::NoSeat)
    );
    stepped(&*store, 2, expire(), at(2)).await;
    launched(&*store, 4, 4, LICENSED).await;
    let none = Application {
        seats: Some(0),
        ..application(session::ApplicationId(uuid::Uuid::from_u128(7)), "None", None)
    };
    store.add_application(&none, &Actor::System, at(0)).await.unwrap();
    assert_eq!(
        write(&*store, launch(5, 1, none.id, at(1))).await,
        WriteOutcome::Denied(LaunchRefusal::NoSeat)
    );
}
