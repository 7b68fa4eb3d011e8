//! Watching a part of the list: one snapshot, then what changes in it.
//!
//! A view is computed once for all who watch it: at once when it was quiet, else at most each 250 ms. Deltas are computed when
//! the watcher can take them, from the newest state: a slow one gets fewer and newer ones, never a wrong one, and costs no
//! memory.

use std::{
    collections::HashMap,
    sync::{Arc, Weak},
    time::Duration,
};

use parking_lot::Mutex;
use session::{
    Role, SessionId,
    view::View,
    wire::{Delta, Me, SessionList, SessionView},
};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until, timeout_at},
};

use crate::{Control, Error, Result, authority::require, logins::Login};

/// Least time between two states of a view.
const COALESCE: Duration = Duration::from_millis(250);
/// A sign of life after so long without a change.
const TICK: Duration = Duration::from_secs(5);

/// A state of a view, with the change that it follows.
type State = (u64, Arc<SessionList>);

/// The views that somebody watches.
#[derive(Default)]
pub struct Views(Mutex<HashMap<View, watch::Sender<State>>>);

/// What a watcher is told.
#[derive(Debug)]
pub enum Message {
    /// Everything, first.
    Snapshot(SessionList),
    /// What is different since the last message.
    Delta(Delta),
    /// Nothing has changed, and the server is there.
    Tick {
        /// Its clock.
        server_time: session::Timestamp,
        /// The revision that the watcher shows.
        revision: u64,
        /// Of the rows that it shows: [`session::checksum`].
        checksum: u32,
    },
}

/// A watch on a view.
pub struct Watch {
    control: Arc<Control>,
    view: View,
    states: watch::Receiver<State>,
    sent: Option<Sent>,
    /// When the watcher is next told that the server is there.
    tick_at: Instant,
    /// The login that began it.
    login: Option<Arc<Login>>,
}

/// What the watcher knows.
struct Sent {
    generation: u64,
    revision: u64,
    checksum: u32,
    order: Vec<SessionId>,
    rows: HashMap<SessionId, SessionView>,
}

impl Control {
    /// Starts a watch. Refused as the list is.
    pub fn watch(self: &Arc<Self>, me: &Me, view: View) -> Result<Watch> {
        require(me, Role::SystemAdmin)?;
        self.let_in()?;
        let login = self.login(me)?;
        let mut views = self.views.0.lock();
        let states = match views.get(&view) {
            Some(sender) => sender.subscribe(),
            None => {
                let changes = self.replica.subscribe();
                let (sender, states) = watch::channel(self.state(&view)?);
                views.insert(view.clone(), sender.clone());
                tokio::spawn(publish(Arc::downgrade(self), view.clone(), sender, changes));
                states
            }
        };
        drop(views);
        Ok(Watch {
            control: self.clone(),
            view,
            states,
            sent: None,
            tick_at: Instant::now(),
            login,
        })
    }

    /// How the view is now, or a moment later: the change is read before the list.
    fn state(&self, view: &View) -> Result<State> {
        let generation = *self.replica.subscribe().borrow();
        Ok((generation, Arc::new(self.list_of(view)?)))
    }
}

/// Computes a view whenever something changes, as long as somebody watches it.
async fn publish(control: Weak<Control>, view: View, sender: watch::Sender<State>, mut changes: watch::Receiver<u64>) {
    let mut earliest = Instant::now() + COALESCE;
    loop {
        tokio::select! {
            changed = changes.changed() => if changed.is_err() { return },
            () = sender.closed() => {
                let Some(control) = control.upgrade() else { return };
                let mut views = control.views.0.lock();
                // Somebody may have come between: new watchers come under this lock.
                if sender.receiver_count() == 0 {
                    views.remove(&view);
                    return;
                }
                continue;
            }
        }
        sleep_until(earliest).await;
        let Some(control) = control.upgrade() else { return };
        changes.borrow_and_update();
        // It was a good view when the watch began, and stays one.
        if let Ok(state) = control.state(&view) {
            sender.send_replace(state);
        }
        earliest = Instant::now() + COALESCE;
    }
}

impl Watch {
    /// The next message: waits for a change, or for the time of a sign of life. [`Error::Stopping`] when the server is about to
    /// stop, [`Error::Lost`] when it has lost the log: the watcher may come back. [`Error::SignIn`] when the login that began the
    /// watch has ended or has a lower role.
    pub async fn next(&mut self) -> Result<Message> {
        let (control, login) = (self.control.clone(), self.login.clone());
        tokio::select! {
            biased;
            () = control.draining() => Err(Error::Stopping),
            () = control.losing() => Err(Error::Lost),
            () = login_ended(login.as_deref()) => Err(Error::SignIn),
            message = self.news() => message,
        }
    }

    async fn news(&mut self) -> Result<Message> {
        let Some(sent) = &self.sent else {
            let (generation, list) = self.control.state(&self.view)?;
            self.remember(generation, &list);
            return Ok(Message::Snapshot(Arc::unwrap_or_clone(list)));
        };
        let known = sent.generation;
        // The first snapshot may be newer than what was computed for the others.
        let newer = self.states.wait_for(|(generation, _)| *generation > known);
        let state = match timeout_at(self.tick_at, newer).await {
            Ok(Ok(state)) => state.clone(),
            Ok(Err(_)) | Err(_) => {
                self.tick_at = Instant::now() + TICK;
                return Ok(Message::Tick {
                    server_time: self.control.now(),
                    revision: sent.revision,
                    checksum: sent.checksum,
                });
            }
        };
        let (generation, list) = state;
        let delta = delta(sent, &list);
        self.remember(generation, &list);
        Ok(Message::Delta(delta))
    }

    fn remember(&mut self, generation: u64, list: &SessionList) {
        self.tick_at = Instant::now() + TICK;
        self.sent = Some(Sent {
            generation,
            revision: list.head.revision,
            checksum: list.head.checksum,
            order: list.items.iter().map(|row| row.id).collect(),
            rows: list.items.iter().map(|row| (row.id, row.clone())).collect(),
        });
    }
}

/// Returns when the login has ended; never for a watch without one.
async fn login_ended(login: Option<&Login>) {
    match login {
        Some(login) => login.ended.cancelled().await,
        None => std::future::pending().await,
    }
}

/// What is different from what was sent.
fn delta(sent: &Sent, list: &SessionList) -> Delta {
    let ids = || list.items.iter().map(|row| row.id);
    let same_order = sent.order.iter().copied().eq(ids());
    let known = |row: &SessionView| sent.rows.get(&row.id) == Some(row);
    Delta {
        head: list.head.clone(),
        order: (!same_order).then(|| ids().collect()),
        changed: list.items.iter().filter(|row| !known(row)).cloned().collect(),
    }
}
