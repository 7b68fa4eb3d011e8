//! One person can fill neither the log nor the machine with launches.
#![expect(clippy::unwrap_used, reason = "a step that fails is a failed test")]

use std::num::NonZeroU32;

use chrono::TimeDelta;
use control::{Error, Options};
use environment_simulated::SimulatedPlan;
use session::{Actor, ApplicationId, Event, Policy, Status, wire::Problem};
use store::{Application, LaunchRefusal};
use store_testing::conformance::denials;
use uuid::Uuid;

use crate::house::{ENVIRONMENT, House};

async fn limited(launches_per_minute: u32, live_sessions_per_user: u32) -> House {
    let options = Options {
        launches_per_minute: NonZeroU32::new(launches_per_minute),
        live_sessions_per_user: NonZeroU32::new(live_sessions_per_user),
        ..Options::default()
    };
    House::reached(SimulatedPlan::default(), options, |environment| environment).await
}

async fn application(house: &House, number: u128) -> ApplicationId {
    let id = ApplicationId(Uuid::from_u128(number));
    let application = Application {
        id,
        name: format!("Application {number}").into(),
        launch_text: "Launch".into(),
        environment_id: ENVIRONMENT,
        command: vec!["desktop".into()],
        policy: Policy::default(),
        seats: None,
        open: true,
    };
    let added = house
        .store
        .add_application(&application, &Actor::System, house.control.now());
    added.await.unwrap();
    id
}

fn sentences(events: &[Event]) -> Vec<String> {
    events.iter().map(session::timeline::sentence).collect()
}

#[tokio::test]
async fn thousands_of_refused_launches_are_two_events_a_minute() {
    let house = limited(0, 0).await;
    let before = house.store.head().await.unwrap().number;
    for number in 0..3000 {
        // Each of another application that does not exist: the reason is the same.
        let unknown = ApplicationId(Uuid::from_u128(1_000_000 + number));
        let refused = house.control.launch(&house.student, unknown).await;
        assert!(
            matches!(refused, Err(Error::Denied(LaunchRefusal::UnknownApplication))),
            "{refused:?}"
        );
    }
    assert_eq!(house.store.head().await.unwrap().number, before + 1);
    house.pass(TimeDelta::seconds(60));
    house.control.record_refusals().await.unwrap();
    let denied = denials(&*house.store).await;
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
    assert_eq!(house.store.head().await.unwrap().number, before + 2);

    // The next one is an event at once, and what is counted by then is written when the server stops.
    for _ in 0..2 {
        let refused = house.control.launch(&house.student, ApplicationId(Uuid::nil())).await;
        assert!(refused.is_err());
    }
    assert_eq!(house.store.head().await.unwrap().number, before + 3);
    house.control.flush().await;
    let denied = sentences(&denials(&*house.store).await);
    assert_eq!(
        denied[0],
        "Launch refused once more within a minute: There is no such application."
    );
    assert_eq!(denied.len(), 4);
}

#[tokio::test]
async fn nobody_launches_more_often_than_allowed() {
    let house = limited(5, 0).await;
    for _ in 0..5 {
        house.control.launch(&house.student, house.desktop).await.unwrap();
    }
    for _ in 0..100 {
        let refused = house.control.launch(&house.student, house.desktop).await;
        let Err(error @ Error::TooManyLaunches(12)) = refused else {
            panic!("{refused:?}")
        };
        let problem = Problem::from(error);
        assert_eq!((problem.status, &*problem.code), (429, "too_many_launches"));
        assert_eq!(problem.retry_after, Some(12));
    }
    house.control.launch(&house.other, house.desktop).await.unwrap();
    assert_eq!(
        sentences(&denials(&*house.store).await),
        ["Launch of Desktop refused: You launched too often. Wait a moment, then try again."]
    );
    house.pass(TimeDelta::seconds(12));
    house.control.launch(&house.student, house.desktop).await.unwrap();
}

#[tokio::test]
async fn nobody_has_more_live_sessions_than_allowed() {
    let house = limited(0, 3).await;
    let mut launched = Vec::new();
    for number in 100..103 {
        let application = application(&house, number).await;
        launched.push(house.control.launch(&house.student, application).await.unwrap());
    }
    let refused = house.control.launch(&house.student, house.desktop).await;
    let Err(error @ Error::Denied(LaunchRefusal::TooManySessions)) = refused else {
        panic!("{refused:?}")
    };
    let problem = Problem::from(error);
    assert_eq!((problem.status, &*problem.code), (429, "too_many_live_sessions"));
    assert!(problem.retry_after.is_some());

    let resumed = house
        .control
        .launch(&house.student, launched[0].application_id)
        .await
        .unwrap();
    assert_eq!(resumed.id, launched[0].id, "what is live can be resumed");
    house.control.launch(&house.other, house.desktop).await.unwrap();
    house.control.end_own(&house.student, launched[0].id).await.unwrap();
    let id = house.control.launch(&house.student, house.desktop).await.unwrap().id;
    house.becomes(id, Status::Active).await;
}
