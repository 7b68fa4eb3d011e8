//! The tabs that have a session open on this node: at most one a session.
//!
//! A tab registers before its attach is committed and is looked at again after, so an expire that commits between the
//! two still finds it. Closing and telling are words sent to the relay, never a wait.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
};

use parking_lot::Mutex;
use session::{
    LoginId, SessionId, Timestamp,
    notice::{Notice, Warning},
};
use tokio::sync::{mpsc, oneshot};

use crate::{Clock, logins::Login};

/// Why a tab's stream is closed by the server; the WebSocket close codes of SPEC.md §6, and three more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Close {
    /// 4001: the session was expired.
    Expired,
    /// 4002: the session was opened in another tab.
    OtherTab,
    /// 4003: the environment lost the session.
    Lost,
    /// 4004: nobody has used the tab for too long. The session goes on, and can be opened again.
    Idle,
    /// 4005: the login that opened the tab has ended, or its role was lowered. The session goes on, and can be opened again.
    SignedOut,
    /// 1012 (RFC 6455's registry: service restart): the tab is to come back in a moment.
    Restart,
    /// 1013 (the same registry: try again later): the log is away, so nobody knows whether the session goes on.
    LogLost,
}

impl Close {
    /// Code and reason for the WebSocket.
    pub const fn code(self) -> (u16, &'static str) {
        match self {
            Self::Expired => (4001, "expired"),
            Self::OtherTab => (4002, "opened in another tab"),
            Self::Lost => (4003, "environment lost"),
            Self::Idle => (4004, "idle"),
            Self::SignedOut => (4005, "signed out"),
            Self::Restart => (1012, "the server restarts"),
            Self::LogLost => (1013, "the database is away"),
        }
    }
}

/// Names one registration, so that a tab never removes its successor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TabKey(u64);

/// When somebody last used a tab, by this node's clock.
#[derive(Clone)]
pub struct LastUse {
    clock: Arc<dyn Clock>,
    micros: Arc<AtomicI64>,
    login: Option<Arc<Login>>,
}

impl LastUse {
    /// Somebody uses it now. Who works in a session all day uses their login, too.
    pub fn touch(&self) {
        let now = self.clock.now();
        self.micros.store(now.timestamp_micros(), Ordering::Relaxed);
        if let Some(login) = &self.login {
            login.used(now);
        }
    }

    fn last(&self) -> Timestamp {
        Timestamp::from_timestamp_micros(self.micros.load(Ordering::Relaxed)).unwrap_or_default()
    }
}

/// What the relay of a tab holds.
pub struct Registered {
    /// Names it.
    pub key: TabKey,
    /// Why it must close.
    pub closed: oneshot::Receiver<Close>,
    /// What it is told.
    pub notices: mpsc::UnboundedReceiver<Notice>,
    /// To be called when somebody uses it.
    pub last_use: LastUse,
}

/// An open tab, as the timers see it.
#[derive(Clone, Copy, Debug)]
pub struct OpenTab {
    /// Of which session.
    pub id: SessionId,
    /// Which.
    pub key: TabKey,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When somebody last used it.
    pub used_at: Timestamp,
}

struct Open {
    key: TabKey,
    close: oneshot::Sender<Close>,
    notify: mpsc::UnboundedSender<Notice>,
    last_use: LastUse,
    login: Option<LoginId>,
    opened_at: Timestamp,
    warned: Option<Warning>,
}

/// The registry.
#[derive(Default)]
pub struct Streams {
    next: AtomicU64,
    tabs: Mutex<BTreeMap<SessionId, Open>>,
}

impl Streams {
    /// Registers a tab, used now; an older one is told to close.
    pub fn register(&self, id: SessionId, clock: Arc<dyn Clock>, login: Option<Arc<Login>>) -> Registered {
        let key = TabKey(self.next.fetch_add(1, Ordering::Relaxed));
        let (close, closed) = oneshot::channel();
        let (notify, notices) = mpsc::unbounded_channel();
        let last_use = LastUse {
            clock,
            micros: Arc::default(),
            login,
        };
        let now = last_use.clock.now();
        last_use.micros.store(now.timestamp_micros(), Ordering::Relaxed);
        let open = Open {
            key,
            close,
            notify,
            opened_at: now,
            login: last_use.login.as_ref().and_then(|login| login.me.login),
            last_use: last_use.clone(),
            warned: None,
        };
        if let Some(older) = self.tabs.lock().insert(id, open) {
            // A relay that has just ended by itself listens no more.
            let _ = older.close.send(Close::OtherTab);
        }
        Registered {
            key,
            closed,
            notices,
            last_use,
        }
    }

    /// Tells the session's tab to close, if there is one.
    pub fn close(&self, id: SessionId, why: Close) {
        if let Some(tab) = self.tabs.lock().remove(&id) {
            let _ = tab.close.send(why);
        }
    }

    /// Tells the tabs to close that a login opened, and answers of which sessions they are.
    pub fn close_of_login(&self, login: LoginId, why: Close) -> Vec<SessionId> {
        let mut tabs = self.tabs.lock();
        let of_login = tabs.extract_if(.., |_, tab| tab.login == Some(login));
        let close = |(id, tab): (SessionId, Open)| {
            let _ = tab.close.send(why);
            id
        };
        of_login.map(close).collect()
    }

    /// Tells every tab to close.
    pub fn close_all(&self, why: Close) {
        for (_, tab) in std::mem::take(&mut *self.tabs.lock()) {
            let _ = tab.close.send(why);
        }
    }

    /// Closes this very tab unless somebody has used it since. False where it is no longer there, or was used.
    pub fn close_unused(&self, tab: OpenTab, why: Close) -> bool {
        let mut tabs = self.tabs.lock();
        let same = |open: &Open| open.key == tab.key && open.last_use.last() == tab.used_at;
        if !tabs.get(&tab.id).is_some_and(same) {
            return false;
        }
        let removed = tabs.remove(&tab.id);
        drop(tabs);
        removed.is_some_and(|open| open.close.send(why).is_ok())
    }

    /// Tells this very tab of a warning, or that none holds any more: once.
    pub fn warn(&self, tab: OpenTab, warning: Option<Warning>, server_time: Timestamp) {
        let mut tabs = self.tabs.lock();
        let Some(open) = tabs.get_mut(&tab.id).filter(|open| open.key == tab.key) else {
            return;
        };
        if open.warned == warning {
            return;
        }
        open.warned = warning;
        let notice = warning.map_or(Notice::Calm, |warning| Notice::Warning { server_time, warning });
        let _ = open.notify.send(notice);
    }

    /// Tells the session's tab, if there is one.
    pub fn tell(&self, id: SessionId, notice: Notice) {
        if let Some(open) = self.tabs.lock().get(&id) {
            let _ = open.notify.send(notice);
        }
    }

    /// Removes this very tab. False where it was replaced or closed before.
    pub fn remove(&self, id: SessionId, key: TabKey) -> bool {
        let mut tabs = self.tabs.lock();
        let mine = tabs.get(&id).is_some_and(|open| open.key == key);
        if mine {
            tabs.remove(&id);
        }
        mine
    }

    /// Is a tab open?
    pub fn open(&self, id: SessionId) -> bool {
        self.tabs.lock().contains_key(&id)
    }

    /// Every open tab, in the order of the sessions.
    pub fn all(&self) -> Vec<OpenTab> {
        let tabs = self.tabs.lock();
        let tab = |(id, open): (&SessionId, &Open)| OpenTab {
            id: *id,
            key: open.key,
            opened_at: open.opened_at,
            used_at: open.last_use.last(),
        };
        tabs.iter().map(tab).collect()
    }
}
