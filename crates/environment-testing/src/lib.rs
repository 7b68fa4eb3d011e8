//! The suite that every environment must pass: an environment's test calls [`run`].
//!
//! It is not a benchmark, and tests nothing that only one environment does. To add a case for all
//! environments: one function here, and one line in [`run`].

use std::{sync::Arc, time::Duration};

use environments::{Duplex, Environment, EnvironmentError, Home, Signal, Signals, StartSpec};
use session::{SessionId, regional::Regional};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::mpsc::{self, UnboundedReceiver},
    time::timeout,
};
use uuid::Uuid;

/// The time limit of each step on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs the suite on the environment of `make`, with an application that does not end by itself.
///
/// # Panics
/// If the environment fails a case; the text names it.
pub async fn run<E: Environment>(make: impl Fn(Signals) -> Arc<E>, command: &[&str]) {
    let (signals, received) = mpsc::unbounded_channel();
    let environment = make(signals);
    let mut trial = Trial {
        environment,
        received,
        command: command.iter().map(|word| (*word).to_owned()).collect(),
    };
    a_session_lives_and_ends(&mut trial).await;
    starting_twice_is_one_session(&mut trial).await;
    stopping_again_or_the_unknown_is_success(&mut trial).await;
    a_stop_while_it_starts_leaves_nothing(&mut trial).await;
    sessions_do_not_disturb_each_other(&mut trial).await;
    an_empty_command_is_refused(&mut trial).await;
    trial.is_silent();
}

struct Trial<E> {
    environment: Arc<E>,
    received: UnboundedReceiver<Signal>,
    command: Vec<String>,
}

impl<E: Environment> Trial<E> {
    fn spec(&self) -> StartSpec {
        StartSpec {
            session_id: SessionId(Uuid::now_v7()),
            command: self.command.clone(),
            allow_user_namespaces: false,
            home: Home::Scratch,
            sound: false,
            regional: Regional::default(),
        }
    }

    async fn start(&self, spec: &StartSpec) {
        let started = self.environment.start(spec.clone()).await;
        assert!(started.is_ok(), "start: {started:?}");
    }

    async fn ready(&mut self, id: SessionId) {
        let signal = timeout(PATIENCE, self.received.recv()).await;
        assert_eq!(signal, Ok(Some(Signal::Ready(id))), "a started session becomes ready");
    }

    async fn running(&mut self) -> SessionId {
        let spec = self.spec();
        self.start(&spec).await;
        self.ready(spec.session_id).await;
        spec.session_id
    }

    async fn stop(&self, id: SessionId) {
        let stopped = timeout(PATIENCE, self.environment.stop(id)).await;
        assert!(matches!(stopped, Ok(Ok(()))), "stop: {stopped:?}");
    }

    /// `None` if a session is not listed; true if it is listed as ready.
    async fn observed(&self, id: SessionId) -> Option<bool> {
        let all = self.environment.observe().await;
        let of_it: Vec<bool> = all
            .iter()
            .flatten()
            .filter(|each| each.session_id == id)
            .map(|each| each.ready)
            .collect();
        assert!(all.is_ok() && of_it.len() <= 1, "a session is listed once: {all:?}");
        of_it.first().copied()
    }

    async fn is_gone(&self, id: SessionId) {
        assert_eq!(self.observed(id).await, None, "a stopped session is not listed");
        let refused = self.environment.connect(id).await.map(drop);
        assert!(
            matches!(refused, Err(EnvironmentError::Unknown(unknown)) if unknown == id),
            "connect: {refused:?}"
        );
    }

    fn is_silent(&mut self) {
        assert_eq!(self.received.try_recv().ok(), None, "no signal follows a stop");
    }

    /// Opens a stream and does the handshake up to the size of the screen.
    async fn connect(&self, id: SessionId) -> Box<dyn Duplex> {
        let shaken = timeout(PATIENCE, async {
            let mut stream = self.environment.connect(id).await.map_err(|error| error.to_string())?;
            shake_hands(&mut stream).await.map_err(|error| error.to_string())?;
            Ok::<_, String>(stream)
        });
        match shaken.await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => panic!("connect: {error}"),
            Err(_) => panic!("connect: no answer within {PATIENCE:?}"),
        }
    }
}

