//! Environments and applications: who may change them, what is refused, and what a change does to launches.
#![expect(clippy::unwrap_used, reason = "what can't be set up is a failed test")]

use crate::house::{HOME, House, PASSWORD, client};
use control::{Error, REFRESH_INTERVAL};
use session::{
    Actor, ApplicationId, EnvironmentId, EventKind, Role, Status,
    catalogue::{
        Admission, EnvironmentState,
        draft::{ApplicationDraft, Field},
    },
    event::ApplicationChange,
    wire::{Me, Problem},
};
use store::LaunchRefusal;
use store_testing::conformance::catalogue_events;
use uuid::Uuid;

async fn app_admin(house: &House) -> Me {
    house.control.add_user("anton", PASSWORD, Role::AppAdmin).await.unwrap();
    let token = house.control.sign_in("anton", PASSWORD, &client(HOME)).await.unwrap();
    house.control.authenticate(&token).await.unwrap().unwrap()
}

/// The one environment of the house.
async fn lab(house: &House) -> EnvironmentId {
    house.control.environment_named(&house.admin, "Lab").await.unwrap()
}

async fn draft(house: &House, name: &str) -> ApplicationDraft {
    ApplicationDraft {
        name: name.into(),
        environment_id: Some(lab(house).await),
        program: "statistics".into(),
        ..ApplicationDraft::default()
    }
}

#[tokio::test]
async fn an_app_admin_adds_an_application_and_a_student_launches_it() {
    let house = House::new().await;
    let anton = app_admin(&house).await;
    let draft = ApplicationDraft {
        seats: "1".into(),
        ..draft(&house, " Statistics ").await
    };
    let added = house.control.add_application(&anton, &draft).await.unwrap();
    assert_eq!(
        (&*added.spec.name, &*added.environment, added.open, added.live),
        ("Statistics", "Lab", true, 0)
    );
    let session = house.control.launch(&house.student, added.id).await.unwrap();
    house.becomes(session.id, Status::Active).await;
    let full = house.control.launch(&house.other, added.id).await;
    assert!(matches!(full, Err(Error::Denied(LaunchRefusal::NoSeat))), "{full:?}");

    let all = house.control.applications(&anton).await.unwrap();
    let live: Vec<_> = all.iter().map(|view| (&*view.spec.name, view.live)).collect();
    assert_eq!(live, [("Desktop", 0), ("Statistics", 1)]);
    let event = catalogue_events(&*house.store).await.remove(0);
    assert_eq!(
        event.actor,
        Actor::Person {
            user_id: anton.user_id,
            username: "anton".into(),
            origin: None,
        }
    );
    assert_eq!(event.at, house.control.now());
    assert!(matches!(
        event.what,
        EventKind::ApplicationChanged {
            change: ApplicationChange::Added(_),
            ..
        }
    ));
}

