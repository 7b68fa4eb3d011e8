//! The simulated environment: the conformance suite, and its own faults.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; clippy.toml covers only what is marked #[test]"
)]

use std::{sync::Arc, time::Duration};

use environment_simulated::{Simulated, SimulatedPlan};
use environments::{Environment, EnvironmentError, Home, Signal, StartSpec};
use session::{SessionId, regional::Regional};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::mpsc::{self, UnboundedReceiver},
};
use uuid::Uuid;

fn spec() -> StartSpec {
    StartSpec {
        session_id: SessionId(Uuid::now_v7()),
        command: vec!["anything".to_owned()],
        allow_user_namespaces: false,
        home: Home::Scratch,
        sound: false,
        regional: Regional::default(),
    }
}

fn made(plan: SimulatedPlan) -> (Arc<Simulated>, UnboundedReceiver<Signal>) {
    let (signals, received) = mpsc::unbounded_channel();
    (Simulated::new(plan, signals), received)
}

async fn running(environment: &Simulated, received: &mut UnboundedReceiver<Signal>) -> SessionId {
    let spec = spec();
    environment.start(spec.clone()).await.unwrap();
    assert_eq!(received.recv().await, Some(Signal::Ready(spec.session_id)));
    spec.session_id
}

#[tokio::test]
async fn it_conforms() {
    environment_testing::run(
        |signals| Simulated::new(SimulatedPlan::default(), signals),
        &["anything"],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn it_conforms_when_slow() {
    let plan = SimulatedPlan {
        start_delay: Duration::from_secs(1)..=Duration::from_secs(5),
        stop_delay: Duration::from_secs(2),
        ..SimulatedPlan::default()
    };
    environment_testing::run(|signals| Simulated::new(plan.clone(), signals), &["anything"]).await;
}

/// The starts that fail, of 50 in a row.
async fn failures(seed: u64) -> Vec<bool> {
    let (environment, mut received) = made(SimulatedPlan {
        seed,
        start_failures: 0.3,
        ..SimulatedPlan::default()
    });
    let mut failures = Vec::new();
    for _ in 0..50 {
        environment.start(spec()).await.unwrap();
        failures.push(matches!(received.recv().await.unwrap(), Signal::Lost(..)));
    }
    failures
}

#[tokio::test]
async fn chance_follows_the_seed() {
    let first = failures(7).await;
    assert_eq!(first, failures(7).await);
    assert_ne!(first, failures(8).await);
    assert!(
        (5..25).contains(&first.iter().filter(|failed| **failed).count()),
        "{first:?}"
    );
}

#[tokio::test]
async fn chosen_starts_fail_with_a_text() {
    let (environment, mut received) = made(SimulatedPlan {
        failing_starts: vec![1],
        ..SimulatedPlan::default()
    });
    running(&environment, &mut received).await;
    let spec = spec();
    environment.start(spec.clone()).await.unwrap();
    let text = "the simulated application failed to start".to_owned();
    assert_eq!(received.recv().await, Some(Signal::Lost(spec.session_id, text)));
    assert_eq!(environment.observe().await.unwrap().len(), 1);
    running(&environment, &mut received).await;
}

#[tokio::test(start_paused = true)]
async fn starts_take_as_long_as_planned() {
    let second = Duration::from_secs(1);
    let (environment, mut received) = made(SimulatedPlan {
        start_delay: second..=3 * second,
        ..SimulatedPlan::default()
    });
    for _ in 0..20 {
        let before = tokio::time::Instant::now();
        running(&environment, &mut received).await;
        let took = before.elapsed();
        assert!(
            (second..=3 * second + Duration::from_millis(2)).contains(&took),
            "{took:?}"
        );
    }
}

#[tokio::test]
async fn stops_fail_as_often_as_planned() {
    let (environment, mut received) = made(SimulatedPlan {
        failing_stops: 2,
        ..SimulatedPlan::default()
    });
    let id = running(&environment, &mut received).await;
    for _ in 0..2 {
        environment.stop(id).await.unwrap_err();
        assert_eq!(environment.observe().await.unwrap().len(), 1);
    }
    environment.stop(id).await.unwrap();
    assert!(environment.observe().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_session_can_be_lost_or_vanish() {
    let (environment, mut received) = made(SimulatedPlan::default());
    let (lost, vanished) = (
        running(&environment, &mut received).await,
        running(&environment, &mut received).await,
    );
    assert!(environment.vanish(vanished));
    assert!(environment.lose(lost, "it crashed"));
    assert_eq!(received.recv().await, Some(Signal::Lost(lost, "it crashed".to_owned())));
    assert!(received.try_recv().is_err());
    assert!(environment.observe().await.unwrap().is_empty());
    assert!(!environment.lose(lost, "again") && !environment.vanish(vanished));
}

#[tokio::test]
async fn the_unreachable_refuses_everything_until_mended() {
    let (environment, mut received) = made(SimulatedPlan::default());
    let id = running(&environment, &mut received).await;
    environment.set_unreachable(true);
    assert!(environment.start(spec()).await.is_err());
    assert!(environment.observe().await.is_err());
    assert!(environment.stop(id).await.is_err());
    assert!(environment.connect(id).await.is_err());
    environment.set_unreachable(false);
    environment.stop(id).await.unwrap();
}

#[tokio::test]
async fn a_missing_program_is_named() {
    let plan = SimulatedPlan {
        missing_programs: vec!["anything".to_owned()],
        ..SimulatedPlan::default()
    };
    let (environment, _received) = made(plan);
    let refused = environment.start(spec()).await.unwrap_err();
    assert!(matches!(refused, EnvironmentError::Missing { .. }));
    assert_eq!(refused.to_string(), "anything is not installed on this host");
}

#[tokio::test]
async fn the_picture_comes_once_and_in_the_format_asked_for() {
    let (environment, mut received) = made(SimulatedPlan::default());
    let id = running(&environment, &mut received).await;
    let mut stream = environment.connect(id).await.unwrap();
    stream.write_all(b"RFB 003.008\n\x01\x01").await.unwrap();
    let mut greeting = [0; 12 + 2 + 4 + 24 + 9];
    stream.read_exact(&mut greeting).await.unwrap();
    assert_eq!(greeting[18..22], [1, 64, 0, 200]);
    assert!(greeting.ends_with(b"Simulated"));
    // 8 bits per pixel; two encodings; a key; a text; then a request for the whole screen, then one
    // for changes.
    let mut format = [0; 20];
    format[4] = 8;
    stream.write_all(&format).await.unwrap();
    stream.write_all(&[2, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 1]).await.unwrap();
    stream.write_all(&[4, 1, 0, 0, 0, 0, 0, 65]).await.unwrap();
    stream.write_all(b"\x06\0\0\0\0\0\0\x05hello").await.unwrap();
    stream.write_all(&[3, 0, 0, 0, 0, 0, 1, 64, 0, 200]).await.unwrap();
    stream.write_all(&[3, 1, 0, 0, 0, 0, 1, 64, 0, 200]).await.unwrap();
    let mut picture = vec![0; 16 + 320 * 200];
    stream.read_exact(&mut picture).await.unwrap();
    assert_eq!(picture[..16], [0, 0, 0, 1, 0, 0, 0, 0, 1, 64, 0, 200, 0, 0, 0, 0]);
    // The next message is a second whole picture: the incremental request had no answer.
    stream.write_all(&[3, 0, 0, 0, 0, 0, 1, 64, 0, 200]).await.unwrap();
    stream.read_exact(&mut picture).await.unwrap();
    assert_eq!(picture[..4], [0, 0, 0, 1]);
    environment.stop(id).await.unwrap();
    assert_eq!(stream.read(&mut picture).await.unwrap(), 0);
}
