//! An environment that fails: slow, refusing, forgetful, and with signals that are lost or overtake each other. What it runs
//! outlives its node, or dies with it.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use environments::{Duplex, Environment, EnvironmentError, Observed, Signal, Signals, StartSpec};
use parking_lot::Mutex;
use session::SessionId;
use tokio::{io::duplex, time::sleep};

use super::{book::Book, dice::Dice, weather::Weather, wire::Wire};

/// Where sessions of one node run.
pub struct Place {
    weather: Arc<Weather>,
    book: Arc<Book>,
    state: Mutex<State>,
}

struct State {
    dice: Dice,
    /// Session → is it ready?
    running: BTreeMap<SessionId, bool>,
    /// Where the node listens, while it lives.
    signals: Option<Signals>,
    unreachable: bool,
    never_stops: bool,
    observed: u32,
}

impl Place {
    /// An empty one.
    pub fn new(weather: Arc<Weather>, book: Arc<Book>, dice: Dice) -> Arc<Self> {
        Arc::new(Self {
            weather,
            book,
            state: Mutex::new(State {
                dice,
                running: BTreeMap::new(),
                signals: None,
                unreachable: false,
                never_stops: false,
                observed: 0,
            }),
        })
    }

    /// Its node listens here from now on.
    pub fn listen(&self, signals: Signals) {
        self.state.lock().signals = Some(signals);
    }

    /// Its node is dead, and perhaps all that ran here with it.
    pub fn node_died(&self, all: bool) {
        let mut state = self.state.lock();
        state.signals = None;
        if all {
            state.running.clear();
        }
    }

    /// Answers nothing, or does again.
    pub fn set_unreachable(&self, unreachable: bool) {
        self.state.lock().unreachable = unreachable;
    }

    /// Stops nothing, or does again.
    pub fn set_never_stops(&self, never: bool) {
        self.state.lock().never_stops = never;
    }

    /// What runs.
    pub fn running(&self) -> BTreeMap<SessionId, bool> {
        self.state.lock().running.clone()
    }

    /// How often it was asked what runs.
    pub fn observed(&self) -> u32 {
        self.state.lock().observed
    }

    /// A session ends without a word.
    pub fn vanish(&self, id: SessionId) -> bool {
        self.state.lock().running.remove(&id).is_some()
    }

    /// A session ends with one.
    pub fn end(self: &Arc<Self>, id: SessionId, crashed: bool) {
        if self.vanish(id) {
            self.say(if crashed {
                Signal::Lost(id, "it crashed".into())
            } else {
                Signal::Closed(id)
            });
        }
    }

    /// Sends a signal, which may be lost or late.
    fn say(self: &Arc<Self>, signal: Signal) {
        let sky = self.weather.sky();
        let late = {
            let mut state = self.state.lock();
            if state.dice.percent(sky.signals_lost) {
                self.book.say(format_args!("  lost: {signal:?}"));
                return;
            }
            state.dice.millis(sky.signals_late)
        };
        let place = self.clone();
        tokio::spawn(async move {
            sleep(late).await;
            if let Some(signals) = &place.state.lock().signals {
                // Its node may just be about to die.
                let _ = signals.send(signal);
            }
        });
    }

    fn begin(self: &Arc<Self>, id: SessionId) {
        let bad = self.weather.sky().starts_badly;
        let (takes, fails, hangs) = {
            let mut state = self.state.lock();
            if state.running.contains_key(&id) {
                return;
            }
            state.running.insert(id, false);
            let dice = &mut state.dice;
            (dice.millis(1_500), dice.percent(bad), dice.percent(bad))
        };
        let place = self.clone();
        tokio::spawn(async move {
            sleep(takes).await;
            if hangs {
                return;
            }
            if fails {
                return place.end(id, true);
            }
            if let Some(ready) = place.state.lock().running.get_mut(&id) {
                *ready = true;
            } else {
                return;
            }
            place.say(Signal::Ready(id));
        });
    }
}

/// One life of a node at its place.
pub struct Door {
    place: Arc<Place>,
    wire: Arc<Wire>,
}

impl Door {
    /// The way of this life.
    pub fn new(place: Arc<Place>, wire: Arc<Wire>) -> Self {
        Self { place, wire }
    }

    async fn delay(&self) {
        let most = self.place.weather.sky().place_slow;
        let pause = self.place.state.lock().dice.millis(most);
        sleep(pause).await;
        self.wire.pass().await;
    }

    async fn there(&self) -> Result<(), EnvironmentError> {
        self.wire.pass().await;
        self.delay().await;
        let mut state = self.place.state.lock();
        if state.unreachable || state.dice.percent(self.place.weather.sky().place_fails) {
            return Err(EnvironmentError::Failed("the place does not answer".into()));
        }
        Ok(())
    }

    /// Back with the answer, or without.
    async fn back(&self) -> Result<(), EnvironmentError> {
        self.delay().await;
        if self
            .place
            .state
            .lock()
            .dice
            .percent(self.place.weather.sky().place_forgets)
        {
            return Err(EnvironmentError::Failed("the place's answer was lost".into()));
        }
        Ok(())
    }
}

#[async_trait]
impl Environment for Door {
    fn kind(&self) -> &'static str {
        "simulation"
    }

    async fn start(&self, spec: StartSpec) -> Result<(), EnvironmentError> {
        self.there().await?;
        self.place.begin(spec.session_id);
        self.back().await
    }

    async fn observe(&self) -> Result<Vec<Observed>, EnvironmentError> {
        self.wire.pass().await;
        self.place.state.lock().observed += 1;
        self.there().await?;
        let seen = self.place.running();
        self.back().await?;
        let observed = |(session_id, ready)| Observed { session_id, ready };
        Ok(seen.into_iter().map(observed).collect())
    }

    async fn stop(&self, id: SessionId) -> Result<(), EnvironmentError> {
        self.there().await?;
        {
            let mut state = self.place.state.lock();
            if state.never_stops && state.running.contains_key(&id) {
                return Err(EnvironmentError::Failed("it does not stop".into()));
            }
            state.running.remove(&id);
        }
        self.back().await
    }

    async fn connect(&self, id: SessionId) -> Result<Box<dyn Duplex>, EnvironmentError> {
        self.there().await?;
        match self.place.running().get(&id) {
            Some(true) => {}
            Some(false) => return Err(EnvironmentError::Failed("it is still starting".into())),
            None => return Err(EnvironmentError::Unknown(id)),
        }
        self.back().await?;
        // Nobody reads it here: a tab looks whether its application still runs.
        Ok(Box::new(duplex(1).0))
    }
}