#[tokio::test]
async fn a_wrong_draft_is_refused_field_by_field_and_leaves_nothing_behind() {
    let house = House::new().await;
    let before = house.store.revision().await.unwrap();
    let cases = [
        (
            Field::Name,
            ApplicationDraft {
                name: String::new(),
                ..draft(&house, "x").await
            },
        ),
        (Field::Name, draft(&house, "Desktop").await),
        (
            Field::Environment,
            ApplicationDraft {
                environment_id: Some(EnvironmentId(Uuid::max())),
                ..draft(&house, "x").await
            },
        ),
        (
            Field::Program,
            ApplicationDraft {
                program: " ".into(),
                ..draft(&house, "x").await
            },
        ),
        (
            Field::Seats,
            ApplicationDraft {
                seats: "0".into(),
                ..draft(&house, "x").await
            },
        ),
    ];
    for (field, wrong) in cases {
        let refused = house.control.add_application(&house.admin, &wrong).await.unwrap_err();
        let problem = Problem::from(refused);
        assert_eq!((problem.status, problem.code.as_str()), (422, "invalid_application"));
        assert_eq!(
            problem.fields.iter().map(|wrong| wrong.field).collect::<Vec<_>>(),
            [field],
            "{problem:?}"
        );
    }
    assert_eq!(house.store.revision().await.unwrap(), before);
    assert_eq!(house.control.applications(&house.admin).await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_edit_counts_for_future_launches_and_the_second_of_two_editors_is_told() {
    let house = House::new().await;
    let anton = app_admin(&house).await;
    let running = house.active().await;
    let form = house
        .control
        .application_form(&anton, Some(house.desktop))
        .await
        .unwrap();
    let seen = form.application.unwrap().spec;
    let renamed = ApplicationDraft {
        name: "Workplace".into(),
        ..ApplicationDraft::from(&seen)
    };
    let edit = |me: Me, draft: ApplicationDraft| {
        let (control, id, seen) = (house.control.clone(), house.desktop, seen.clone());
        async move { control.edit_application(&me, id, &draft, seen).await }
    };
    let saved = edit(anton, renamed.clone()).await.unwrap();
    assert_eq!((&*saved.spec.name, saved.live), ("Workplace", 1));
    assert_eq!(&*house.row(running).application, "Desktop", "as it was launched");

    let seats = ApplicationDraft {
        seats: "5".into(),
        ..ApplicationDraft::from(&seen)
    };
    let problem = Problem::from(edit(house.admin.clone(), seats).await.unwrap_err());
    assert_eq!((problem.status, problem.code.as_str()), (409, "application_changed"));
    assert_eq!(
        problem.application.map(|now| now.spec),
        Some(saved.spec.clone()),
        "the new values"
    );
    assert_eq!(
        edit(house.admin.clone(), renamed).await.unwrap().spec,
        saved.spec,
        "who wants the same has it"
    );

    let (nobody, draft) = (ApplicationId(Uuid::nil()), draft(&house, "x").await);
    let unknown = house.control.edit_application(&house.admin, nobody, &draft, saved.spec);
    assert!(matches!(unknown.await, Err(Error::NoApplication(_))));
}

#[tokio::test]
async fn what_is_closed_is_not_launched_and_what_runs_goes_on() {
    let house = House::new().await;
    let (control, admin) = (&house.control, &house.admin);
    let running = house.active().await;
    let launch = async || control.launch(&house.other, house.desktop).await;

    let closed = control
        .admit_application(admin, house.desktop, Admission::Close)
        .await
        .unwrap();
    assert!(!closed.open && closed.live == 1);
    assert!(matches!(
        launch().await,
        Err(Error::Denied(LaunchRefusal::ApplicationClosed))
    ));
    assert!(
        control
            .admit_application(admin, house.desktop, Admission::Open)
            .await
            .unwrap()
            .open
    );

    let lab = lab(&house).await;
    let closed = control.admit_environment(admin, lab, Admission::Close).await.unwrap();
    assert!(!closed.open && closed.live == 1);
    assert!(matches!(
        launch().await,
        Err(Error::Denied(LaunchRefusal::EnvironmentClosed))
    ));
    assert!(
        control
            .admit_environment(admin, lab, Admission::Open)
            .await
            .unwrap()
            .open
    );
    // Before the launch, whose start goes on by itself and writes.
    let committed = house.store.revision().await.unwrap();
    let known = control
        .list(admin, &session::view::View::default())
        .unwrap()
        .head
        .revision;
    assert_eq!(known, committed, "announced: the list is not behind");
    assert!(launch().await.is_ok());
    assert_eq!(house.row(running).status, Status::Active);

    let unknown = control
        .admit_application(admin, ApplicationId(Uuid::nil()), Admission::Open)
        .await;
    assert!(matches!(unknown, Err(Error::NoApplication(_))));
    let unknown = control
        .admit_environment(admin, EnvironmentId(Uuid::nil()), Admission::Open)
        .await;
    assert!(matches!(unknown, Err(Error::NoEnvironment(_))));
}

#[tokio::test]
async fn an_environment_says_what_its_last_sweep_found() {
    let house = House::new().await;
    let row = async || house.control.environments(&house.admin).await.unwrap().items.remove(0);
    house.active().await;
    house.pass(REFRESH_INTERVAL);
    house.control.refresh(&house.admin).await.unwrap();
    let answered_at = house.control.now();
    let answered = row().await;
    assert_eq!((answered.state, answered.live), (EnvironmentState::Answering, 1));
    let swept = answered.swept.unwrap();
    assert_eq!(
        (swept.at, swept.answered_at, swept.running, swept.error),
        (answered_at, Some(answered_at), 1, None)
    );

    house.environment.set_unreachable(true);
    house.pass(REFRESH_INTERVAL);
    house.control.refresh(&house.admin).await.unwrap();
    let silent = row().await;
    assert_eq!(silent.state, EnvironmentState::Silent);
    let swept = silent.swept.unwrap();
    assert_eq!(
        (swept.at, swept.answered_at),
        (house.control.now(), Some(answered_at)),
        "when it last answered"
    );
    assert!(swept.error.is_some());
}

#[tokio::test]
async fn an_environment_that_this_server_cannot_reach_says_so() {
    let house = House::new().await;
    let tool = control::Control::open(
        house.store.clone(),
        control::Environments::new(),
        house.clock.clone(),
        control::Options::default(),
    );
    let elsewhere = tool.await.unwrap().environments(&house.admin).await.unwrap();
    assert_eq!(elsewhere.items[0].state, EnvironmentState::NotReachable);
}

#[tokio::test]
async fn each_use_case_asks_for_its_role() {
    let house = House::new().await;
    let anton = app_admin(&house).await;
    let (control, lab) = (&house.control, lab(&house).await);
    let draft = draft(&house, "x").await;
    let seen = control.applications(&anton).await.unwrap().remove(0).spec;
    for me in [&house.student, &anton] {
        let refused = control.environments(me).await.err();
        assert!(
            matches!(refused, Some(Error::Forbidden(Role::SystemAdmin))),
            "{refused:?}"
        );
        let refused = control.admit_environment(me, lab, Admission::Close).await.err();
        assert!(
            matches!(refused, Some(Error::Forbidden(Role::SystemAdmin))),
            "{refused:?}"
        );
    }
    let me = &house.student;
    for refused in [
        control.applications(me).await.err(),
        control.application_form(me, None).await.err(),
        control.application_form(me, Some(house.desktop)).await.err(),
        control.add_application(me, &draft).await.err(),
        control.edit_application(me, house.desktop, &draft, seen).await.err(),
        control
            .admit_application(me, house.desktop, Admission::Close)
            .await
            .err(),
    ] {
        assert!(matches!(refused, Some(Error::Forbidden(Role::AppAdmin))), "{refused:?}");
    }
}
