//! The crash switch of one incarnation of a node. After a crash, no task of the dead process
//! continues.

use std::future::pending;

use parking_lot::Mutex;
use tokio::time::{Instant, sleep_until};

/// The moment within a write at which the node crashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrashPoint {
    /// The power fails before the commit.
    BeforeCommit,
    /// The power fails after the commit, before the callers get their answers.
    AfterCommit,
    /// The disk fails, and the node stops by itself.
    Disk,
}

/// The switch of one incarnation of a node.
pub struct CrashSwitch {
    state: Mutex<State>,
}

struct State {
    crashed: bool,
    frozen_until: Instant,
    notifications_dropped_until: Instant,
    point: Option<CrashPoint>,
}

impl CrashSwitch {
    /// A running node.
    pub fn new() -> Self {
        let now = Instant::now();
        Self {
            state: Mutex::new(State {
                crashed: false,
                frozen_until: now,
                notifications_dropped_until: now,
                point: None,
            }),
        }
    }

    /// Crashes the node.
    pub fn crash(&self) {
        self.state.lock().crashed = true;
    }

    /// Has the node crashed?
    pub fn crashed(&self) -> bool {
        self.state.lock().crashed
    }

    /// Freezes the node until then.
    pub fn freeze(&self, until: Instant) {
        self.state.lock().frozen_until = until;
    }

    /// Drops the notifications for the node until then.
    pub fn drop_notifications_until(&self, until: Instant) {
        self.state.lock().notifications_dropped_until = until;
    }

    /// Are the notifications for the node dropped now?
    pub fn drops_notifications(&self) -> bool {
        Instant::now() < self.state.lock().notifications_dropped_until
    }

    /// Crashes the node at this point of its next write.
    pub fn arm(&self, point: CrashPoint) {
        self.state.lock().point = Some(point);
    }

    /// Cancels [`CrashSwitch::arm`].
    pub fn disarm(&self) {
        self.state.lock().point = None;
    }

    /// Is the switch armed for this point? Then it is disarmed.
    pub fn hits(&self, point: CrashPoint) -> bool {
        self.state.lock().point.take_if(|armed| *armed == point).is_some()
    }

    /// Returns when the node is not frozen. Never returns after a crash.
    pub async fn proceed(&self) {
        loop {
            if self.crashed() {
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
