//! Environments and applications: roles, refused changes, and the effect of a change on launches.
#![expect(clippy::unwrap_used, reason = "what can't be set up is a failed test")]

use crate::fixture::{Fixture, HOME, PASSWORD, client};
use control::{Error, SWEEP_INTERVAL};
use session::{
    Actor, ApplicationId, EnvironmentId, EventKind, Role, Status,
    api::{Me, Problem},
    catalogue::{
        EnvironmentState, LaunchState,
        draft::{ApplicationDraft, Field},
    },
    event::ApplicationChange,
};
use store::LaunchRefusal;
use store_testing::conformance::catalogue_events;
use uuid::Uuid;

async fn app_admin(fixture: &Fixture) -> Me {
    fixture
        .control
        .add_user("anton", PASSWORD, Role::AppAdmin)
        .await
        .unwrap();
    let token = fixture.control.sign_in("anton", PASSWORD, &client(HOME)).await.unwrap();
    fixture.control.authenticate(&token).await.unwrap().unwrap()
}

/// The only environment of the fixture.
async fn lab(fixture: &Fixture) -> EnvironmentId {
    fixture.control.environment_named(&fixture.admin, "Lab").await.unwrap()
}

async fn draft(fixture: &Fixture, name: &str) -> ApplicationDraft {
    ApplicationDraft {
        name: name.into(),
        environment_id: Some(lab(fixture).await),
        program: "statistics".into(),
        ..ApplicationDraft::default()
    }
}

