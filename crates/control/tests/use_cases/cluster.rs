//! The fixture with two nodes on one log, in the runtime's virtual time.
#![expect(clippy::unwrap_used, reason = "a cluster that can't be made is a failed test")]

use std::{
    collections::HashMap,
    future::pending,
    sync::{Arc, Weak},
    time::Duration,
};

use chrono::TimeDelta;
use control::{Attachment, Clock, Control, Options, Peers, Relay};
use environment_simulated::{Simulated, SimulatedPlan};
use environments::Environment;
use futures::future::BoxFuture;
use parking_lot::Mutex;
use session::{EventKind, Role, SessionId, Status, Timestamp, api::Me, view::View};
use store::Store;
use store_testing::Memory;
use tokio::{
    sync::mpsc,
    task::JoinSet,
    time::{Instant, sleep, timeout},
};

use crate::fixture::{DESKTOP, ENVIRONMENT, HOME, PASSWORD, client, seed};

/// A clock that follows the runtime's time.
pub struct Runtime(pub Instant);

impl Clock for Runtime {
    fn now(&self) -> Timestamp {
        Timestamp::from_timestamp(1_800_000_000, 0).unwrap() + TimeDelta::from_std(self.0.elapsed()).unwrap()
    }
}

/// Wakes the node of an address, as over the network.
#[derive(Clone, Debug, Default)]
pub struct FakeNetwork(pub Arc<Mutex<HashMap<Arc<str>, Weak<Control>>>>);

impl Peers for FakeNetwork {
    fn wake(&self, at: Relay) -> BoxFuture<'static, ()> {
        let control = self.0.lock().get(&at.url).and_then(Weak::upgrade);
        Box::pin(async move {
            match control {
                Some(control) if control.is_node(&at.secret) => control.read_log_now().await.unwrap(),
                // The node does not answer.
                _ => pending().await,
            }
        })
    }
}

pub struct Cluster {
    pub network: FakeNetwork,
    pub store: Arc<dyn Store>,
    pub clock: Arc<Runtime>,
    pub nodes: Vec<Node>,
    pub admin: Me,
    pub student: Me,
}

pub struct Node {
    pub control: Arc<Control>,
    pub environment: Arc<Simulated>,
    /// The background tasks; none while the node is frozen.
    pub tasks: JoinSet<()>,
}

impl Node {
    pub async fn new(name: &str, store: &Arc<dyn Store>, clock: &Arc<Runtime>, network: &FakeNetwork) -> Self {
        let (signals, received) = mpsc::unbounded_channel();
        let environment = Simulated::new(SimulatedPlan::default(), signals);
        let reached: Arc<dyn Environment> = environment.clone();
        let options = Options {
            node: name.into(),
            node_url: format!("http://{name}").into(),
            peers: Arc::new(network.clone()),
            ..Options::default()
        };
        let environments = HashMap::from([(ENVIRONMENT, reached)]);
        let control = Control::open(store.clone(), environments, clock.clone(), options)
            .await
            .unwrap();
        let tasks = control.start(received).await;
        Self {
            control,
            environment,
            tasks,
        }
    }

    /// Freezes the node like a machine that hangs.
    pub async fn freeze(&mut self) {
        self.tasks.shutdown().await;
    }

    /// Lets a frozen node go on.
    pub async fn thaw(&mut self) {
        let (_, nothing) = mpsc::unbounded_channel();
        self.tasks = self.control.run(nothing);
    }
}

impl Cluster {
    pub async fn new() -> Self {
        let store: Arc<dyn Store> = Arc::new(Memory::new());
        seed(&*store).await;
        let clock = Arc::new(Runtime(Instant::now()));
        let network = FakeNetwork::default();
        let nodes = vec![
            Node::new("a", &store, &clock, &network).await,
            Node::new("b", &store, &clock, &network).await,
        ];
        let control = &nodes[0].control;
        let mut people = Vec::new();
        for (name, role) in [("admin", Role::SystemAdmin), ("student", Role::User)] {
            control.add_user(name, PASSWORD, role).await.unwrap();
            let token = control.sign_in(name, PASSWORD, &client(HOME)).await.unwrap();
            // Each node reads the login with its first request.
            for node in &nodes {
                people.push(node.control.authenticate(&token).await.unwrap().unwrap());
            }
        }
        people.dedup();
        let [admin, student] = people.try_into().unwrap();
        let cluster = Self {
            network,
            store,
            clock,
            nodes,
            admin,
            student,
        };
        // Until each node has read the heartbeat of the other.
        sleep(Duration::from_secs(3)).await;
        cluster
    }

    /// Connects a node to the network, so that others can wake it.
    pub fn connect(&self, node: usize) {
        let control = &self.nodes[node].control;
        let address = format!("http://{}", ["a", "b"][node]).into();
        self.network.0.lock().insert(address, Arc::downgrade(control));
    }

    pub fn node(&self, node: usize) -> &Control {
        &self.nodes[node].control
    }

    /// Waits until the condition holds. Checks it after each change that the node shows.
    pub async fn wait_for(&self, node: usize, condition: impl Fn(&Self) -> bool) {
        let mut watch = self.nodes[node].control.watch(&self.admin, View::default()).unwrap();
        let seen = timeout(Duration::from_secs(60), async {
            while !condition(self) {
                watch.next().await.unwrap();
            }
        });
        seen.await.unwrap_or_else(|_| {
            panic!(
                "it did not come: {:?}",
                self.node(node).list(&self.admin, &View::default())
            )
        });
    }

    pub async fn active_on(&self, node: usize) -> SessionId {
        let id = self.nodes[node]
            .control
            .launch(&self.student, DESKTOP)
            .await
            .unwrap()
            .id;
        self.wait_for(node, |cluster| cluster.status(node, id) == Some(Status::Active))
            .await;
        id
    }

    pub async fn open_on(&self, node: usize, id: SessionId) -> Attachment {
        self.nodes[node].control.attach(&self.student, id).await.unwrap().0
    }

    pub fn status(&self, node: usize, id: SessionId) -> Option<Status> {
        let row = self.node(node).session(&self.admin, id).ok()?;
        Some(row.status)
    }

    pub fn connected(&self, node: usize, id: SessionId) -> bool {
        self.node(node).session(&self.admin, id).is_ok_and(|row| row.connected)
    }

    pub async fn count_events(&self, id: SessionId, what: fn(&EventKind) -> bool) -> usize {
        let events = self.store.events(id).await.unwrap();
        events.iter().filter(|event| what(&event.what)).count()
    }
}
