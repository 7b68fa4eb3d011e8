//! Deadlines are acted on at their moment, whatever becomes of other sessions: a stop that hangs or panics, a row that can't be
//! read.
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; clippy.toml covers only what is marked #[test]"
)]

use std::{
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use chrono::TimeDelta;
use control::Options;
use environment_simulated::{Simulated, SimulatedPlan};
use environments::{Duplex, Environment, EnvironmentError, Observed, StartSpec};
use session::{Actor, ApplicationId, Policy, SessionId, Status, Teardown, wire::ExpireRequest};
use store::Application;
use uuid::Uuid;

use crate::house::{ENVIRONMENT, House, PATIENCE};

/// The program of applications that never become ready.
const NEVER_READY: &str = "never-ready";

/// What a stop does, in place of stopping.
#[derive(Clone, Copy)]
enum Stop {
    /// It does not return, for sessions that never became ready.
    Hangs,
    /// It panics, the first time.
    PanicsOnce,
}

/// An environment with applications that never become ready, and with faulty stops.
struct Faulty {
    inner: Arc<Simulated>,
    stop: Stop,
    stops: AtomicUsize,
}

impl Faulty {
    async fn house(stop: Stop) -> (House, Arc<Self>) {
        let mut made = None;
        let house = House::reached(SimulatedPlan::default(), Options::default(), |inner| {
            let stops = AtomicUsize::new(0);
            let faulty = Arc::new(Self { inner, stop, stops });
            made = Some(faulty.clone());
            faulty
        })
        .await;
        (house, made.unwrap())
    }
}

#[async_trait]
impl Environment for Faulty {
    fn kind(&self) -> &'static str {
        "simulated"
    }

    async fn start(&self, spec: StartSpec) -> Result<(), EnvironmentError> {
        if spec.command == [NEVER_READY] {
            return Ok(());
        }
        self.inner.start(spec).await
    }

    async fn observe(&self) -> Result<Vec<Observed>, EnvironmentError> {
        self.inner.observe().await
    }

    async fn stop(&self, id: SessionId) -> Result<(), EnvironmentError> {
        let before = self.stops.fetch_add(1, Ordering::AcqRel);
        match self.stop {
            Stop::Hangs if self.inner.connect(id).await.is_err() => std::future::pending().await,
            Stop::PanicsOnce if before == 0 => panic!("a deliberate panic"),
            _ => self.inner.stop(id).await,
        }
    }

    async fn connect(&self, id: SessionId) -> Result<Box<dyn Duplex>, EnvironmentError> {
        self.inner.connect(id).await
    }
}

/// Adds an application that may start for `seconds`.
async fn application(house: &House, number: u128, command: &str, seconds: u32) -> ApplicationId {
    let id = ApplicationId(Uuid::from_u128(number));
    let application = Application {
        id,
        name: format!("Application {number}").into(),
        launch_text: "Launch".into(),
        environment_id: ENVIRONMENT,
        command: vec![command.into()],
        policy: Policy {
            start_seconds: NonZeroU32::new(seconds),
            never_connected_seconds: NonZeroU32::new(seconds),
            ..Policy::default()
        },
        seats: None,
        open: true,
    };
    let added = house
        .store
        .add_application(&application, &Actor::System, house.control.now());
    added.await.unwrap();
    id
}

async fn launched(house: &House, application: ApplicationId) -> SessionId {
    house.control.launch(&house.student, application).await.unwrap().id
}

#[tokio::test]
async fn thirty_stops_that_hang_delay_no_other_session() {
    let (house, environment) = Faulty::house(Stop::Hangs).await;
    let mut hanging = Vec::new();
    for number in 100..130 {
        let application = application(&house, number, NEVER_READY, 60).await;
        hanging.push(launched(&house, application).await);
    }
    let quick = application(&house, 200, "desktop", 60).await;
    let quick = launched(&house, quick).await;
    house.becomes(quick, Status::Active).await;

    house.pass(TimeDelta::seconds(59));
    house.control.purge_now().await.unwrap();
    assert_eq!(house.row(quick).status, Status::Active, "not before its moment");
    house.pass(TimeDelta::seconds(1));
    let at = house.control.now();
    for id in &hanging {
        house.becomes(*id, Status::Error).await;
    }
    let ended = house.becomes(quick, Status::Expired).await;
    assert_eq!(
        ended.ended_at,
        Some(at),
        "the clock stands still: all of it happened at this moment"
    );
    house.shows(quick, |row| row.teardown == Teardown::Confirmed).await;

    // The stops still hang, and deadlines that come later are acted on all the same.
    house.pass(TimeDelta::hours(8));
    for id in &hanging {
        house.becomes(*id, Status::Expired).await;
    }
    assert!(environment.stops.load(Ordering::Acquire) > 30, "each was asked to stop");
}

#[tokio::test]
async fn a_stop_that_panics_is_tried_again() {
    let (house, environment) = Faulty::house(Stop::PanicsOnce).await;
    let id = house.active().await;
    let expired = house
        .control
        .expire(&house.admin, id, ExpireRequest::default())
        .await
        .unwrap();
    assert_eq!(expired.status, Status::Expired);
    house.shows(id, |row| row.teardown == Teardown::Confirmed).await;
    assert_eq!(environment.stops.load(Ordering::Acquire), 2);
}

#[tokio::test]
async fn a_session_whose_row_cannot_be_read_delays_no_other() {
    let house = House::new().await;
    let mut sessions = Vec::new();
    for number in 100..103 {
        let application = application(&house, number, "desktop", 60).await;
        sessions.push(launched(&house, application).await);
    }
    for id in &sessions {
        house.becomes(*id, Status::Active).await;
    }
    let database = rusqlite::Connection::open(house.folder.path().join("cloud-delivery.sqlite3")).unwrap();
    database.busy_timeout(PATIENCE).unwrap();
    // Its version stays, so that the replica does not read it either.
    let damaged = database
        .execute(
            "UPDATE sessions SET policy = '{\"x\":1}' WHERE id = ?1",
            [sessions[0].0.as_bytes()],
        )
        .unwrap();
    assert_eq!(damaged, 1);
    house.pass(TimeDelta::seconds(60));
    for id in &sessions[1..] {
        house.becomes(*id, Status::Expired).await;
    }
    assert_eq!(house.row(sessions[0]).status, Status::Active);
}

#[tokio::test]
async fn the_start_limit_is_the_one_of_the_application() {
    let (house, _environment) = Faulty::house(Stop::Hangs).await;
    let slow = application(&house, 100, NEVER_READY, 600).await;
    let quick = application(&house, 101, NEVER_READY, 599).await;
    let (slow, quick) = (launched(&house, slow).await, launched(&house, quick).await);
    house.pass(TimeDelta::seconds(599));
    house.becomes(quick, Status::Error).await;
    assert_eq!(house.row(slow).status, Status::Pending);
    house.pass(TimeDelta::seconds(1));
    house.becomes(slow, Status::Error).await;
}
