//! The initial data: environments, applications, students, an administrator.

use std::{num::NonZeroU32, sync::Arc};

use session::{Actor, ApplicationId, EnvironmentId, Policy, Role, Timestamp, UserId};
use store::{Application, Catalogue, EnvironmentRow, People, User};
use store_testing::Memory;
use uuid::Uuid;

/// The environments. Each node has a backend for each of them.
pub const ENVIRONMENTS: [EnvironmentId; 2] = [EnvironmentId(Uuid::from_u128(1)), EnvironmentId(Uuid::from_u128(2))];
/// The applications: with short limits, with the default limits, with hardly any limits.
pub const APPLICATIONS: [ApplicationId; 3] = [
    ApplicationId(Uuid::from_u128(11)),
    ApplicationId(Uuid::from_u128(12)),
    ApplicationId(Uuid::from_u128(13)),
];
/// The students, who launch applications.
pub const STUDENTS: [UserId; 4] = [
    UserId(Uuid::from_u128(101)),
    UserId(Uuid::from_u128(102)),
    UserId(Uuid::from_u128(103)),
    UserId(Uuid::from_u128(104)),
];
/// The System Admin.
pub const ADMIN: UserId = UserId(Uuid::from_u128(201));

/// The username of a person.
pub fn name(id: UserId) -> Arc<str> {
    format!("person{}", id.number()).into()
}

/// Adds the initial data to an empty store.
pub async fn seed(memory: &Memory, at: Timestamp) {
    for (number, id) in ENVIRONMENTS.iter().enumerate() {
        let row = EnvironmentRow {
            id: *id,
            name: format!("environment{number}").into(),
            kind: "simulation".into(),
            open: true,
            homes: None,
        };
        memory.add_environment(&row, &Actor::System, at).await.unwrap();
    }
    let policies = [short(), Policy::default(), hardly_any()];
    for (number, (id, policy)) in APPLICATIONS.iter().zip(policies).enumerate() {
        let application = Application {
            id: *id,
            name: format!("application{number}").into(),
            launch_text: "Launch".into(),
            environment_id: ENVIRONMENTS[number / 2],
            command: vec!["program".into()],
            policy,
            seats: [Some(3), Some(2), None][number],
            appearance: Default::default(),
            open: true,
        };
        memory.add_application(&application, &Actor::System, at).await.unwrap();
    }
    let students = STUDENTS.iter().map(|id| (*id, Role::User));
    for (id, role) in students.chain([(ADMIN, Role::SystemAdmin)]) {
        let user = User {
            id,
            number: 0,
            username: name(id),
            password_hash: String::new(),
            role,
            created_at: at,
            blocked: false,
            must_change_password: false,
        };
        memory.add_user(&user, &Actor::System, at).await.unwrap();
    }
}

fn short() -> Policy {
    Policy {
        start_seconds: NonZeroU32::new(20),
        never_connected_seconds: NonZeroU32::new(30),
        idle_seconds: NonZeroU32::new(40),
        disconnected_seconds: NonZeroU32::new(15),
        total_seconds: NonZeroU32::new(180),
        ..Policy::default()
    }
}

fn hardly_any() -> Policy {
    Policy {
        never_connected_seconds: None,
        idle_seconds: None,
        disconnected_seconds: None,
        total_seconds: NonZeroU32::new(3600),
        ..Policy::default()
    }
}
