//! The tabs that have a session open on this node: at most one a session.
//!
//! A tab is registered before its attach commits and checked again after. So an expire that commits
//! between the two still finds it. Closing and notifying only queue a message for the relay;
//! neither blocks.

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
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::{Clock, logins::Login};

/// The reason for which the server closes a tab's stream: the WebSocket close codes of docs/spec.md §6,
/// and three more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Close {
    /// 4001: the session was expired.
    Expired,
    /// 4002: the session was opened in another tab.
    OtherTab,
    /// 4003: the environment lost the session.
    Lost,
    /// 4004: the tab was idle for too long. The session goes on and can be opened again.
    Idle,
    /// 4005: the login that opened the tab has ended, or its role was lowered. The session goes on
    /// and can be opened again.
    SignedOut,
    /// 1012 (RFC 6455's registry: service restart): the tab should reconnect in a moment.
    Restart,
    /// 1013 (the same registry: try again later): this node has lost the log, so the session may
    /// have ended.
    LogLost,
}

impl Close {
    /// The code and the reason of the WebSocket's close frame.
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

/// Identifies one registration, so that a tab never removes its successor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TabKey(u64);

/// The last use of a tab by a person, by this node's clock.
#[derive(Clone)]
pub struct LastUse {
    clock: Arc<dyn Clock>,
    micros: Arc<AtomicI64>,
    login: Option<Arc<Login>>,
}

impl LastUse {
    /// Records a use now. It counts as a use of the login, too: a person who works in a session all
    /// day stays signed in.
    pub fn touch(&self) {
        let now = self.clock.now();
        self.micros.store(now.timestamp_micros(), Ordering::Relaxed);
        if let Some(login) = &self.login {
            login.touch(now);
        }
    }

    fn at(&self) -> Timestamp {
        Timestamp::from_timestamp_micros(self.micros.load(Ordering::Relaxed)).unwrap_or_default()
    }
}

/// The relay's side of a registered tab.
pub struct Registered {
    /// Identifies the registration.
    pub key: TabKey,
    /// Receives the reason for which the tab must close.
    pub closed: oneshot::Receiver<Close>,
    /// Receives the notices for the tab.
    pub notices: mpsc::UnboundedReceiver<Notice>,
    /// The relay touches it with each key and each movement of the mouse.
    pub last_use: LastUse,
}

/// A snapshot of an open tab, for the timers.
#[derive(Clone, Copy, Debug)]
pub struct OpenTab {
    /// The session that the tab has open.
    pub id: SessionId,
    /// Identifies the registration.
    pub key: TabKey,
    /// The moment of the registration.
    pub opened_at: Timestamp,
    /// The moment of the last use.
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
    /// The last notice about the home of its user.
    home: Option<Notice>,
    /// Ends the sound of the tab when the tab is closed in any way, or when it opens another.
    sound: Option<DropGuard>,
}

/// The open tabs by session.
#[derive(Default)]
pub struct TabRegistry {
    next: AtomicU64,
    tabs: Mutex<BTreeMap<SessionId, Open>>,
}

impl TabRegistry {
    /// Registers a tab as used now. Closes an older tab of the session.
    pub fn register(&self, id: SessionId, clock: Arc<dyn Clock>, login: Option<Arc<Login>>) -> Registered {
        let key = TabKey(self.next.fetch_add(1, Ordering::Relaxed));
        let (close, closed) = oneshot::channel();
        let (notify, notices) = mpsc::unbounded_channel();
        let now = clock.now();
        let last_use = LastUse {
            clock,
            micros: Arc::new(AtomicI64::new(now.timestamp_micros())),
            login,
        };
        let open = Open {
            key,
            close,
            notify,
            opened_at: now,
            login: last_use.login.as_ref().and_then(|login| login.me.login),
            last_use: last_use.clone(),
            warned: None,
            home: None,
            sound: None,
        };
        if let Some(older) = self.tabs.lock().insert(id, open) {
            // This fails if the relay of the older tab has just ended, which is fine.
            let _ = older.close.send(Close::OtherTab);
        }
        Registered {
            key,
            closed,
            notices,
            last_use,
        }
    }

