//! What connects one life of a node with the world: cut when the node dies, so that nothing of a dead process happens later.

use std::future::pending;

use parking_lot::Mutex;
use tokio::time::{Instant, sleep_until};

/// Where in a write the node dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fuse {
    /// The power fails before the commit.
    BeforeCommit,
    /// The power fails after the commit, before anybody is answered.
    AfterCommit,
    /// The disk fails: the node ends by itself.
    Disk,
}

/// One life of a node.
pub struct Wire {
    state: Mutex<State>,
}

struct State {
    dead: bool,
    frozen_until: Instant,
    deaf_until: Instant,
    fuse: Option<Fuse>,
}

impl Wire {
    /// A node comes to life.
    pub fn new() -> Self {
        let now = Instant::now();
        Self {
            state: Mutex::new(State {
                dead: false,
                frozen_until: now,
                deaf_until: now,
                fuse: None,
            }),
        }
    }

    /// It dies.
    pub fn cut(&self) {
        self.state.lock().dead = true;
    }

    /// Did it die?
    pub fn dead(&self) -> bool {
        self.state.lock().dead
    }

    /// It stands still until then.
    pub fn freeze(&self, until: Instant) {
        self.state.lock().frozen_until = until;
    }

    /// It hears no news until then.
    pub fn deafen(&self, until: Instant) {
        self.state.lock().deaf_until = until;
    }

    /// Does it hear no news?
    pub fn deaf(&self) -> bool {
        Instant::now() < self.state.lock().deaf_until
    }

    /// Its next write goes wrong like this.
    pub fn arm(&self, fuse: Fuse) {
        self.state.lock().fuse = Some(fuse);
    }

    /// It goes on as it should.
    pub fn disarm(&self) {
        self.state.lock().fuse = None;
    }

    /// Is this the moment?
    pub fn burns(&self, fuse: Fuse) -> bool {
        self.state.lock().fuse.take_if(|armed| *armed == fuse).is_some()
    }

    /// Returns when the node can go on: never, where it is dead.
    pub async fn pass(&self) {
        loop {
            if self.dead() {
                return pending().await;
            }
            let until = self.state.lock().frozen_until;
            if until <= Instant::now() {
                return;
            }
            sleep_until(until).await;
        }
    }
}
