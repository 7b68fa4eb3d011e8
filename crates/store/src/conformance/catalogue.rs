//! Environments and applications.

use std::sync::Arc;

use session::{ApplicationId, EnvironmentId, Policy};
use uuid::Uuid;

use super::kit::*;
use crate::{Application, EnvironmentRow, Store, StoreError};

pub(super) async fn environments_and_applications_are_kept(store: Arc<dyn Store>) {
    let pool = EnvironmentRow {
        id: EnvironmentId(Uuid::max()),
        name: "a “pool”".into(),
        kind: "slurm".into(),
        open: false,
    };
    store.add_environment(&environment()).await.unwrap();
    store.add_environment(&pool).await.unwrap();
    assert_eq!(
        store.environments().await.unwrap(),
        [pool.clone(), environment()],
        "by name, whatever its case"
    );
    let same = store
        .add_environment(&EnvironmentRow {
            id: EnvironmentId(Uuid::nil()),
            ..pool.clone()
        })
        .await;
    assert!(
        matches!(&same, Err(StoreError::Taken(name)) if *name == *pool.name),
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
        store.add_application(shape).await.unwrap();
    }
    assert_eq!(store.applications().await.unwrap(), shapes);
    let same = store
        .add_application(&application(ApplicationId(Uuid::from_u128(9)), "a", None))
        .await;
    assert!(matches!(&same, Err(StoreError::Taken(name)) if name == "a"), "{same:?}");
    let nowhere = Application {
        environment_id: EnvironmentId(Uuid::nil()),
        ..application(ApplicationId(Uuid::from_u128(9)), "nowhere", None)
    };
    let nowhere = store.add_application(&nowhere).await;
    assert!(matches!(nowhere, Err(StoreError::NoSuch("environment"))), "{nowhere:?}");
}

pub(super) async fn opening_and_closing(store: Arc<dyn Store>) {
    furnish(&*store, 0).await;
    for open in [false, false, true] {
        assert!(store.open_environment(HOST, open).await.unwrap());
        assert!(store.open_application(LICENSED, open).await.unwrap());
        assert_eq!(store.environments().await.unwrap()[0].open, open);
        let applications = store.applications().await.unwrap();
        assert_eq!(
            applications.iter().map(|a| a.open).collect::<Vec<_>>(),
            [open, true],
            "only the one that was named"
        );
    }
    assert!(!store.open_environment(EnvironmentId(Uuid::nil()), true).await.unwrap());
    assert!(!store.open_application(ApplicationId(Uuid::nil()), true).await.unwrap());
}
