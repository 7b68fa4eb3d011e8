//! A cache of logins: a request is authenticated without the database.
//!
//! The database is authoritative. This node reads a login from it once. After that the log names
//! the accounts whose access changed ([`Changes::access`](store::Changes::access)), and this node
//! reads only their logins again: [`Control::end_revoked_logins`]. The tabs and watches that a
//! login opened end with it, on every node.

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
use session::{Actor, Event, EventKind, LoginId, Timestamp, UserId, api::Me, event::UserChange, lifecycle::Command};
use store::SignedIn;
use tokio_util::sync::CancellationToken;

use crate::{Close, Control, Error, Result};

/// The database keeps the networks of successful sign-ins for this long.
const NETWORK_KEPT: TimeDelta = TimeDelta::days(90);

/// A login that this node has read.
pub struct Login {
    /// The person. `origin` is `None`: it belongs to a request.
    pub me: Me,
    created_at: Timestamp,
    /// The last use, in microseconds since the epoch.
    used_at: AtomicI64,
    /// The last use that was written to the database, in microseconds since the epoch.
    written_at: AtomicI64,
    /// Cancelled when the tabs and watches of this login must end.
    pub ended: CancellationToken,
}

impl Login {
    fn used_at(&self) -> Timestamp {
        Timestamp::from_timestamp_micros(self.used_at.load(Ordering::Relaxed)).unwrap_or_default()
    }

    /// Records a use by the person.
    pub fn touch(&self, now: Timestamp) {
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
    /// People whose access changed and whose logins must be read again, with the number of the
    /// change.
    changed: HashMap<UserId, u64>,
    /// The number of changes of access so far.
    changes: u64,
}

/// Cached logins that must be read again because access changed.
struct StaleLogins {
    users: Vec<UserId>,
    logins: Vec<LoginId>,
    /// The number of the latest change. A login that enters the cache later was read after it.
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
    /// A cached login.
    pub fn get(&self, id: LoginId) -> Option<Arc<Login>> {
        self.0.lock().by_id.get(&id).cloned()
    }

    /// The number of changes of access so far. [`Logins::keep`] needs the number from before the
    /// read of a login.
    fn changes(&self) -> u64 {
        self.0.lock().changes
    }

    /// Caches a login that was read from the database after `changes`. Returns `None` if access
    /// changed since then: read it again.
    fn keep(&self, found: &SignedIn, changes: u64) -> Option<Arc<Login>> {
        let mut state = self.0.lock();
        if state.changes != changes {
            return None;
        }
        if let Some(known) = state.by_id.get(&LoginId(found.login.token_hash)) {
            // Another node may have recorded a later use.
            known.touch(found.login.seen_at);
            return Some(known.clone());
        }
        Some(state.insert(found, CancellationToken::new()))
    }

    /// Removes a login from the cache, and ends its watches.
    fn end(&self, id: LoginId) {
        if let Some(login) = self.0.lock().remove(id) {
            login.ended.cancel();
        }
    }

    /// Notes that the access of a person changed.
    fn access_changed(&self, user_id: UserId) {
        let mut state = self.0.lock();
        state.changes += 1;
        let number = state.changes;
        if state.by_user.contains_key(&user_id) {
            state.changed.insert(user_id, number);
        }
    }

    /// The cached logins of people whose access changed.
    fn stale(&self) -> StaleLogins {
        let state = self.0.lock();
        let users: Vec<_> = state.changed.keys().copied().collect();
        let of_users = users.iter().filter_map(|user_id| state.by_user.get(user_id));
        StaleLogins {
            logins: of_users.flatten().copied().collect(),
            users,
            changes: state.changes,
        }
    }

    /// Replaces stale logins by their state in the database, and returns those that ended. A lower
    /// role ends the tabs and watches of a login, but not the login.
    fn replace(&self, stale: &StaleLogins, current: &[SignedIn]) -> Vec<LoginId> {
        let current: HashMap<_, _> = current
            .iter()
            .filter(|found| !found.user.blocked)
            .map(|found| (LoginId(found.login.token_hash), found))
            .collect();
        let mut ended = Vec::new();
        let mut state = self.0.lock();
        for id in &stale.logins {
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
                state.insert(found, token).touch(login.used_at());
            }
        }
        state.changed.retain(|_, number| *number > stale.changes);
        ended
    }

