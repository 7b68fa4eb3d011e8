//! The logins that this node knows, in memory: a request is authenticated without the database.
//!
//! The database is the truth. A login is read from it once. After that the log says which accounts have changed
//! ([`Changes::access`](store::Changes::access)), and only their logins are read again: [`Control::settle_access`]. What a login
//! opened (tabs and watches) ends with it, on every node.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use chrono::TimeDelta;
use futures::future::join_all;
use parking_lot::Mutex;
use session::{Actor, Event, EventKind, LoginId, Timestamp, UserId, event::UserChange, lifecycle::Command, wire::Me};
use store::SignedIn;
use tokio_util::sync::CancellationToken;

use crate::{Close, Control, Error, Result};

/// The networks that somebody signed in from are forgotten after this time.
const NETWORK_KEPT: TimeDelta = TimeDelta::days(90);

/// A login on this node.
pub struct Login {
    /// The person; `origin` is empty.
    pub me: Me,
    created_at: Timestamp,
    /// Last use, in microseconds.
    used_at: AtomicI64,
    /// Last use that the database knows.
    written_at: AtomicI64,
    /// Cancelled when everything that this login opened must end.
    pub ended: CancellationToken,
}

impl Login {
    fn used_at(&self) -> Timestamp {
        Timestamp::from_timestamp_micros(self.used_at.load(Ordering::Relaxed)).unwrap_or_default()
    }

    /// Notes that the person used it.
    pub fn used(&self, now: Timestamp) {
        self.used_at.fetch_max(now.timestamp_micros(), Ordering::Relaxed);
    }
}

/// The logins by id and by person.
#[derive(Default)]
pub struct Logins(Mutex<State>);

#[derive(Default)]
struct State {
    by_id: HashMap<LoginId, Arc<Login>>,
    by_user: HashMap<UserId, HashSet<LoginId>>,
    /// People whose access has changed and whose logins are yet to be read again, with the number of that change.
    changed: HashMap<UserId, u64>,
    /// Changes of access so far.
    changes: u64,
}

/// Logins that must be read again because access changed. A login that is kept later was read after that change.
struct Unsettled {
    users: Vec<UserId>,
    logins: Vec<LoginId>,
    /// The number of the latest change.
    changes: u64,
}

impl State {
    fn remove(&mut self, id: LoginId) -> Option<Arc<Login>> {
        let login = self.by_id.remove(&id)?;
        let user_id = login.me.user_id;
        if let Some(of_user) = self.by_user.get_mut(&user_id) {
            of_user.remove(&id);
            if of_user.is_empty() {
                self.by_user.remove(&user_id);
            }
        }
        Some(login)
    }

    fn insert(&mut self, found: &SignedIn, ended: CancellationToken) -> Arc<Login> {
        let id = LoginId(found.login.token_hash);
        let seen_at = found.login.seen_at.timestamp_micros();
        let login = Arc::new(Login {
            me: Me {
                user_id: found.user.id,
                username: found.user.username.clone(),
                role: found.user.role,
                must_change_password: found.user.must_change_password,
                origin: None,
                login: Some(id),
            },
            created_at: found.login.created_at,
            used_at: AtomicI64::new(seen_at),
            written_at: AtomicI64::new(seen_at),
            ended,
        });
        self.by_id.insert(id, login.clone());
        self.by_user.entry(found.user.id).or_default().insert(id);
        login
    }
}

impl Logins {
    /// A login that is known here.
    pub fn get(&self, id: LoginId) -> Option<Arc<Login>> {
        self.0.lock().by_id.get(&id).cloned()
    }

    /// Changes of access so far: taken before a login is read, for [`Logins::keep`].
    fn changes(&self) -> u64 {
        self.0.lock().changes
    }

    /// Keeps a login that was read from the database. `None` where access changed since then: it must be read again.
    fn keep(&self, found: &SignedIn, changes: u64) -> Option<Arc<Login>> {
        let mut state = self.0.lock();
        if state.changes != changes {
            return None;
        }
        if let Some(known) = state.by_id.get(&LoginId(found.login.token_hash)) {
            // Another node has seen it in use.
            known.used(found.login.seen_at);
            return Some(known.clone());
        }
        Some(state.insert(found, CancellationToken::new()))
    }

