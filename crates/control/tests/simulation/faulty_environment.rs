//! An environment with injected faults: slow, failing, losing answers, with lost and reordered
//! signals. Its applications outlive the node, or end with it.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use environments::{Duplex, Environment, EnvironmentError, Observed, Signal, Signals, StartSpec};
use parking_lot::Mutex;
use session::SessionId;
use tokio::{io::duplex, time::sleep};

use super::{crash_switch::CrashSwitch, faults::Faults, recorder::Recorder, rng::Rng};

/// The applications of one node in one environment.
pub struct Backend {
    faults: Arc<Faults>,
    recorder: Arc<Recorder>,
    state: Mutex<State>,
}

struct State {
    rng: Rng,
    /// The running sessions; true = ready.
    running: BTreeMap<SessionId, bool>,
    /// The channel to the node, while the node is up.
    signals: Option<Signals>,
    unreachable: bool,
    never_stops: bool,
    observed: u32,
}

impl Backend {
    /// A backend that runs nothing.
    pub fn new(faults: Arc<Faults>, recorder: Arc<Recorder>, rng: Rng) -> Arc<Self> {
        Arc::new(Self {
            faults,
            recorder,
            state: Mutex::new(State {
                rng,
                running: BTreeMap::new(),
                signals: None,
                unreachable: false,
                never_stops: false,
                observed: 0,
            }),
        })
    }

    /// Connects the channel of the node's current incarnation.
    pub fn connect_signals(&self, signals: Signals) {
        self.state.lock().signals = Some(signals);
    }

    /// Handles a crash of the node. If `all`, its applications end with it.
    pub fn on_node_crash(&self, all: bool) {
        let mut state = self.state.lock();
        state.signals = None;
        if all {
            state.running.clear();
        }
    }

    /// Whether every call fails.
    pub fn set_unreachable(&self, unreachable: bool) {
        self.state.lock().unreachable = unreachable;
    }

    /// Whether every stop fails.
    pub fn set_never_stops(&self, never: bool) {
        self.state.lock().never_stops = never;
    }

    /// The running sessions; true = ready.
    pub fn running(&self) -> BTreeMap<SessionId, bool> {
        self.state.lock().running.clone()
    }

    /// The number of calls of `observe`.
    pub fn observed(&self) -> u32 {
        self.state.lock().observed
    }

    /// Ends an application without a signal.
    pub fn kill(&self, id: SessionId) -> bool {
        self.state.lock().running.remove(&id).is_some()
    }

    /// Ends an application with a signal.
    pub fn exit(self: &Arc<Self>, id: SessionId, crashed: bool) {
        if self.kill(id) {
            self.send_signal(if crashed {
                Signal::Lost(id, "it crashed".into())
            } else {
                Signal::Closed(id)
            });
        }
    }

    /// Sends a signal, which may be lost or delayed.
    fn send_signal(self: &Arc<Self>, signal: Signal) {
        let rates = self.faults.rates();
        let late = {
            let mut state = self.state.lock();
            if state.rng.percent(rates.signals_lost) {
                self.recorder.note(format_args!("  lost: {signal:?}"));
                return;
            }
            state.rng.millis(rates.signals_late)
        };
        let backend = self.clone();
        tokio::spawn(async move {
            sleep(late).await;
            if let Some(signals) = &backend.state.lock().signals {
                // This fails if the node is crashing, which is fine.
                let _ = signals.send(signal);
            }
        });
    }

    fn start_session(self: &Arc<Self>, id: SessionId) {
        let bad = self.faults.rates().start_fails;
        let (takes, fails, hangs) = {
            let mut state = self.state.lock();
            if state.running.contains_key(&id) {
                return;
            }
            state.running.insert(id, false);
            let rng = &mut state.rng;
            (rng.millis(1_500), rng.percent(bad), rng.percent(bad))
        };
        let backend = self.clone();
        tokio::spawn(async move {
            sleep(takes).await;
            if hangs {
                return;
            }
            if fails {
                return backend.exit(id, true);
            }
            if let Some(ready) = backend.state.lock().running.get_mut(&id) {
                *ready = true;
            } else {
                return;
            }
            backend.send_signal(Signal::Ready(id));
        });
    }
}

/// The environment as one incarnation of a node reaches it.
pub struct FaultyEnvironment {
    backend: Arc<Backend>,
    switch: Arc<CrashSwitch>,
}

impl FaultyEnvironment {
    /// The environment of this incarnation.
    pub fn new(backend: Arc<Backend>, switch: Arc<CrashSwitch>) -> Self {
        Self { backend, switch }
    }

    async fn delay(&self) {
        let most = self.backend.faults.rates().environment_slow;
        let pause = self.backend.state.lock().rng.millis(most);
        sleep(pause).await;
        self.switch.proceed().await;
    }

    async fn request(&self) -> Result<(), EnvironmentError> {
        self.switch.proceed().await;
        self.delay().await;
        let mut state = self.backend.state.lock();
        if state.unreachable || state.rng.percent(self.backend.faults.rates().environment_fails) {
            return Err(EnvironmentError::Failed("the environment does not answer".into()));
        }
        Ok(())
    }

    /// The way of the answer to the node. The answer may be lost here.
    async fn respond(&self) -> Result<(), EnvironmentError> {
        self.delay().await;
        if self
            .backend
            .state
            .lock()
            .rng
            .percent(self.backend.faults.rates().environment_loses_answer)
        {
            return Err(EnvironmentError::Failed(
                "the answer of the environment was lost".into(),
            ));
        }
        Ok(())
    }
}

#[async_trait]
impl Environment for FaultyEnvironment {
    fn kind(&self) -> &'static str {
        "simulation"
    }

    async fn start(&self, spec: StartSpec) -> Result<(), EnvironmentError> {
        self.request().await?;
        self.backend.start_session(spec.session_id);
        self.respond().await
    }

    async fn observe(&self) -> Result<Vec<Observed>, EnvironmentError> {
        self.switch.proceed().await;
        self.backend.state.lock().observed += 1;
        self.request().await?;
        let seen = self.backend.running();
        self.respond().await?;
        let observed = |(session_id, ready)| Observed { session_id, ready };
        Ok(seen.into_iter().map(observed).collect())
    }

    async fn stop(&self, id: SessionId) -> Result<(), EnvironmentError> {
        self.request().await?;
        {
            let mut state = self.backend.state.lock();
            if state.never_stops && state.running.contains_key(&id) {
                return Err(EnvironmentError::Failed("it does not stop".into()));
            }
            state.running.remove(&id);
        }
        self.respond().await
    }

    async fn connect(&self, id: SessionId) -> Result<Box<dyn Duplex>, EnvironmentError> {
        self.request().await?;
        match self.backend.running().get(&id) {
            Some(true) => {}
            Some(false) => return Err(EnvironmentError::Failed("it is still starting".into())),
            None => return Err(EnvironmentError::Unknown(id)),
        }
        self.respond().await?;
        // The simulation reads no bytes. Its tabs check whether the application still runs.
        Ok(Box::new(duplex(1).0))
    }
}
