//! Live views of the list: one snapshot, then deltas.
//!
//! A view is computed once for all its watchers: at once after a quiet time, otherwise at most
//! every 250 ms. A delta is computed from the newest state when the watcher can take it. So a slow
//! watcher gets fewer and larger deltas, never a wrong one, and needs no queue in memory.

use std::{
    collections::HashMap,
    sync::{Arc, Weak},
    time::Duration,
};

use parking_lot::Mutex;
use session::{
    Role, SessionId,
    api::{Delta, Me, SessionList, SessionView},
    view::View,
};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until, timeout_at},
};

use crate::{Control, Error, Result, authorization::require, logins::Login};

/// The least time between two states of a view.
const MIN_UPDATE_INTERVAL: Duration = Duration::from_millis(250);
/// The time without a change after which a watcher gets a keep-alive.
const KEEP_ALIVE: Duration = Duration::from_secs(5);

/// A state of a view, with the number of the change of the replica that it includes.
type State = (u64, Arc<SessionList>);

/// The views that have at least one watcher.
#[derive(Default)]
pub struct Views(Mutex<HashMap<View, watch::Sender<State>>>);

/// A message to a watcher.
#[derive(Debug)]
pub enum Message {
    /// The whole page. The first message.
    Snapshot(SessionList),
    /// The differences to the last message.
    Delta(Delta),
    /// The keep-alive: nothing has changed.
    Tick {
        /// The time of the server.
        server_time: session::Timestamp,
        /// The revision of the last message.
        revision: u64,
        /// The checksum of the watcher's rows: [`session::checksum`].
        checksum: u32,
    },
}

/// A watch on a view.
pub struct Watch {
    control: Arc<Control>,
    view: View,
    states: watch::Receiver<State>,
    sent: Option<Sent>,
    /// The moment of the next keep-alive.
    tick_at: Instant,
    /// The login that opened the watch.
    login: Option<Arc<Login>>,
}

/// The last state that the watcher got.
struct Sent {
    generation: u64,
    revision: u64,
    checksum: u32,
    order: Vec<SessionId>,
    rows: HashMap<SessionId, SessionView>,
}

impl Control {
    /// Opens a watch, for a System Admin.
    pub fn watch(self: &Arc<Self>, me: &Me, view: View) -> Result<Watch> {
        require(me, Role::SystemAdmin)?;
        self.ensure_accepting()?;
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

    /// The state of the view now. The number is read before the list, so the list includes at least
    /// that change.
    fn state(&self, view: &View) -> Result<State> {
        let generation = *self.replica.subscribe().borrow();
        Ok((generation, Arc::new(self.list_of(view)?)))
    }
}

/// Computes a view after each change, until its last watcher leaves.
async fn publish(control: Weak<Control>, view: View, sender: watch::Sender<State>, mut changes: watch::Receiver<u64>) {
    let mut earliest = Instant::now() + MIN_UPDATE_INTERVAL;
    loop {
        tokio::select! {
            changed = changes.changed() => if changed.is_err() { return },
            () = sender.closed() => {
                let Some(control) = control.upgrade() else { return };
                let mut views = control.views.0.lock();
                // A new watcher may have come since. They subscribe under this lock.
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
        // This can't fail: the view was valid when the watch was opened.
        if let Ok(state) = control.state(&view) {
            sender.send_replace(state);
        }
        earliest = Instant::now() + MIN_UPDATE_INTERVAL;
    }
}

impl Watch {
    /// Waits for the next change, or for the moment of the next keep-alive.
    ///
    /// # Errors
    /// [`Error::Stopping`] if the server shuts down, and [`Error::Lost`] if it has lost the log:
    /// the watcher may reconnect. [`Error::SignIn`] if the login that opened the watch has ended or
    /// its role was lowered.
    pub async fn next(&mut self) -> Result<Message> {
        let (control, login) = (self.control.clone(), self.login.clone());
        tokio::select! {
            biased;
            () = control.wait_for_shutdown() => Err(Error::Stopping),
            () = control.wait_until_log_lost() => Err(Error::Lost),
            () = login_ended(login.as_deref()) => Err(Error::SignIn),
            message = self.next_message() => message,
        }
    }

    async fn next_message(&mut self) -> Result<Message> {
        let Some(sent) = &self.sent else {
            let (generation, list) = self.control.state(&self.view)?;
            self.remember(generation, &list);
            return Ok(Message::Snapshot(Arc::unwrap_or_clone(list)));
        };
        let known = sent.generation;
        // The first snapshot may be newer than the state that the other watchers have.
        let newer = self.states.wait_for(|(generation, _)| *generation > known);
        let state = match timeout_at(self.tick_at, newer).await {
            Ok(Ok(state)) => state.clone(),
            Ok(Err(_)) | Err(_) => {
                self.tick_at = Instant::now() + KEEP_ALIVE;
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
        self.tick_at = Instant::now() + KEEP_ALIVE;
        self.sent = Some(Sent {
            generation,
            revision: list.head.revision,
            checksum: list.head.checksum,
            order: list.items.iter().map(|row| row.id).collect(),
            rows: list.items.iter().map(|row| (row.id, row.clone())).collect(),
        });
    }
}

/// Returns when the login has ended; never for a watch without a login.
async fn login_ended(login: Option<&Login>) {
    match login {
        Some(login) => login.ended.cancelled().await,
        None => std::future::pending().await,
    }
}

/// The differences between the last state sent and the list.
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
