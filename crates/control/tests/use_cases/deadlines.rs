//! Deadlines are acted on in time, even if other sessions fail: a stop that hangs or panics, a row
//! that can't be read.
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
use session::{Actor, ApplicationId, Policy, SessionId, Status, Teardown, api::ExpireRequest};
use store::Application;
use uuid::Uuid;

use crate::fixture::{ENVIRONMENT, Fixture, PATIENCE};

/// The program of applications that never become ready.
const NEVER_READY: &str = "never-ready";

/// A faulty stop.
#[derive(Clone, Copy)]
enum Stop {
    /// The stop hangs, for sessions that never became ready.
    Hangs,
    /// The first stop panics.
    PanicsOnce,
}

/// An environment with applications that never become ready, and with faulty stops.
struct Faulty {
    inner: Arc<Simulated>,
    stop: Stop,
    stops: AtomicUsize,
}

impl Faulty {
    async fn fixture(stop: Stop) -> (Fixture, Arc<Self>) {
        let mut made = None;
        let fixture = Fixture::reached(SimulatedPlan::default(), Options::default(), |inner| {
            let stops = AtomicUsize::new(0);
            let faulty = Arc::new(Self { inner, stop, stops });
            made = Some(faulty.clone());
            faulty
        })
        .await;
        (fixture, made.unwrap())
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

/// Adds an application with a start limit of this many seconds.
async fn application(fixture: &Fixture, number: u128, command: &str, seconds: u32) -> ApplicationId {
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
        appearance: Default::default(),
        open: true,
    };
    let added = fixture
        .store
        .add_application(&application, &Actor::System, fixture.control.now());
    added.await.unwrap();
    id
}

async fn launched(fixture: &Fixture, application: ApplicationId) -> SessionId {
    fixture.control.launch(&fixture.student, application).await.unwrap().id
}

#[tokio::test]
async fn thirty_stops_that_hang_delay_no_other_session() {
    let (fixture, environment) = Faulty::fixture(Stop::Hangs).await;
    let mut hanging = Vec::new();
    for number in 100..130 {
        let application = application(&fixture, number, NEVER_READY, 60).await;
        hanging.push(launched(&fixture, application).await);
    }
    let quick = application(&fixture, 200, "desktop", 60).await;
    let quick = launched(&fixture, quick).await;
    fixture.wait_for_status(quick, Status::Active).await;

    fixture.advance(TimeDelta::seconds(59));
    fixture.control.purge_now().await.unwrap();
    assert_eq!(fixture.row(quick).status, Status::Active, "not before its moment");
    fixture.advance(TimeDelta::seconds(1));
    let at = fixture.control.now();
    for id in &hanging {
        fixture.wait_for_status(*id, Status::Error).await;
    }
    let ended = fixture.wait_for_status(quick, Status::Expired).await;
    assert_eq!(
        ended.ended_at,
        Some(at),
        "the clock stands still, so all of it happened at this moment"
    );
    fixture.wait_for(quick, |row| row.teardown == Teardown::Confirmed).await;

    // The stops still hang. Later deadlines are acted on anyway.
    fixture.advance(TimeDelta::hours(8));
    for id in &hanging {
        fixture.wait_for_status(*id, Status::Expired).await;
    }
    assert!(environment.stops.load(Ordering::Acquire) > 30, "each got its stop");
}

#[tokio::test]
async fn a_stop_that_panics_is_tried_again() {
    let (fixture, environment) = Faulty::fixture(Stop::PanicsOnce).await;
    let id = fixture.active().await;
    let expired = fixture
        .control
        .expire(&fixture.admin, id, ExpireRequest::default())
        .await
        .unwrap();
    assert_eq!(expired.status, Status::Expired);
    fixture.wait_for(id, |row| row.teardown == Teardown::Confirmed).await;
    assert_eq!(environment.stops.load(Ordering::Acquire), 2);
}

#[tokio::test]
async fn a_session_whose_row_cannot_be_read_delays_no_other() {
    let fixture = Fixture::new().await;
    let mut sessions = Vec::new();
    for number in 100..103 {
        let application = application(&fixture, number, "desktop", 60).await;
        sessions.push(launched(&fixture, application).await);
    }
    for id in &sessions {
        fixture.wait_for_status(*id, Status::Active).await;
    }
    let database = rusqlite::Connection::open(fixture.folder.path().join("cloud-delivery.sqlite3")).unwrap();
    database.busy_timeout(PATIENCE).unwrap();
    // Its version stays, so the replica does not read it either.
    let damaged = database
        .execute(
            "UPDATE sessions SET policy = '{\"x\":1}' WHERE id = ?1",
            [sessions[0].0.as_bytes()],
        )
        .unwrap();
    assert_eq!(damaged, 1);
    fixture.advance(TimeDelta::seconds(60));
    for id in &sessions[1..] {
        fixture.wait_for_status(*id, Status::Expired).await;
    }
    assert_eq!(fixture.row(sessions[0]).status, Status::Active);
}

#[tokio::test]
async fn the_start_limit_is_the_one_of_the_application() {
    let (fixture, _environment) = Faulty::fixture(Stop::Hangs).await;
    let slow = application(&fixture, 100, NEVER_READY, 600).await;
    let quick = application(&fixture, 101, NEVER_READY, 599).await;
    let (slow, quick) = (launched(&fixture, slow).await, launched(&fixture, quick).await);
    fixture.advance(TimeDelta::seconds(599));
    fixture.wait_for_status(quick, Status::Error).await;
    assert_eq!(fixture.row(slow).status, Status::Pending);
    fixture.advance(TimeDelta::seconds(1));
    fixture.wait_for_status(slow, Status::Error).await;
}