#[tokio::test]
async fn an_app_admin_adds_an_application_and_a_student_launches_it() {
    let fixture = Fixture::new().await;
    let anton = app_admin(&fixture).await;
    let draft = ApplicationDraft {
        seats: "1".into(),
        ..draft(&fixture, " Statistics ").await
    };
    let added = fixture.control.add_application(&anton, &draft).await.unwrap();
    assert_eq!(
        (&*added.spec.name, &*added.environment, added.open, added.live),
        ("Statistics", "Lab", true, 0)
    );
    let session = fixture.control.launch(&fixture.student, added.id).await.unwrap();
    fixture.wait_for_status(session.id, Status::Active).await;
    let full = fixture.control.launch(&fixture.other, added.id).await;
    assert!(matches!(full, Err(Error::Denied(LaunchRefusal::NoSeat))), "{full:?}");

    let all = fixture.control.applications(&anton).await.unwrap();
    let live: Vec<_> = all.iter().map(|view| (&*view.spec.name, view.live)).collect();
    assert_eq!(live, [("Desktop", 0), ("Statistics", 1)]);
    let event = catalogue_events(&*fixture.store).await.remove(0);
    assert_eq!(
        event.actor,
        Actor::Person {
            user_id: anton.user_id,
            username: "anton".into(),
            origin: None,
        }
    );
    assert_eq!(event.at, fixture.control.now());
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
    let fixture = Fixture::new().await;
    let before = fixture.store.revision().await.unwrap();
    let cases = [
        (
            Field::Name,
            ApplicationDraft {
                name: String::new(),
                ..draft(&fixture, "x").await
            },
        ),
        (Field::Name, draft(&fixture, "Desktop").await),
        (
            Field::Environment,
            ApplicationDraft {
                environment_id: Some(EnvironmentId(Uuid::max())),
                ..draft(&fixture, "x").await
            },
        ),
        (
            Field::Program,
            ApplicationDraft {
                program: " ".into(),
                ..draft(&fixture, "x").await
            },
        ),
        (
            Field::Seats,
            ApplicationDraft {
                seats: "0".into(),
                ..draft(&fixture, "x").await
            },
        ),
    ];
    for (field, wrong) in cases {
        let refused = fixture
            .control
            .add_application(&fixture.admin, &wrong)
            .await
            .unwrap_err();
        let problem = Problem::from(refused);
        assert_eq!((problem.status, problem.code.as_str()), (422, "invalid_application"));
        assert_eq!(
            problem.fields.iter().map(|wrong| wrong.field).collect::<Vec<_>>(),
            [field],
            "{problem:?}"
        );
    }
    assert_eq!(fixture.store.revision().await.unwrap(), before);
    assert_eq!(fixture.control.applications(&fixture.admin).await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_edit_counts_for_future_launches_and_the_second_of_two_editors_is_refused() {
    let fixture = Fixture::new().await;
    let anton = app_admin(&fixture).await;
    let running = fixture.active().await;
    let form = fixture
        .control
        .application_form(&anton, Some(fixture.desktop))
        .await
        .unwrap();
    let seen = form.application.unwrap().spec;
    let renamed = ApplicationDraft {
        name: "Workplace".into(),
        ..ApplicationDraft::from(&seen)
    };
    let edit = |me: Me, draft: ApplicationDraft| {
        let (control, id, seen) = (fixture.control.clone(), fixture.desktop, seen.clone());
        async move { control.edit_application(&me, id, &draft, seen).await }
    };
    let saved = edit(anton, renamed.clone()).await.unwrap();
    assert_eq!((&*saved.spec.name, saved.live), ("Workplace", 1));
    assert_eq!(&*fixture.row(running).application, "Desktop", "as it was launched");

    let seats = ApplicationDraft {
        seats: "5".into(),
        ..ApplicationDraft::from(&seen)
    };
    let problem = Problem::from(edit(fixture.admin.clone(), seats).await.unwrap_err());
    assert_eq!((problem.status, problem.code.as_str()), (409, "application_changed"));
    assert_eq!(
        problem.application.map(|now| now.spec),
        Some(saved.spec.clone()),
        "the new values"
    );
    assert_eq!(
        edit(fixture.admin.clone(), renamed).await.unwrap().spec,
        saved.spec,
        "the same edit is done already"
    );

    let (nobody, draft) = (ApplicationId(Uuid::nil()), draft(&fixture, "x").await);
    let unknown = fixture
        .control
        .edit_application(&fixture.admin, nobody, &draft, saved.spec);
    assert!(matches!(unknown.await, Err(Error::NoApplication(_))));
}

#[tokio::test]
async fn a_closed_application_is_not_launched_and_its_live_sessions_go_on() {
    let fixture = Fixture::new().await;
    let (control, admin) = (&fixture.control, &fixture.admin);
    let running = fixture.active().await;
    let launch = async || control.launch(&fixture.other, fixture.desktop).await;

    let closed = control
        .set_application_launches(admin, fixture.desktop, LaunchState::Closed)
        .await
        .unwrap();
    assert!(!closed.open && closed.live == 1);
    assert!(matches!(
        launch().await,
        Err(Error::Denied(LaunchRefusal::ApplicationClosed))
    ));
    assert!(
        control
            .set_application_launches(admin, fixture.desktop, LaunchState::Open)
            .await
            .unwrap()
            .open
    );

    let lab = lab(&fixture).await;
    let closed = control
        .set_environment_launches(admin, lab, LaunchState::Closed)
        .await
        .unwrap();
    assert!(!closed.open && closed.live == 1);
    assert!(matches!(
        launch().await,
        Err(Error::Denied(LaunchRefusal::EnvironmentClosed))
    ));
    assert!(
        control
            .set_environment_launches(admin, lab, LaunchState::Open)
            .await
            .unwrap()
            .open
    );
    // Read before the launch, whose start runs in the background and writes.
    let committed = fixture.store.revision().await.unwrap();
    let known = control
        .list(admin, &session::view::View::default())
        .unwrap()
        .head
        .revision;
    assert_eq!(known, committed, "announced: the list is not behind");
    assert!(launch().await.is_ok());
    assert_eq!(fixture.row(running).status, Status::Active);

    let unknown = control
        .set_application_launches(admin, ApplicationId(Uuid::nil()), LaunchState::Open)
        .await;
    assert!(matches!(unknown, Err(Error::NoApplication(_))));
    let unknown = control
        .set_environment_launches(admin, EnvironmentId(Uuid::nil()), LaunchState::Open)
        .await;
    assert!(matches!(unknown, Err(Error::NoEnvironment(_))));
}

#[tokio::test]
async fn an_environment_shows_the_result_of_its_last_sweep() {
    let fixture = Fixture::new().await;
    let row = async || {
        fixture
            .control
            .environments(&fixture.admin)
            .await
            .unwrap()
            .items
            .remove(0)
    };
    fixture.active().await;
    fixture.advance(SWEEP_INTERVAL);
    fixture.control.request_sweep(&fixture.admin).await.unwrap();
    let answered_at = fixture.control.now();
    let answered = row().await;
    assert_eq!((answered.state, answered.live), (EnvironmentState::Answering, 1));
    let swept = answered.swept.unwrap();
    assert_eq!(
        (swept.at, swept.answered_at, swept.running, swept.error),
        (answered_at, Some(answered_at), 1, None)
    );

    fixture.environment.set_unreachable(true);
    fixture.advance(SWEEP_INTERVAL);
    fixture.control.request_sweep(&fixture.admin).await.unwrap();
    let silent = row().await;
    assert_eq!(silent.state, EnvironmentState::Silent);
    let swept = silent.swept.unwrap();
    assert_eq!(
        (swept.at, swept.answered_at),
        (fixture.control.now(), Some(answered_at)),
        "when it last answered"
    );
    assert!(swept.error.is_some());
}

#[tokio::test]
async fn an_environment_that_this_server_cannot_reach_is_marked() {
    let fixture = Fixture::new().await;
    let tool = control::Control::open(
        fixture.store.clone(),
        control::Environments::new(),
        fixture.clock.clone(),
        control::Options::default(),
    );
    let elsewhere = tool.await.unwrap().environments(&fixture.admin).await.unwrap();
    assert_eq!(elsewhere.items[0].state, EnvironmentState::NotReachable);
}

#[tokio::test]
async fn each_use_case_checks_the_role() {
    let fixture = Fixture::new().await;
    let anton = app_admin(&fixture).await;
    let (control, lab) = (&fixture.control, lab(&fixture).await);
    let draft = draft(&fixture, "x").await;
    let seen = control.applications(&anton).await.unwrap().remove(0).spec;
    for me in [&fixture.student, &anton] {
        let refused = control.environments(me).await.err();
        assert!(
            matches!(refused, Some(Error::Forbidden(Role::SystemAdmin))),
            "{refused:?}"
        );
        let refused = control
            .set_environment_launches(me, lab, LaunchState::Closed)
            .await
            .err();
        assert!(
            matches!(refused, Some(Error::Forbidden(Role::SystemAdmin))),
            "{refused:?}"
        );
    }
    let me = &fixture.student;
    for refused in [
        control.applications(me).await.err(),
        control.application_form(me, None).await.err(),
        control.application_form(me, Some(fixture.desktop)).await.err(),
        control.add_application(me, &draft).await.err(),
        control.edit_application(me, fixture.desktop, &draft, seen).await.err(),
        control
            .set_application_launches(me, fixture.desktop, LaunchState::Closed)
            .await
            .err(),
    ] {
        assert!(matches!(refused, Some(Error::Forbidden(Role::AppAdmin))), "{refused:?}");
    }
}
