//! One person can flood neither the log nor the machine with launches.
#![expect(clippy::unwrap_used, reason = "a step that fails is a failed test")]

use std::num::NonZeroU32;

use chrono::TimeDelta;
use control::{Error, Options};
use environment_simulated::SimulatedPlan;
use session::{Actor, ApplicationId, Event, Policy, Status, api::Problem};
use store::{Application, LaunchRefusal};
use store_testing::conformance::denials;
use uuid::Uuid;

use crate::fixture::{ENVIRONMENT, Fixture};

async fn limited(launches_per_minute: u32, live_sessions_per_user: u32) -> Fixture {
    let options = Options {
        launches_per_minute: NonZeroU32::new(launches_per_minute),
        live_sessions_per_user: NonZeroU32::new(live_sessions_per_user),
        ..Options::default()
    };
    Fixture::reached(SimulatedPlan::default(), options, |environment| environment).await
}

async fn application(fixture: &Fixture, number: u128) -> ApplicationId {
    let id = ApplicationId(Uuid::from_u128(number));
    let application = Application {
        id,
        name: format!("Application {number}").into(),
        launch_text: "Launch".into(),
        environment_id: ENVIRONMENT,
        command: vec!["desktop".into()],
        policy: Policy::default(),
        seats: None,
        appearance: Default::default(),
        open: true,
    };
    let added = fixture
        .store
        .add_application(&application, &Actor::System, fixture.control.now());
    added.await.unwrap();
    id
}

fn sentences(events: &[Event]) -> Vec<String> {
    events.iter().map(session::timeline::sentence).collect()
}

#[tokio::test]
async fn thousands_of_refused_launches_are_two_events_a_minute() {
    let fixture = limited(0, 0).await;
    let before = fixture.store.head().await.unwrap().number;
    for number in 0..3000 {
        // Each time another application that does not exist: the reason is the same.
        let unknown = ApplicationId(Uuid::from_u128(1_000_000 + number));
        let refused = fixture.control.launch(&fixture.student, unknown).await;
        assert!(
            matches!(refused, Err(Error::Denied(LaunchRefusal::UnknownApplication))),
            "{refused:?}"
        );
    }
    assert_eq!(fixture.store.head().await.unwrap().number, before + 1);
    fixture.advance(TimeDelta::seconds(60));
    fixture.control.record_refusals().await.unwrap();
    let denied = denials(&*fixture.store).await;
    assert_eq!(
        sentences(&denied),
        [
            "Launch refused 2999 more times within a minute: There is no such application.",
            "Launch of 00000000-0000-0000-0000-0000000f4240 refused: There is no such application.",
        ]
    );
    assert!(
        denied.iter().all(|event| event.actor.label() == "student".into()),
        "{denied:?}"
    );
    assert_eq!(fixture.store.head().await.unwrap().number, before + 2);

    // The next refusal is an event at once. The count since then is written at shutdown.
    for _ in 0..2 {
        let refused = fixture
            .control
            .launch(&fixture.student, ApplicationId(Uuid::nil()))
            .await;
        assert!(refused.is_err());
    }
    assert_eq!(fixture.store.head().await.unwrap().number, before + 3);
    fixture.control.flush().await;
    let denied = sentences(&denials(&*fixture.store).await);
    assert_eq!(
        denied[0],
        "Launch refused once more within a minute: There is no such application."
    );
    assert_eq!(denied.len(), 4);
}

#[tokio::test]
async fn a_person_launches_only_as_often_as_allowed() {
    let fixture = limited(5, 0).await;
    for _ in 0..5 {
        fixture.control.launch(&fixture.student, fixture.desktop).await.unwrap();
    }
    for _ in 0..100 {
        let refused = fixture.control.launch(&fixture.student, fixture.desktop).await;
        let Err(error @ Error::TooManyLaunches(12)) = refused else {
            panic!("{refused:?}")
        };
        let problem = Problem::from(error);
        assert_eq!((problem.status, &*problem.code), (429, "too_many_launches"));
        assert_eq!(problem.retry_after, Some(12));
    }
    fixture.control.launch(&fixture.other, fixture.desktop).await.unwrap();
    assert_eq!(
        sentences(&denials(&*fixture.store).await),
        [
            "Launch of Desktop refused: You have launched too many applications within a minute. Wait a moment, then try again."
        ]
    );
    fixture.advance(TimeDelta::seconds(12));
    fixture.control.launch(&fixture.student, fixture.desktop).await.unwrap();
}

#[tokio::test]
async fn a_person_has_only_as_many_live_sessions_as_allowed() {
    let fixture = limited(0, 3).await;
    let mut launched = Vec::new();
    for number in 100..103 {
        let application = application(&fixture, number).await;
        launched.push(fixture.control.launch(&fixture.student, application).await.unwrap());
    }
    let refused = fixture.control.launch(&fixture.student, fixture.desktop).await;
    let Err(error @ Error::Denied(LaunchRefusal::TooManySessions)) = refused else {
        panic!("{refused:?}")
    };
    let problem = Problem::from(error);
    assert_eq!((problem.status, &*problem.code), (429, "too_many_live_sessions"));
    assert!(problem.retry_after.is_some());

    let resumed = fixture
        .control
        .launch(&fixture.student, launched[0].application_id)
        .await
        .unwrap();
    assert_eq!(resumed.id, launched[0].id, "a live session can be resumed");
    fixture.control.launch(&fixture.other, fixture.desktop).await.unwrap();
    fixture.control.end_own(&fixture.student, launched[0].id).await.unwrap();
    let id = fixture
        .control
        .launch(&fixture.student, fixture.desktop)
        .await
        .unwrap()
        .id;
    fixture.wait_for_status(id, Status::Active).await;
}