async fn shake_hands(stream: &mut Box<dyn Duplex>) -> std::io::Result<()> {
    let mut version = [0; 12];
    stream.read_exact(&mut version).await?;
    assert!(version.starts_with(b"RFB 003."), "the stream speaks RFB: {version:?}");
    stream.write_all(b"RFB 003.008\n").await?;
    let mut types = vec![0; stream.read_u8().await?.into()];
    stream.read_exact(&mut types).await?;
    assert!(types.contains(&1), "no password is asked for: {types:?}");
    stream.write_all(&[1]).await?;
    assert_eq!(stream.read_u32().await?, 0, "security None is accepted");
    stream.write_all(&[1]).await?;
    let (width, height) = (stream.read_u16().await?, stream.read_u16().await?);
    assert!(width > 0 && height > 0, "the screen has a size: {width}×{height}");
    Ok(())
}

async fn a_session_lives_and_ends<E: Environment>(trial: &mut Trial<E>) {
    let id = trial.running().await;
    assert_eq!(
        trial.observed(id).await,
        Some(true),
        "a ready session is listed as ready"
    );
    let mut first = trial.connect(id).await;
    let second = trial.connect(id).await;
    drop(second);
    drop(trial.connect(id).await);
    trial.stop(id).await;
    trial.is_gone(id).await;
    let ended = timeout(PATIENCE, async {
        let mut rest = [0; 4096];
        while let Ok(1..) = first.read(&mut rest).await {}
    });
    assert!(ended.await.is_ok(), "an open stream ends with its session");
    trial.is_silent();
}

async fn starting_twice_is_one_session<E: Environment>(trial: &mut Trial<E>) {
    let spec = trial.spec();
    trial.start(&spec).await;
    trial.start(&spec).await;
    trial.ready(spec.session_id).await;
    trial.start(&spec).await;
    assert_eq!(trial.observed(spec.session_id).await, Some(true));
    trial.is_silent();
    trial.stop(spec.session_id).await;
    trial.is_gone(spec.session_id).await;
}

async fn stopping_again_or_the_unknown_is_success<E: Environment>(trial: &mut Trial<E>) {
    let id = trial.running().await;
    let (one, two) = tokio::join!(trial.environment.stop(id), trial.environment.stop(id));
    assert!(one.is_ok() && two.is_ok(), "two stops at once: {one:?}, {two:?}");
    trial.stop(id).await;
    trial.is_gone(id).await;
    let unknown = SessionId(Uuid::now_v7());
    trial.stop(unknown).await;
    trial.is_gone(unknown).await;
    trial.is_silent();
}

async fn a_stop_while_it_starts_leaves_nothing<E: Environment>(trial: &mut Trial<E>) {
    let spec = trial.spec();
    trial.start(&spec).await;
    trial.stop(spec.session_id).await;
    trial.is_gone(spec.session_id).await;
    // It may have become ready before the stop. No other signal may follow.
    while let Ok(signal) = trial.received.try_recv() {
        assert_eq!(signal, Signal::Ready(spec.session_id));
    }
}

async fn sessions_do_not_disturb_each_other<E: Environment>(trial: &mut Trial<E>) {
    let (one, two) = (trial.running().await, trial.running().await);
    let _open = trial.connect(two).await;
    trial.stop(one).await;
    trial.is_gone(one).await;
    assert_eq!(trial.observed(two).await, Some(true), "the other one still runs");
    drop(trial.connect(two).await);
    trial.stop(two).await;
    trial.is_silent();
}

async fn an_empty_command_is_refused<E: Environment>(trial: &mut Trial<E>) {
    let spec = StartSpec {
        command: Vec::new(),
        allow_user_namespaces: false,
        ..trial.spec()
    };
    let refused = trial.environment.start(spec.clone()).await;
    assert!(
        matches!(refused, Err(EnvironmentError::Failed(_))),
        "start of nothing: {refused:?}"
    );
    assert_eq!(trial.observed(spec.session_id).await, None);
}
