//! The world of a run: nodes that start and crash over one store, the backends that run their
//! applications, and the open tabs.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use chrono::TimeDelta;
use control::{Clock, Control, Options};
use environments::Environment;
use parking_lot::Mutex;
use session::{EnvironmentId, Origin, Role, Session, SessionId, Timestamp, UserId, api::Me};
use store_testing::Memory;
use tokio::{
    sync::{Notify, mpsc},
    task::{AbortHandle, JoinSet},
    time::{Instant, sleep},
};

use super::{
    answers::Outcome,
    crash_switch::CrashSwitch,
    faults::{FaultRates, Faults},
    faulty_environment::{Backend, FaultyEnvironment},
    faulty_store::{FaultyStore, SharedStore},
    recorder::Recorder,
    rng::Rng,
    row_invariants::Rows,
    rules::Rule,
    seed_data::{self, ENVIRONMENTS},
    tabs::Tab,
};

/// The state of one run.
pub struct World {
    pub recorder: Arc<Recorder>,
    pub shared: Arc<SharedStore>,
    pub nodes: Vec<Node>,
    pub tabs: Mutex<Vec<Tab>>,
    /// The uses of the tabs of a session. Each is known as an interval: not before, and not after.
    pub uses: Mutex<BTreeMap<SessionId, Vec<(Timestamp, Timestamp)>>>,
    /// Sessions whose “connected” disagrees with the tabs: since this moment, for at most this
    /// duration.
    pub mismatched: Mutex<BTreeMap<SessionId, (Instant, Duration)>>,
    /// The nodes that answered that a session is expired.
    pub expired: Mutex<BTreeMap<SessionId, BTreeSet<usize>>>,
    /// The outcome of each request by its number.
    pub outcomes: Mutex<BTreeMap<u32, Outcome>>,
    requests: AtomicU32,
    boots: AtomicU32,
}

/// A node, over all its incarnations.
pub struct Node {
    pub backends: Vec<(EnvironmentId, Arc<Backend>)>,
    state: Mutex<State>,
}

struct State {
    incarnation: u32,
    switch: Arc<CrashSwitch>,
    up: Option<(Arc<Control>, JoinSet<()>)>,
    booting: Option<AbortHandle>,
}

impl World {
    /// A world with the initial data, whose nodes are about to start.
    pub async fn new(seed: u64, nodes: usize, rates: FaultRates) -> Arc<Self> {
        let recorder = Arc::new(Recorder::new());
        let faults = Arc::new(Faults::new(rates));
        let rows = Arc::new(Rows::new(recorder.clone()));
        let shared = Arc::new(SharedStore {
            memory: Memory::new(),
            rows: rows.clone(),
            faults: faults.clone(),
            notifications: (0..nodes).map(|_| Notify::new()).collect(),
            rng: Mutex::new(Rng::new(seed, 1)),
        });
        seed_data::seed(&shared.memory, recorder.now()).await;
        rows.check_transaction(&shared.memory).await;
        let backend = |node: usize, (number, id): (usize, &EnvironmentId)| {
            let name = u64::try_from(100 + 10 * node + number).unwrap_or_default();
            (
                *id,
                Backend::new(faults.clone(), recorder.clone(), Rng::new(seed, name)),
            )
        };
        let node = |number| Node {
            backends: ENVIRONMENTS
                .iter()
                .enumerate()
                .map(|each| backend(number, each))
                .collect(),
            state: Mutex::new(State {
                incarnation: 0,
                switch: Arc::new(CrashSwitch::new()),
                up: None,
                booting: None,
            }),
        };
        let world = Arc::new(Self {
            recorder: recorder.clone(),
            shared,
            nodes: (0..nodes).map(node).collect(),
            tabs: Mutex::default(),
            uses: Mutex::default(),
            mismatched: Mutex::default(),
            expired: Mutex::default(),
            outcomes: Mutex::default(),
            requests: AtomicU32::new(0),
            boots: AtomicU32::new(0),
        });
        for number in 0..nodes {
            world.boot(number, Duration::ZERO);
        }
        world
    }

    /// The rows of the store.
    pub fn rows(&self) -> &Rows {
        &self.shared.rows
    }

    /// The fault rates.
    pub fn faults(&self) -> &Faults {
        &self.shared.faults
    }

    /// The time since the last fault; zero unless every node is up.
    pub fn quiet_for(&self) -> Duration {
        if self.all_up() {
            self.faults().quiet_for()
        } else {
            Duration::ZERO
        }
    }

    /// This node, or the next one that is up.
    pub fn running_node(&self, number: usize) -> Option<(usize, Arc<Control>)> {
        let backends = 0..self.nodes.len();
        let mut numbers = backends.map(|offset| (number + offset) % self.nodes.len());
        numbers.find_map(|number| Some((number, self.control(number)?)))
    }

    /// The use-cases of a node; `None` while it is down.
    pub fn control(&self, number: usize) -> Option<Arc<Control>> {
        let state = self.nodes.get(number)?.state.lock();
        let up = state.up.as_ref().filter(|_| !state.switch.crashed());
        up.map(|(control, _)| control.clone())
    }

    /// The number of the node's current incarnation; `None` while it is down.
    pub fn incarnation(&self, number: usize) -> Option<u32> {
        let state = self.nodes[number].state.lock();
        (state.up.is_some() && !state.switch.crashed()).then_some(state.incarnation)
    }

    /// The crash switch of the node's current incarnation.
    pub fn switch(&self, number: usize) -> Arc<CrashSwitch> {
        self.nodes[number].state.lock().switch.clone()
    }

    /// Are all nodes up?
    pub fn all_up(&self) -> bool {
        (0..self.nodes.len()).all(|number| self.control(number).is_some())
    }

