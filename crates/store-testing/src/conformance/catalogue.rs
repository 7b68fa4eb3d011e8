//! Environments and applications.

use std::sync::Arc;

use futures::future::join_all;
use session::{
    Actor, ApplicationId, EnvironmentId, Event, EventKind, Policy,
    catalogue::{ApplicationSpec, LaunchState, appearance::Appearance},
    event::ApplicationChange,
};
use store::{Application, Edited, EnvironmentRow, Store, StoreError};
use uuid::Uuid;

use super::{catalogue_events, denials};
use crate::fixture::*;

pub(super) async fn environments_and_applications_are_kept(store: Arc<dyn Store>) {
    let pool = EnvironmentRow {
        id: EnvironmentId(Uuid::max()),
        name: "a “pool”".into(),
        kind: "slurm".into(),
        open: false,
        homes: None,
    };
    for row in [&environment(), &pool] {
        store.add_environment(row, &Actor::System, at(0)).await.unwrap();
    }
    assert_eq!(
        store.environments().await.unwrap(),
        [pool.clone(), environment()],
        "by name, whatever its case"
    );
    let same = store
        .add_environment(
            &EnvironmentRow {
                id: EnvironmentId(Uuid::nil()),
                ..pool.clone()
            },
            &Actor::System,
            at(0),
        )
        .await;
    assert!(
        matches!(&same, Err(StoreError::AlreadyExists(name)) if *name == *pool.name),
        "{same:?}"
    );

    let shapes = [
        application(ApplicationId(Uuid::from_u128(3)), "a", None),
        Application {
            launch_text: "Start “it”".into(),
            command: vec![],
            policy: Policy {
                total_seconds: None,
                ..Policy::default()
            },
            seats: Some(0),
            appearance: Appearance {
                description: "It’s “fast”".into(),
                category: "Statistics".into(),
                icon: Some("terminal".into()),
            },
            open: false,
            ..application(ApplicationId(Uuid::from_u128(2)), "B", None)
        },
        Application {
            seats: Some(u32::MAX),
            environment_id: pool.id,
            ..application(ApplicationId(Uuid::nil()), "c", None)
        },
    ];
    for shape in shapes.iter().rev() {
        store.add_application(shape, &Actor::System, at(0)).await.unwrap();
    }
    assert_eq!(store.applications().await.unwrap(), shapes);
    let same = store
        .add_application(
            &application(ApplicationId(Uuid::from_u128(9)), "a", None),
            &Actor::System,
            at(0),
        )
        .await;
    assert!(
        matches!(&same, Err(StoreError::AlreadyExists(name)) if name == "a"),
        "{same:?}"
    );
    let nowhere = Application {
        environment_id: EnvironmentId(Uuid::nil()),
        ..application(ApplicationId(Uuid::from_u128(9)), "nowhere", None)
    };
    let nowhere = store.add_application(&nowhere, &Actor::System, at(0)).await;
    assert!(
        matches!(nowhere, Err(StoreError::NotFound("environment"))),
        "{nowhere:?}"
    );
}

pub(super) async fn opening_and_closing(store: Arc<dyn Store>) {
    populate(&*store, []).await;
    for open in [false, false, true] {
        assert!(
            store
                .set_environment_launches(HOST, launches(open), &actor(1), at(1))
                .await
                .unwrap()
        );
        assert!(
            store
                .set_application_launches(LICENSED, launches(open), &actor(1), at(1))
                .await
                .unwrap()
        );
        assert_eq!(store.environments().await.unwrap()[0].open, open);
        let applications = store.applications().await.unwrap();
        assert_eq!(
            applications.iter().map(|a| a.open).collect::<Vec<_>>(),
            [open, true],
            "only the one that was named"
        );
    }
    let before = store.revision().await.unwrap();
    let (nobody, nowhere) = (ApplicationId(Uuid::nil()), EnvironmentId(Uuid::nil()));
    assert!(
        !store
            .set_environment_launches(nowhere, LaunchState::Open, &actor(1), at(1))
            .await
            .unwrap()
    );
    assert!(
        !store
            .set_application_launches(nobody, LaunchState::Open, &actor(1), at(1))
            .await
            .unwrap()
    );
    assert_eq!(store.revision().await.unwrap(), before);
}

fn terminal() -> ApplicationSpec {
    application(TERMINAL, "Terminal", None).spec()
}

/// Different in every field.
fn other() -> ApplicationSpec {
    ApplicationSpec {
        name: "Shell".into(),
        launch_text: "Start".into(),
        environment_id: EnvironmentId(Uuid::max()),
        command: vec!["bash".into(), "-l".into()],
        seats: Some(2),
        policy: Policy {
            total_seconds: None,
            ..Policy::default()
        },
        appearance: Appearance {
            description: "A shell".into(),
            category: "Tools".into(),
            icon: Some("code".into()),
        },
    }
}

/// Edits the terminal from its first state.
async fn edit(store: &dyn Store, wanted: &ApplicationSpec, when: i64) -> store::Result<Edited> {
    store
        .update_application(TERMINAL, &terminal(), wanted, &actor(1), at(when))
        .await
}

async fn second_environment(store: &dyn Store) {
    let pool = EnvironmentRow {
        id: EnvironmentId(Uuid::max()),
        name: "Pool".into(),
        kind: "slurm".into(),
        open: true,
        homes: None,
    };
    store.add_environment(&pool, &Actor::System, at(0)).await.unwrap();
}