    fn all(&self) -> Vec<Arc<Login>> {
        self.0.lock().by_id.values().cloned().collect()
    }
}

impl Control {
    /// The person of a cookie's value; `None` if the login is unknown or has ended. This does not
    /// count as a use: call [`Control::login_used`].
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
            // In earlier versions a sign-in that overlapped a block left a login behind.
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

    /// The cached login of a request; `None` at the command line.
    ///
    /// # Errors
    /// [`Error::SignIn`] if the login has ended since the request was authenticated.
    pub(crate) fn login(&self, me: &Me) -> Result<Option<Arc<Login>>> {
        let Some(id) = me.login else { return Ok(None) };
        self.logins.get(id).map(Some).ok_or(Error::SignIn)
    }

    fn is_valid(&self, created_at: Timestamp, used_at: Timestamp) -> bool {
        let now = self.clock.now();
        now - used_at <= self.options.login_idle && now - created_at <= self.options.login_lifetime
    }

    /// Records that a person used the login: opened a page, pressed a button, typed. Requests that
    /// a page makes by itself are no use: otherwise no login would ever be idle.
    pub fn login_used(&self, me: &Me) {
        if let Some(login) = me.login.and_then(|id| self.logins.get(id)) {
            login.touch(self.clock.now());
        }
    }

    /// Notes the changes of access, and of the catalogue, that the log has.
    pub(crate) fn note_access_changes(&self, events: &[Event]) {
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

    /// Ends the logins whose access was revoked, with their tabs and watches on this node.
    pub(crate) async fn end_revoked_logins(&self) -> Result<()> {
        let stale = self.logins.stale();
        if stale.users.is_empty() {
            return Ok(());
        }
        let current = self.store.logins_of(&stale.users).await?;
        for id in self.logins.replace(&stale, &current) {
            self.close_tabs_of(id).await;
        }
        Ok(())
    }

    async fn end_login_here(&self, id: LoginId) {
        self.logins.end(id);
        self.close_tabs_of(id).await;
    }

    /// Closes the tabs that a login opened on this node. It records at once that they are detached:
    /// these tabs do not reconnect by themselves, so there is no reload to wait for.
    async fn close_tabs_of(&self, id: LoginId) {
        let sessions = self.tabs.close_of_login(id, Close::SignedOut).into_iter();
        let detached = sessions.map(|session| self.detach_if_unattended(session, Command::Detach, Actor::System));
        join_all(detached).await;
    }

    /// Ends logins that exceeded their lifetime or their idle limit.
    pub(crate) async fn end_old_logins(&self) -> Result<()> {
        let over = self.logins.all().into_iter();
        let over: Vec<_> = over
            .filter(|login| !self.is_valid(login.created_at, login.used_at()))
            .collect();
        if over.is_empty() {
            return Ok(());
        }
        // Another node may have recorded a later use.
        let users: Vec<_> = over.iter().map(|login| login.me.user_id).collect();
        for found in self.store.logins_of(&users).await? {
            if let Some(login) = self.logins.get(LoginId(found.login.token_hash)) {
                login.touch(found.login.seen_at);
            }
        }
        for login in over {
            if let Some(id) = login.me.login
                && !self.is_valid(login.created_at, login.used_at())
            {
                tracing::info!(user = &*login.me.username, "ended a login that was idle or too old");
                self.end_login_here(id).await;
            }
        }
        Ok(())
    }

    /// Writes the last use of all logins that were used since the last write, in one transaction.
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

    /// Removes expired logins from the database, and networks without a sign-in for a long time.
    pub(crate) async fn remove_old_logins(&self) -> Result<()> {
        let now = self.clock.now();
        let (idle, lifetime) = (now - self.options.login_idle, now - self.options.login_lifetime);
        Ok(self.store.remove_old_logins(idle, lifetime, now - NETWORK_KEPT).await?)
    }
}