    /// The node that hosts a session.
    pub fn host(&self, session: &Session) -> usize {
        let mut numbers = 0..self.nodes.len();
        let host = numbers.find(|number| *name_of(*number) == *session.node);
        host.unwrap_or_default()
    }

    /// Does the application of a session run?
    pub fn runs(&self, session: &Session) -> bool {
        self.backend(session)
            .is_some_and(|backend| backend.running().contains_key(&session.id))
    }

    /// The backend that runs a session.
    pub fn backend(&self, session: &Session) -> Option<&Arc<Backend>> {
        let backends = &self.nodes.get(self.host(session))?.backends;
        let backend = backends.iter().find(|(id, _)| *id == session.environment_id);
        backend.map(|(_, backend)| backend)
    }

    /// A new request of a person: its number, and the identity.
    pub fn request_by(&self, id: UserId, role: Role) -> (u32, Me) {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        let origin = Origin {
            address: "10.0.0.1".into(),
            request_id: number.to_string().into(),
        };
        let me = Me {
            user_id: id,
            username: seed_data::name(id),
            role,
            must_change_password: false,
            origin: Some(origin),
            login: None,
        };
        (number, me)
    }

    /// A new request of the administrator.
    pub fn admin_request(&self) -> (u32, Me) {
        self.request_by(seed_data::ADMIN, Role::SystemAdmin)
    }

    /// Starts a node after a delay. Retries until it is up.
    pub fn boot(self: &Arc<Self>, number: usize, after: Duration) {
        let world = self.clone();
        // Replaced at once: a crash during the start must hit the new incarnation, not the old one.
        let mut switch = Arc::new(CrashSwitch::new());
        self.nodes[number].state.lock().switch = switch.clone();
        let task = tokio::spawn(async move {
            sleep(after).await;
            while let Err(error) = world.clone().start_node(number, switch.clone()).await {
                world
                    .recorder
                    .note(format_args!("node {number} could not start: {error}"));
                switch.crash();
                sleep(Duration::from_secs(1)).await;
                switch = Arc::new(CrashSwitch::new());
                world.nodes[number].state.lock().switch = switch.clone();
            }
        });
        self.nodes[number].state.lock().booting = Some(task.abort_handle());
    }

    async fn start_node(self: Arc<Self>, number: usize, switch: Arc<CrashSwitch>) -> control::Result<()> {
        self.boots.fetch_add(1, Ordering::Relaxed);
        let node = &self.nodes[number];
        let store = Arc::new(FaultyStore::new(self.shared.clone(), switch.clone(), number));
        let (signals, received) = mpsc::unbounded_channel();
        let mut environments: HashMap<EnvironmentId, Arc<dyn Environment>> = HashMap::new();
        for (id, backend) in &node.backends {
            backend.connect_signals(signals.clone());
            environments.insert(*id, Arc::new(FaultyEnvironment::new(backend.clone(), switch.clone())));
        }
        let options = Options {
            node: name_of(number),
            node_url: "here".into(),
            // As the server sets it. With a file as the log (one node), tabs survive a sleep of the
            // machine.
            lost_after: (self.nodes.len() > 1).then(|| TimeDelta::seconds(10)),
            ..Options::default()
        };
        let control = Control::open(store, environments, self.recorder.clone(), options).await?;
        let mut tasks = control.start(received).await;
        let (watched, to_crash) = (control.clone(), switch.clone());
        tasks.spawn(async move {
            watched.wait_until_broken().await;
            to_crash.crash();
        });
        let mut state = node.state.lock();
        state.incarnation += 1;
        state.up = Some((control, tasks));
        state.booting = None;
        drop(state);
        self.recorder.note(format_args!("node {number} is up"));
        self.faults().disturb();
        Ok(())
    }

    /// Removes crashed nodes, and starts them again.
    pub fn reap_crashed_nodes(self: &Arc<Self>, down: impl Fn(usize) -> Duration, kills_applications: bool) {
        for (number, node) in self.nodes.iter().enumerate() {
            let mut state = node.state.lock();
            let crashed_at_start = state.switch.crashed() && state.booting.is_some();
            if !state.switch.crashed() || (state.up.is_none() && !crashed_at_start) {
                continue;
            }
            if let Some(booting) = state.booting.take() {
                booting.abort();
            }
            state.up = None;
            drop(state);
            self.recorder.note(format_args!("node {number} is dead"));
            for (_, backend) in &node.backends {
                backend.on_node_crash(kills_applications);
            }
            self.faults().disturb();
            self.boot(number, down(number));
        }
    }

    /// Shuts a node down: drain, flush, then start again.
    pub fn restart(self: &Arc<Self>, number: usize) {
        let Some(control) = self.control(number) else { return };
        let switch = self.switch(number);
        tokio::spawn(async move {
            control.begin_shutdown();
            sleep(Duration::from_millis(100)).await;
            // The server has the same timeout.
            let _ = tokio::time::timeout(Duration::from_secs(2), control.flush()).await;
            switch.crash();
        });
    }

    /// Checks that no environment was asked more often than turns were granted and nodes were
    /// started.
    pub fn check_sweep_count(&self) {
        let turns = self.rows().turns() + self.boots.load(Ordering::Relaxed);
        for backend in self.nodes.iter().flat_map(|node| &node.backends) {
            let asked = backend.1.observed();
            if asked > turns {
                self.recorder.violated(
                    Rule::OneSweep,
                    format_args!("an environment was asked {asked} times in {turns} turns"),
                );
            }
        }
    }
}

/// The name of a node.
fn name_of(number: usize) -> Arc<str> {
    format!("node{number}").into()
}