    /// Ends a login here.
    fn end(&self, id: LoginId) {
        if let Some(login) = self.0.lock().remove(id) {
            login.ended.cancel();
        }
    }

    /// Notes that a person's access has changed.
    fn access_changed(&self, user_id: UserId) {
        let mut state = self.0.lock();
        state.changes += 1;
        let number = state.changes;
        if state.by_user.contains_key(&user_id) {
            state.changed.insert(user_id, number);
        }
    }

    /// People whose logins must be read again.
    fn unsettled(&self) -> Unsettled {
        let state = self.0.lock();
        let users: Vec<_> = state.changed.keys().copied().collect();
        let of_users = users.iter().filter_map(|user_id| state.by_user.get(user_id));
        Unsettled {
            logins: of_users.flatten().copied().collect(),
            users,
            changes: state.changes,
        }
    }

    /// Takes over the logins of these people as the database has them, and answers which ended. A lower role ends what was opened
    /// under the higher one, but not the login.
    fn settle(&self, unsettled: &Unsettled, current: &[SignedIn]) -> Vec<LoginId> {
        let current: HashMap<_, _> = current
            .iter()
            .filter(|found| !found.user.blocked)
            .map(|found| (LoginId(found.login.token_hash), found))
            .collect();
        let mut ended = Vec::new();
        let mut state = self.0.lock();
        for id in &unsettled.logins {
            let Some(login) = state.remove(*id) else { continue };
            let token = match current.get(id) {
                Some(found) if found.user.role >= login.me.role => login.ended.clone(),
                _ => {
                    login.ended.cancel();
                    ended.push(*id);
                    CancellationToken::new()
                }
            };
            if let Some(found) = current.get(id) {
                state.insert(found, token).used(login.used_at());
            }
        }
        state.changed.retain(|_, number| *number > unsettled.changes);
        ended
    }

    fn all(&self) -> Vec<Arc<Login>> {
        self.0.lock().by_id.values().cloned().collect()
    }
}

impl Control {
    /// The person behind a cookie's value; `None` for one that is unknown or over. It does not count as use:
    /// [`Control::login_used`] does.
    pub async fn authenticate(&self, token: &str) -> Result<Option<Me>> {
        let Some(id) = crate::people::login_id(token) else {
            return Ok(None);
        };
        if let Some(login) = self.logins.get(id)
            && self.is_valid(login.created_at, login.used_at())
        {
            return Ok(Some(login.me.clone()));
        }
        loop {
            let changes = self.logins.changes();
            let found = self.store.login(&id.0).await?;
            // A sign-in that overlapped a block left a login behind in earlier versions.
            let valid =
                |found: &SignedIn| !found.user.blocked && self.is_valid(found.login.created_at, found.login.seen_at);
            let Some(found) = found.filter(valid) else {
                self.end_login_here(id).await;
                return Ok(None);
            };
            if let Some(login) = self.logins.keep(&found, changes) {
                return Ok(Some(login.me.clone()));
            }
        }
    }

    /// The login that a request came with, as this node knows it. `None` at the command line.
    ///
    /// # Errors
    /// [`Error::SignIn`] where it has ended since the request was authenticated.
    pub(crate) fn login(&self, me: &Me) -> Result<Option<Arc<Login>>> {
        let Some(id) = me.login else { return Ok(None) };
        self.logins.get(id).map(Some).ok_or(Error::SignIn)
    }

    fn is_valid(&self, created_at: Timestamp, used_at: Timestamp) -> bool {
        let now = self.clock.now();
        now - used_at <= self.options.login_idle && now - created_at <= self.options.login_lifetime
    }

    /// Notes that a person did something themselves: opened a page, pressed a button, typed. What a page asks by itself is no use,
    /// else no login would ever be idle.
    pub fn login_used(&self, me: &Me) {
        if let Some(login) = me.login.and_then(|id| self.logins.get(id)) {
            login.used(self.clock.now());
        }
    }