pub(super) async fn an_edit_changes_future_launches_only(store: Arc<dyn Store>) {
    populate(&*store, 1..=2).await;
    second_environment(&*store).await;
    let before = launched(&*store, 1, 1, TERMINAL).await;
    store
        .set_application_launches(TERMINAL, LaunchState::Closed, &actor(1), at(1))
        .await
        .unwrap();
    let wanted = other();
    let expected = Application::new(TERMINAL, wanted.clone(), false);
    assert_eq!(
        edit(&*store, &wanted, 2).await.unwrap(),
        Edited::Done(expected.clone()),
        "closed stays closed"
    );
    assert!(store.applications().await.unwrap().contains(&expected));
    assert!(
        all(&store).await.contains(&before),
        "a live session is as it was launched"
    );

    store
        .set_application_launches(TERMINAL, LaunchState::Open, &actor(1), at(3))
        .await
        .unwrap();
    let after = launched(&*store, 2, 2, TERMINAL).await;
    assert_eq!(
        (&*after.application, &*after.environment, after.policy),
        ("Shell", "Pool", wanted.policy)
    );
}

pub(super) async fn an_edit_of_an_application_that_changed_since_is_refused(store: Arc<dyn Store>) {
    populate(&*store, []).await;
    let wish = |n: u32| ApplicationSpec {
        seats: Some(n),
        ..terminal()
    };
    // Ten people opened the same form: the first edit succeeds, the others get the state after it.
    let edits = (1..=10).map(|n| {
        let store = store.clone();
        async move { edit(&*store, &wish(n), 1).await.unwrap() }
    });
    let answers = join_all(edits).await;
    let done: Vec<_> = answers
        .iter()
        .filter(|answer| matches!(answer, Edited::Done(_)))
        .collect();
    let [Edited::Done(now)] = done[..] else {
        panic!("one of ten: {answers:?}")
    };
    let others = answers
        .iter()
        .filter(|answer| **answer == Edited::Conflict(now.clone()));
    assert_eq!(others.count(), 9);

    let revision = store.revision().await.unwrap();
    assert_eq!(
        edit(&*store, &now.spec(), 2).await.unwrap(),
        Edited::Done(now.clone()),
        "an edit that is repeated is done"
    );
    let (seen, wanted) = (terminal(), wish(1));
    let unknown = store.update_application(ApplicationId(Uuid::nil()), &seen, &wanted, &Actor::System, at(2));
    assert_eq!(unknown.await.unwrap(), Edited::NotFound);
    assert_eq!(store.revision().await.unwrap(), revision, "nothing was written");
}

pub(super) async fn an_edit_to_what_cannot_be_leaves_nothing_behind(store: Arc<dyn Store>) {
    populate(&*store, []).await;
    let revision = store.revision().await.unwrap();
    let licensed = ApplicationSpec {
        name: "Licensed".into(),
        ..terminal()
    };
    let taken = edit(&*store, &licensed, 1).await;
    assert!(
        matches!(&taken, Err(StoreError::AlreadyExists(name)) if name == "Licensed"),
        "{taken:?}"
    );
    let nowhere = edit(&*store, &other(), 1).await;
    assert!(
        matches!(nowhere, Err(StoreError::NotFound("environment"))),
        "{nowhere:?}"
    );
    assert_eq!(store.applications().await.unwrap()[1].spec(), terminal());
    assert_eq!(store.revision().await.unwrap(), revision);
}

pub(super) async fn each_change_is_one_event_and_one_revision(store: Arc<dyn Store>) {
    populate(&*store, []).await;
    second_environment(&*store).await;
    let changed = |name: &str, change| EventKind::ApplicationChanged {
        application_id: TERMINAL,
        name: name.into(),
        change,
    };
    let host = |open| EventKind::EnvironmentChanged {
        environment_id: HOST,
        name: "This host".into(),
        open,
        homes: None,
    };
    let mut revision = store.revision().await.unwrap();
    let mut step = async |expected: Option<EventKind>| {
        let now = store.revision().await.unwrap();
        assert_eq!(now, revision + u64::from(expected.is_some()), "{expected:?}");
        revision = now;
        if let Some(what) = expected {
            let event = Event {
                at: at(7),
                session_id: None,
                actor: actor(1),
                what,
            };
            assert_eq!(catalogue_events(&*store).await[0], event);
        }
    };
    for written in [true, false] {
        store
            .set_environment_launches(HOST, LaunchState::Closed, &actor(1), at(7))
            .await
            .unwrap();
        step(written.then(|| host(false))).await;
    }
    store
        .set_environment_launches(HOST, LaunchState::Open, &actor(1), at(7))
        .await
        .unwrap();
    step(Some(host(true))).await;
    for written in [true, false] {
        store
            .set_application_launches(TERMINAL, LaunchState::Closed, &actor(1), at(7))
            .await
            .unwrap();
        step(written.then(|| changed("Terminal", ApplicationChange::Closed))).await;
    }
    store
        .set_application_launches(TERMINAL, LaunchState::Open, &actor(1), at(7))
        .await
        .unwrap();
    step(Some(changed("Terminal", ApplicationChange::Opened))).await;
    for written in [true, false] {
        edit(&*store, &other(), 7).await.unwrap();
        step(written.then(|| changed("Shell", ApplicationChange::Edited(Box::new(other()))))).await;
    }
    let story = catalogue_events(&*store).await;
    assert_eq!(story.len(), 9, "two environments, two applications, five changes");
    assert_eq!(
        story.last().map(|event| event.what.clone()),
        Some(host(true)),
        "newest first"
    );
    assert!(denials(&*store).await.is_empty(), "they are no denials");
}
