//! The port, with its faults.

use std::{
    collections::{HashMap, hash_map::Entry},
    ops::RangeInclusive,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use environments::{Duplex, Environment, EnvironmentError, Observed, Signal, Signals, StartSpec};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use session::{SessionId, UserId};
use tokio::{io::duplex, time::sleep};
use tokio_util::sync::CancellationToken;

use crate::screen;

/// The kind, in the catalogue.
pub const KIND: &str = "simulated";

/// The size of a stream's buffer in each direction, in bytes.
const STREAM: usize = 64 * 1024;

/// An argument that makes an application impossible to stop, for trials of that case.
const NEVER_STOPS: &str = "--never-stops";

/// The behaviour of a simulated environment. All randomness comes from `seed`, in the order of the
/// starts.
#[derive(Clone, Debug, PartialEq)]
pub struct SimulatedPlan {
    /// The seed of the random numbers.
    pub seed: u64,
    /// The range of the duration of a start, evenly distributed.
    pub start_delay: RangeInclusive<Duration>,
    /// The probability that a start ends in [`Signal::Lost`] instead of Ready, from 0 to 1.
    pub start_failures: f64,
    /// The starts that always fail, counted from 0.
    pub failing_starts: Vec<u64>,
    /// Programs that appear to be missing.
    pub missing_programs: Vec<String>,
    /// The duration of a stop.
    pub stop_delay: Duration,
    /// The number of stops that fail, over all sessions, before stops succeed. The session then
    /// keeps running.
    pub failing_stops: u32,
}

impl Default for SimulatedPlan {
    /// Nothing fails and nothing takes time.
    fn default() -> Self {
        Self {
            seed: 0,
            start_delay: Duration::ZERO..=Duration::ZERO,
            start_failures: 0.0,
            failing_starts: Vec::new(),
            missing_programs: Vec::new(),
            stop_delay: Duration::ZERO,
            failing_stops: 0,
        }
    }
}

/// An environment that only simulates sessions.
#[derive(Debug)]
pub struct Simulated {
    plan: SimulatedPlan,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    chance: StdRng,
    starts: u64,
    failing_stops: u32,
    unreachable: bool,
    home_size: u64,
    sessions: HashMap<SessionId, Simulation>,
    signals: Signals,
}

#[derive(Debug)]
struct Simulation {
    ready: bool,
    /// Every stop of it fails.
    stuck: bool,
    /// Cancels its start and its streams.
    end: CancellationToken,
}

impl Simulated {
    /// An environment without sessions.
    pub fn new(plan: SimulatedPlan, signals: Signals) -> Arc<Self> {
        let state = State {
            chance: StdRng::seed_from_u64(plan.seed),
            starts: 0,
            failing_stops: plan.failing_stops,
            unreachable: false,
            home_size: 0,
            sessions: HashMap::new(),
            signals,
        };
        Arc::new(Self {
            plan,
            state: Arc::new(Mutex::new(state)),
        })
    }

    /// Ends a session like a crash. False if there is no such session.
    pub fn lose(&self, id: SessionId, why: &str) -> bool {
        self.state().lose(id, why)
    }

    /// Ends a session without a signal, like a host that loses power: only `observe` shows it.
    /// False if there is no such session.
    pub fn vanish(&self, id: SessionId) -> bool {
        self.state().remove(id)
    }

    /// Sets the number of stops that fail from now on.
    pub fn fail_stops(&self, many: u32) {
        self.state().failing_stops = many;
    }

    /// Makes every call fail, like a lost connection to the environment, or ends that.
    pub fn set_unreachable(&self, unreachable: bool) {
        self.state().unreachable = unreachable;
    }

    /// Sets the size of everybody's kept home, in bytes.
    pub fn set_home_size(&self, size: u64) {
        self.state().home_size = size;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

impl Drop for Simulated {
    fn drop(&mut self) {
        for simulation in self.state().sessions.values() {
            simulation.end.cancel();
        }
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl State {
    fn reachable(&self) -> Result<(), EnvironmentError> {
        if self.unreachable {
            return Err(EnvironmentError::Failed(
                "the simulated environment does not answer".to_owned(),
            ));
        }
        Ok(())
    }

    /// Draws the delay and the failure of a start. The number of draws is constant, so a change of
    /// the plan's failures does not change the delays.
    fn draw(&mut self, plan: &SimulatedPlan) -> (Duration, bool) {
        let (least, most) = (*plan.start_delay.start(), *plan.start_delay.end());
        let delay = least + most.saturating_sub(least).mul_f64(self.chance.random::<f64>());
        let fails = self.chance.random::<f64>() < plan.start_failures || plan.failing_starts.contains(&self.starts);
        self.starts += 1;
        (delay, fails)
    }

    fn remove(&mut self, id: SessionId) -> bool {
        let simulation = self.sessions.remove(&id);
        simulation.inspect(|simulation| simulation.end.cancel()).is_some()
    }

    fn lose(&mut self, id: SessionId, why: &str) -> bool {
        let lost = self.remove(id);
        if lost {
            self.report(Signal::Lost(id, why.to_owned()));
        }
        lost
    }

    fn report(&self, signal: Signal) {
        if self.signals.send(signal).is_err() {
            tracing::debug!("dropped a signal: the server no longer receives them");
        }
    }
}

#[async_trait]
impl Environment for Simulated {
    fn kind(&self) -> &'static str {
        KIND
    }

    async fn start(&self, spec: StartSpec) -> Result<(), EnvironmentError> {
        let Some(program) = spec.command.first() else {
            return Err(EnvironmentError::Failed("the application has no command".to_owned()));
        };
        if self.plan.missing_programs.contains(program) {
            return Err(EnvironmentError::Missing {
                program: program.clone(),
            });
        }
        let id = spec.session_id;
        let end = CancellationToken::new();
        let (delay, fails) = {
            let mut state = self.state();
            state.reachable()?;
            match state.sessions.entry(id) {
                Entry::Occupied(_) => return Ok(()),
                Entry::Vacant(free) => free.insert(Simulation {
                    ready: false,
                    stuck: spec.command.iter().any(|word| word == NEVER_STOPS),
                    end: end.clone(),
                }),
            };
            state.draw(&self.plan)
        };
        let state = Arc::clone(&self.state);
        tokio::spawn(end.clone().run_until_cancelled_owned(async move {
            sleep(delay).await;
            let mut state = lock(&state);
            if end.is_cancelled() {
                return;
            }
            if fails {
                state.lose(id, "the simulated application failed to start");
            } else if let Some(simulation) = state.sessions.get_mut(&id) {
                simulation.ready = true;
                state.report(Signal::Ready(id));
            }
        }));
        Ok(())
    }

    async fn home_size(&self, _person: UserId, enough: u64) -> Result<u64, EnvironmentError> {
        let state = self.state();
        state.reachable()?;
        Ok(state.home_size.min(enough))
    }

    async fn observe(&self) -> Result<Vec<Observed>, EnvironmentError> {
        let state = self.state();
        state.reachable()?;
        Ok(state
            .sessions
            .iter()
            .map(|(id, each)| Observed {
                session_id: *id,
                ready: each.ready,
            })
            .collect())
    }

    async fn stop(&self, id: SessionId) -> Result<(), EnvironmentError> {
        {
            let mut state = self.state();
            state.reachable()?;
            let Some(simulation) = state.sessions.get(&id) else {
                return Ok(());
            };
            if simulation.stuck || state.failing_stops > 0 {
                state.failing_stops = state.failing_stops.saturating_sub(1);
                return Err(EnvironmentError::Failed(
                    "the simulated environment could not end the session".to_owned(),
                ));
            }
        }
        if !self.plan.stop_delay.is_zero() {
            sleep(self.plan.stop_delay).await;
        }
        self.state().remove(id);
        Ok(())
    }

    async fn connect(&self, id: SessionId) -> Result<Box<dyn Duplex>, EnvironmentError> {
        let state = self.state();
        state.reachable()?;
        let simulation = state.sessions.get(&id).ok_or(EnvironmentError::Unknown(id))?;
        if !simulation.ready {
            return Err(EnvironmentError::Failed("the application is still starting".to_owned()));
        }
        let (ours, theirs) = duplex(STREAM);
        tokio::spawn(simulation.end.clone().run_until_cancelled_owned(async move {
            if let Err(error) = screen::serve(ours).await {
                tracing::debug!(session = %id, %error, "a simulated stream ended");
            }
        }));
        Ok(Box::new(theirs))
    }
}