    /// Takes note of changes of access that the log tells.
    pub(crate) fn note_access(&self, events: &[Event]) {
        for event in events {
            match (&event.what, &event.actor) {
                (
                    EventKind::UserChanged {
                        user_id,
                        username,
                        change,
                    },
                    _,
                ) => match change {
                    UserChange::Added(_) | UserChange::Unblocked => {}
                    UserChange::Unlocked => self.throttle.unlock(username),
                    UserChange::RoleSet(_)
                    | UserChange::PasswordSet
                    | UserChange::Blocked
                    | UserChange::Removed
                    | UserChange::LoginsEnded => self.logins.access_changed(*user_id),
                },
                (EventKind::SignedOut, Actor::Person { user_id, .. }) => self.logins.access_changed(*user_id),
                (EventKind::ApplicationChanged { .. } | EventKind::EnvironmentChanged { .. }, _) => {
                    self.catalogue.forget();
                }
                _ => {}
            }
        }
    }

    /// Ends the logins whose access was revoked, with all that they opened on this node.
    pub(crate) async fn settle_access(&self) -> Result<()> {
        let unsettled = self.logins.unsettled();
        if unsettled.users.is_empty() {
            return Ok(());
        }
        let current = self.store.logins_of(&unsettled.users).await?;
        for id in self.logins.settle(&unsettled, &current) {
            self.close_tabs_of(id).await;
        }
        Ok(())
    }

    async fn end_login_here(&self, id: LoginId) {
        self.logins.end(id);
        self.close_tabs_of(id).await;
    }

    /// Closes the tabs that a login opened here. Their sessions go on without one: these tabs do not come back by themselves.
    async fn close_tabs_of(&self, id: LoginId) {
        let sessions = self.streams.close_of_login(id, Close::SignedOut).into_iter();
        let left = sessions.map(|session| self.disconnect_if_left(session, Command::Detach, Actor::System));
        join_all(left).await;
    }

    /// Ends logins that are too old or have been idle for too long.
    pub(crate) async fn end_old_logins(&self) -> Result<()> {
        let over = self.logins.all().into_iter();
        let over: Vec<_> = over
            .filter(|login| !self.is_valid(login.created_at, login.used_at()))
            .collect();
        if over.is_empty() {
            return Ok(());
        }
        // Another node may have seen them in use since.
        let users: Vec<_> = over.iter().map(|login| login.me.user_id).collect();
        for found in self.store.logins_of(&users).await? {
            if let Some(login) = self.logins.get(LoginId(found.login.token_hash)) {
                login.used(found.login.seen_at);
            }
        }
        for login in over {
            if let Some(id) = login.me.login
                && !self.is_valid(login.created_at, login.used_at())
            {
                tracing::info!(user = &*login.me.username, "a login ended: it was idle or old");
                self.end_login_here(id).await;
            }
        }
        Ok(())
    }

    /// Writes the last use of all logins that were used since the last time, in one transaction.
    pub(crate) async fn write_last_use(&self) -> Result<()> {
        let used = self.logins.all().into_iter().filter_map(|login| {
            let used_at = login.used_at();
            (login.written_at.load(Ordering::Relaxed) < used_at.timestamp_micros()).then_some((login, used_at))
        });
        let used: Vec<_> = used.collect();
        if used.is_empty() {
            return Ok(());
        }
        let rows = used.iter().filter_map(|(login, at)| Some((login.me.login?.0, *at)));
        self.store.touch_logins(&rows.collect::<Vec<_>>()).await?;
        for (login, at) in used {
            login.written_at.fetch_max(at.timestamp_micros(), Ordering::Relaxed);
        }
        Ok(())
    }

    /// Removes what nobody can use any more: old logins, and networks that nobody signed in from for a long time.
    pub(crate) async fn remove_old_logins(&self) -> Result<()> {
        let now = self.clock.now();
        let (idle, lifetime) = (now - self.options.login_idle, now - self.options.login_lifetime);
        Ok(self.store.remove_old_logins(idle, lifetime, now - NETWORK_KEPT).await?)
    }
}