    /// Closes the tab of the session, if there is one.
    pub fn close(&self, id: SessionId, why: Close) {
        if let Some(tab) = self.tabs.lock().remove(&id) {
            let _ = tab.close.send(why);
        }
    }

    /// Closes the tabs that a login opened, and returns their sessions.
    pub fn close_of_login(&self, login: LoginId, why: Close) -> Vec<SessionId> {
        let mut tabs = self.tabs.lock();
        let of_login = tabs.extract_if(.., |_, tab| tab.login == Some(login));
        let close = |(id, tab): (SessionId, Open)| {
            let _ = tab.close.send(why);
            id
        };
        of_login.map(close).collect()
    }

    /// Closes every tab of this node with this reason.
    pub fn close_all(&self, why: Close) {
        for (_, tab) in std::mem::take(&mut *self.tabs.lock()) {
            let _ = tab.close.send(why);
        }
    }

    /// Closes exactly this tab, unless it was used since the snapshot. Returns false if it was used
    /// or is gone.
    pub fn close_unused(&self, tab: OpenTab, why: Close) -> bool {
        let mut tabs = self.tabs.lock();
        let same = |open: &Open| open.key == tab.key && open.last_use.at() == tab.used_at;
        if !tabs.get(&tab.id).is_some_and(same) {
            return false;
        }
        let removed = tabs.remove(&tab.id);
        drop(tabs);
        removed.is_some_and(|open| open.close.send(why).is_ok())
    }

    /// Sends a warning to exactly this tab, or the notice that none holds any more. Sends nothing
    /// if it did so before.
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

    /// Sends a notice about a nearly full home to exactly this tab, or the notice that it no longer is.
    /// Sends nothing if nothing has changed, and no notice about a home that never was nearly full.
    pub fn warn_of_home(&self, tab: OpenTab, notice: Notice) {
        let mut tabs = self.tabs.lock();
        let Some(open) = tabs.get_mut(&tab.id).filter(|open| open.key == tab.key) else {
            return;
        };
        let quiet = matches!(notice, Notice::Home { warn: false, .. });
        let was_quiet = !matches!(open.home, Some(Notice::Home { warn: true, .. }));
        if (quiet && was_quiet) || open.home.as_ref() == Some(&notice) {
            return;
        }
        open.home = Some(notice.clone());
        let _ = open.notify.send(notice);
    }

    /// Sends a notice to the tab of the session, if there is one.
    pub fn notify(&self, id: SessionId, notice: Notice) {
        if let Some(open) = self.tabs.lock().get(&id) {
            let _ = open.notify.send(notice);
        }
    }

    /// Gives the tab that this login has open a stream of sound, in place of an earlier one. The token
    /// is cancelled when the tab is closed in any way. `None`: no tab of this login has the session open.
    pub fn listen(&self, id: SessionId, login: Option<LoginId>) -> Option<CancellationToken> {
        let mut tabs = self.tabs.lock();
        let open = tabs.get_mut(&id).filter(|open| open.login == login)?;
        let ended = CancellationToken::new();
        open.sound = Some(ended.clone().drop_guard());
        Some(ended)
    }

    /// Removes exactly this tab. Returns false if it was replaced or closed before.
    pub fn remove(&self, id: SessionId, key: TabKey) -> bool {
        let mut tabs = self.tabs.lock();
        let same = tabs.get(&id).is_some_and(|open| open.key == key);
        if same {
            tabs.remove(&id);
        }
        same
    }

    /// Does a tab have the session open?
    pub fn is_open(&self, id: SessionId) -> bool {
        self.tabs.lock().contains_key(&id)
    }

    /// Every open tab, in the order of the sessions.
    pub fn all(&self) -> Vec<OpenTab> {
        let tabs = self.tabs.lock();
        let tab = |(id, open): (&SessionId, &Open)| OpenTab {
            id: *id,
            key: open.key,
            opened_at: open.opened_at,
            used_at: open.last_use.at(),
        };
        tabs.iter().map(tab).collect()
    }
}
