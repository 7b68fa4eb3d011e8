//! The tabs that have a session open on this node: at most one a session.
//!
//! A tab registers before its attach is committed and is looked at again after, so an expire that commits between the
//! two still finds it. Closing is a word sent to the relay, never a wait.

use std::{
    collections::HashMap,
    sync::atomic::{AtomicU64, Ordering},
};

use parking_lot::Mutex;
use session::SessionId;
use tokio::sync::oneshot;

/// Why a tab's stream is closed by the server; the WebSocket close codes of SPEC.md §6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Close {
    /// 4001: the session was expired.
    Expired,
    /// 4002: the session was opened in another tab.
    OtherTab,
    /// 4003: the environment lost the session.
    Lost,
}

impl Close {
    /// Code and reason for the WebSocket.
    pub const fn code(self) -> (u16, &'static str) {
        match self {
            Self::Expired => (4001, "expired"),
            Self::OtherTab => (4002, "opened in another tab"),
            Self::Lost => (4003, "environment lost"),
        }
    }
}

/// Names one registration, so that a tab never removes its successor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TabKey(u64);

/// The registry.
#[derive(Default)]
pub struct Streams {
    next: AtomicU64,
    tabs: Mutex<HashMap<SessionId, (TabKey, oneshot::Sender<Close>)>>,
}

impl Streams {
    /// Registers a tab; an older one is told to close.
    pub fn register(&self, id: SessionId) -> (TabKey, oneshot::Receiver<Close>) {
        let key = TabKey(self.next.fetch_add(1, Ordering::Relaxed));
        let (close, closed) = oneshot::channel();
        if let Some((_, older)) = self.tabs.lock().insert(id, (key, close)) {
            // A relay that has just ended by itself listens no more.
            let _ = older.send(Close::OtherTab);
        }
        (key, closed)
    }

    /// Tells the session's tab to close, if there is one.
    pub fn close(&self, id: SessionId, why: Close) {
        if let Some((_, tab)) = self.tabs.lock().remove(&id) {
            let _ = tab.send(why);
        }
    }

    /// Removes this very tab. False where it was replaced or closed before.
    pub fn remove(&self, id: SessionId, key: TabKey) -> bool {
        let mut tabs = self.tabs.lock();
        let mine = tabs.get(&id).is_some_and(|(other, _)| *other == key);
        if mine {
            tabs.remove(&id);
        }
        mine
    }

    /// Is a tab open?
    pub fn open(&self, id: SessionId) -> bool {
        self.tabs.lock().contains_key(&id)
    }
}
