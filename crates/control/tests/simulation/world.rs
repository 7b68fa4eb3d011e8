//! The world: nodes that come and go over one log, the places where their sessions run, and the tabs that people have open.

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
use session::{EnvironmentId, Origin, Role, Session, SessionId, Timestamp, UserId, wire::Me};
use store_testing::Memory;
use tokio::{
    sync::{Notify, mpsc},
    task::{AbortHandle, JoinSet},
    time::{Instant, sleep},
};

use super::{
    answers::Fate,
    book::Book,
    dice::Dice,
    furniture::{self, PLACES},
    ledger::Ledger,
    line::{Exchange, Line},
    place::{Door, Place},
    rules::Rule,
    tabs::Tab,
    weather::{Sky, Weather},
    wire::Wire,
};

/// All there is.
pub struct World {
    pub book: Arc<Book>,
    pub exchange: Arc<Exchange>,
    pub nodes: Vec<Node>,
    pub tabs: Mutex<Vec<Tab>>,
    /// When a tab of a session was used: not before, and not after.
    pub uses: Mutex<BTreeMap<SessionId, Vec<(Timestamp, Timestamp)>>>,
    /// Since when "Connected" is not what the tabs say, and how long it may be so.
    pub untrue: Mutex<BTreeMap<SessionId, (Instant, Duration)>>,
    /// Who was answered that a session is expired.
    pub expired: Mutex<BTreeMap<SessionId, BTreeSet<usize>>>,
    /// What became of each request.
    pub fates: Mutex<BTreeMap<u32, Fate>>,
    asked: AtomicU32,
    boots: AtomicU32,
}

/// A server.
pub struct Node {
    pub places: Vec<(EnvironmentId, Arc<Place>)>,
    state: Mutex<State>,
}

struct State {
    life: u32,
    wire: Arc<Wire>,
    up: Option<(Arc<Control>, JoinSet<()>)>,
    booting: Option<AbortHandle>,
}

impl World {
    /// A furnished world whose nodes are about to start.
    pub async fn new(seed: u64, nodes: usize, sky: Sky) -> Arc<Self> {
        let book = Arc::new(Book::new());
        let weather = Arc::new(Weather::new(sky));
        let ledger = Arc::new(Ledger::new(book.clone()));
        let exchange = Arc::new(Exchange {
            memory: Memory::new(),
            ledger: ledger.clone(),
            weather: weather.clone(),
            news: (0..nodes).map(|_| Notify::new()).collect(),
            dice: Mutex::new(Dice::new(seed, 1)),
        });
        furniture::furnish(&exchange.memory, book.now()).await;
        ledger.look(&exchange.memory).await;
        let place = |node: usize, (number, id): (usize, &EnvironmentId)| {
            let name = u64::try_from(100 + 10 * node + number).unwrap_or_default();
            (*id, Place::new(weather.clone(), book.clone(), Dice::new(seed, name)))
        };
        let node = |number| Node {
            places: PLACES.iter().enumerate().map(|each| place(number, each)).collect(),
            state: Mutex::new(State {
                life: 0,
                wire: Arc::new(Wire::new()),
                up: None,
                booting: None,
            }),
        };
        let world = Arc::new(Self {
            book: book.clone(),
            exchange,
            nodes: (0..nodes).map(node).collect(),
            tabs: Mutex::default(),
            uses: Mutex::default(),
            untrue: Mutex::default(),
            expired: Mutex::default(),
            fates: Mutex::default(),
            asked: AtomicU32::new(0),
            boots: AtomicU32::new(0),
        });
        for number in 0..nodes {
            world.boot(number, Duration::ZERO);
        }
        world
    }

    /// The log's rows.
    pub fn ledger(&self) -> &Ledger {
        &self.exchange.ledger
    }

    /// The weather.
    pub fn weather(&self) -> &Weather {
        &self.exchange.weather
    }

    /// How long nothing has been wrong, and every node was up.
    pub fn quiet_for(&self) -> Duration {
        if self.all_up() {
            self.weather().quiet_for()
        } else {
            Duration::ZERO
        }
    }

    /// The node of a number, or one after it that is up.
    pub fn some_node(&self, number: usize) -> Option<(usize, Arc<Control>)> {
        let places = 0..self.nodes.len();
        let mut numbers = places.map(|offset| (number + offset) % self.nodes.len());
        numbers.find_map(|number| Some((number, self.control(number)?)))
    }

    /// A node that is up and not cut off.
    pub fn control(&self, number: usize) -> Option<Arc<Control>> {
        let state = self.nodes.get(number)?.state.lock();
        let up = state.up.as_ref().filter(|_| !state.wire.dead());
        up.map(|(control, _)| control.clone())
    }

    /// Which life of a node it is; `None` while it is dead.
    pub fn life(&self, number: usize) -> Option<u32> {
        let state = self.nodes[number].state.lock();
        (state.up.is_some() && !state.wire.dead()).then_some(state.life)
    }

    /// The wire of a node's life.
    pub fn wire(&self, number: usize) -> Arc<Wire> {
        self.nodes[number].state.lock().wire.clone()
    }

    /// Are all nodes up?
    pub fn all_up(&self) -> bool {
        (0..self.nodes.len()).all(|number| self.control(number).is_some())
    }

    /// The node that runs a session.
    pub fn host(&self, session: &Session) -> usize {
        let mut numbers = 0..self.nodes.len();
        let host = numbers.find(|number| *name_of(*number) == *session.node);
        host.unwrap_or_default()
    }

    /// Does the application of a session run?
    pub fn runs(&self, session: &Session) -> bool {
        self.place(session)
            .is_some_and(|place| place.running().contains_key(&session.id))
    }

    /// Where a session runs.
    pub fn place(&self, session: &Session) -> Option<&Arc<Place>> {
        let places = &self.nodes.get(self.host(session))?.places;
        let place = places.iter().find(|(id, _)| *id == session.environment_id);
        place.map(|(_, place)| place)
    }

    /// A person who asks for something, with the number of the request.
    pub fn person(&self, id: UserId, role: Role) -> (u32, Me) {
        let number = self.asked.fetch_add(1, Ordering::Relaxed);
        let origin = Origin {
            address: "10.0.0.1".into(),
            request_id: number.to_string().into(),
        };
        let me = Me {
            user_id: id,
            username: furniture::name(id),
            role,
            must_change_password: false,
            origin: Some(origin),
            login: None,
        };
        (number, me)
    }

    /// The administrator.
    pub fn admin(&self) -> (u32, Me) {
        self.person(furniture::ADMIN, Role::SystemAdmin)
    }

    /// Starts a node after a while; again and again, until it is up.
    pub fn boot(self: &Arc<Self>, number: usize, after: Duration) {
        let world = self.clone();
        // New at once: what dies while it starts is buried, and not what has been.
        let mut wire = Arc::new(Wire::new());
        self.nodes[number].state.lock().wire = wire.clone();
        let task = tokio::spawn(async move {
            sleep(after).await;
            while let Err(error) = world.clone().come_up(number, wire.clone()).await {
                world.book.say(format_args!("node {number} could not start: {error}"));
                wire.cut();
                sleep(Duration::from_secs(1)).await;
                wire = Arc::new(Wire::new());
                world.nodes[number].state.lock().wire = wire.clone();
            }
        });
        self.nodes[number].state.lock().booting = Some(task.abort_handle());
    }

    async fn come_up(self: Arc<Self>, number: usize, wire: Arc<Wire>) -> control::Result<()> {
        self.boots.fetch_add(1, Ordering::Relaxed);
        let node = &self.nodes[number];
        let line = Arc::new(Line::new(self.exchange.clone(), wire.clone(), number));
        let (signals, received) = mpsc::unbounded_channel();
        let mut environments: HashMap<EnvironmentId, Arc<dyn Environment>> = HashMap::new();
        for (id, place) in &node.places {
            place.listen(signals.clone());
            environments.insert(*id, Arc::new(Door::new(place.clone(), wire.clone())));
        }
        let options = Options {
            node: name_of(number),
            node_url: "here".into(),
            // As it is set where the log is a file: a tab survives that the machine sleeps.
            lost_after: (self.nodes.len() > 1).then(|| TimeDelta::seconds(10)),
            ..Options::default()
        };
        let control = Control::open(line, environments, self.book.clone(), options).await?;
        let mut tasks = control.start(received).await;
        let (broken, watched) = (control.clone(), wire.clone());
        tasks.spawn(async move {
            broken.broken().await;
            watched.cut();
        });
        let mut state = node.state.lock();
        state.life += 1;
        state.up = Some((control, tasks));
        state.booting = None;
        drop(state);
        self.book.say(format_args!("node {number} is up"));
        self.weather().disturb();
        Ok(())
    }

    /// Buries the nodes that died, and has them start again.
    pub fn bury(self: &Arc<Self>, down: impl Fn(usize) -> Duration, takes_all: bool) {
        for (number, node) in self.nodes.iter().enumerate() {
            let mut state = node.state.lock();
            let stillborn = state.wire.dead() && state.booting.is_some();
            if !state.wire.dead() || (state.up.is_none() && !stillborn) {
                continue;
            }
            if let Some(booting) = state.booting.take() {
                booting.abort();
            }
            state.up = None;
            drop(state);
            self.book.say(format_args!("node {number} is dead"));
            for (_, place) in &node.places {
                place.node_died(takes_all);
            }
            self.weather().disturb();
            self.boot(number, down(number));
        }
    }

    /// A node takes leave: tabs are told, what is queued is written, then it starts anew.
    pub fn restart(self: &Arc<Self>, number: usize) {
        let Some(control) = self.control(number) else { return };
        let wire = self.wire(number);
        tokio::spawn(async move {
            control.drain();
            sleep(Duration::from_millis(100)).await;
            // The server waits no longer than this, either.
            let _ = tokio::time::timeout(Duration::from_secs(2), control.flush()).await;
            wire.cut();
        });
    }

    /// Counts sweeps: no environment is asked more often than turns were given and nodes started.
    pub fn count_sweeps(&self) {
        let turns = self.ledger().turns() + self.boots.load(Ordering::Relaxed);
        for place in self.nodes.iter().flat_map(|node| &node.places) {
            let asked = place.1.observed();
            if asked > turns {
                self.book.broken(
                    Rule::OneSweep,
                    format_args!("an environment was asked {asked} times in {turns} turns"),
                );
            }
        }
    }
}

/// What a node is called.
fn name_of(number: usize) -> Arc<str> {
    format!("node{number}").into()
}
