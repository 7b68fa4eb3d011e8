//! The store of several machines: a PostgreSQL database, 15 or later, that all nodes share.
//!
//! A node writes only after it has locked the one row of the log, so over all nodes writing transactions happen one after the
//! other and revisions have no gap. Each raises the revision last and notifies the other nodes, which is only a wake-up
//! ([`Store::changed`]): what was written is found by its revision.
//!
//! Every call has an end, also where the database is frozen or cut off; and any may be dropped: its connection is closed, and
//! the database undoes what it had not committed. A commit whose answer was lost is looked up by the hash of its last event
//! as soon as the database can be reached again; only where it can't is the answer [`StoreError::OutcomeUnknown`].
//!
//! Each table's statements are in the module of its name, as for SQLite.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use session::{
    Actor, ApplicationId, EnvironmentId, Event, Role, Session, SessionId, Timestamp, UserId,
    audit::Numbered,
    catalogue::{Admission, ApplicationSpec},
};
use sqlx::{
    postgres::{PgArguments, PgRow},
    query::Query,
};
use tokio::{sync::Notify, task::JoinHandle};
use uuid::Uuid;

use self::connections::{Connections, Lease};
use crate::{
    Application, Changes, Checkpoint, Claim, Committed, Edited, EnvironmentRow, EventScan, Hash, Head, NewLogin,
    PeerHeartbeats, Result, SignedIn, Store, StoreError, User, Verified, WriteRequest,
};

mod catalogue;
mod change;
mod checkpoints;
mod connections;
mod earlier;
mod events;
mod listen;
mod lock;
mod logins;
mod nodes;
mod open;
mod people;
mod rows;
mod scan;
mod seed;
mod sessions;
mod sweep;
mod transaction;
mod write;

/// Connections that read.
const READERS: usize = 6;
/// Connections that write. Most wait for each other; logins and preferences don't.
const WRITERS: usize = 4;
/// Longest time for an answer with very many rows.
const LONG: Duration = Duration::from_secs(120);

/// How to use a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Longest time for a call, beside those that read everything. A database that is frozen makes it fail then.
    pub query_timeout: Duration,
    /// Tell other nodes of each commit, and listen to theirs. Without, they find it when they next look.
    pub notify: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            query_timeout: Duration::from_secs(5),
            notify: true,
        }
    }
}

/// The store in a PostgreSQL database.
pub struct Postgres {
    settings: Settings,
    readers: Connections,
    writers: Connections,
    wakeups: Arc<Notify>,
    listener: Option<JoinHandle<()>>,
    lock: Option<JoinHandle<()>>,
    /// `None` for a tool.
    served: Option<Served>,
}

/// The node that this is, and which of the servers that ever had its name.
struct Served {
    node: String,
    server: Uuid,
}

impl Postgres {
    /// Opens the database of a URL (`postgres://user:password@host/database`) for a tool, beside servers that may run.
    /// [`StoreError::Older`] where only a server may change its layout.
    pub async fn open(url: &str, settings: Settings) -> Result<Self> {
        Self::connect(url, settings, false).await
    }

    async fn connect(url: &str, settings: Settings, migrate: bool) -> Result<Self> {
        let options = open::options(url, &settings)?;
        open::database(&options, migrate).await?;
        let wakeups = Arc::new(Notify::new());
        let listener = settings
            .notify
            .then(|| tokio::spawn(listen::listen(options.clone(), wakeups.clone())));
        Ok(Self {
            settings,
            readers: Connections::new(options.clone(), READERS, settings.query_timeout),
            writers: Connections::new(options, WRITERS, settings.query_timeout),
            wakeups,
            listener,
            lock: None,
            served: None,
        })
    }

    /// Opens the database for the node of a name. [`StoreError::NodeTaken`] where another server has that name.
    pub async fn serve(url: &str, settings: Settings, node: &str) -> Result<Self> {
        let options = open::options(url, &settings)?;
        let lock = lock::take(&options, node).await?;
        let mut store = Self::connect(url, settings, true).await?;
        store.served = Some(nodes::claim(&store, node).await?);
        store.lock = Some(tokio::spawn(lock::keep(options, lock, node.to_owned())));
        Ok(store)
    }

    /// All rows of an answer.
    async fn read_all(&self, statement: Query<'_, sqlx::Postgres, PgArguments>) -> Result<Vec<PgRow>> {
        let mut lease = self.readers.acquire().await?;
        let rows = lease.all(statement).await?;
        lease.release();
        Ok(rows)
    }

    /// The row of an answer, if there is one.
    async fn read_optional(&self, statement: Query<'_, sqlx::Postgres, PgArguments>) -> Result<Option<PgRow>> {
        let mut lease = self.readers.acquire().await?;
        let row = lease.optional(statement).await?;
        lease.release();
        Ok(row)
    }

    async fn current_revision(&self) -> Result<u64> {
        let mut lease = self.readers.acquire().await?;
        let revision = sessions::revision(&mut lease).await?;
        lease.release();
        Ok(revision)
    }

    /// A snapshot to read very much from.
    async fn long_snapshot(&self) -> Result<Lease> {
        let mut lease = self.readers.acquire_for(LONG).await?;
        lease
            .script("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = 0")
            .await?;
        Ok(lease)
    }

    /// Ends a snapshot.
    async fn end(&self, mut snapshot: Lease) -> Result<()> {
        snapshot.script("COMMIT").await?;
        snapshot.release();
        Ok(())
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        for task in [&self.listener, &self.lock].into_iter().flatten() {
            task.abort();
        }
    }
}

#[async_trait]
impl Store for Postgres {
    async fn load(&self) -> Result<Changes> {
        sessions::load(self).await
    }
    async fn changes(&self, after: u64) -> Result<Changes> {
        sessions::changes(self, after).await
    }
    async fn revision(&self) -> Result<u64> {
        self.current_revision().await
    }
    async fn changed(&self) {
        // Without a listener nobody ever calls.
        self.wakeups.notified().await;
    }
    async fn now(&self) -> Result<Option<Timestamp>> {
        let row = self.read_optional(sqlx::query("SELECT clock_timestamp()")).await?;
        row.map(|row| rows::Columns::of(&row).time()).transpose()
    }
    async fn write(&self, batch: &[WriteRequest]) -> Result<Committed> {
        write::write(self, batch).await
    }
    async fn events(&self, id: SessionId) -> Result<Vec<Event>> {
        events::of_session(self, id).await
    }
    async fn scan_events(&self, scan: &EventScan) -> Result<Vec<Numbered>> {
        scan::events(self, scan).await
    }
    async fn verify_events(&self, heads: &[Hash]) -> Result<Verified> {
        events::verify(self, heads).await
    }
    async fn head(&self) -> Result<Head> {
        checkpoints::head(self).await
    }
    async fn event_hash(&self, number: u64) -> Result<Option<Hash>> {
        checkpoints::event_hash(self, number).await
    }
    async fn add_checkpoint(&self, checkpoint: &Checkpoint) -> Result<()> {
        checkpoints::add(self, checkpoint).await
    }
    async fn checkpoints(&self) -> Result<Vec<Checkpoint>> {
        checkpoints::all(self).await
    }
    async fn claim_sweep(&self, now: Timestamp, interval: chrono::TimeDelta) -> Result<Claim> {
        sweep::claim(self, now, interval).await
    }
    async fn heartbeat(&self, name: &str, url: &str, report: &str) -> Result<PeerHeartbeats> {
        nodes::heartbeat(self, name, url, report).await
    }
    async fn seed(&self, sessions: &[Session]) -> Result<()> {
        seed::seed(self, sessions).await
    }

    async fn users(&self) -> Result<Vec<User>> {
        people::users(self).await
    }
    async fn user_named(&self, username: &str) -> Result<Option<User>> {
        people::user_named(self, username).await
    }
    async fn add_user(&self, user: &User, by: &Actor, at: Timestamp) -> Result<()> {
        people::add_user(self, user, by, at).await
    }
    async fn set_role(&self, id: UserId, role: Role, by: &Actor, at: Timestamp) -> Result<()> {
        people::set_role(self, id, role, by, at).await
    }
    async fn set_password(
        &self,
        id: UserId,
        password_hash: &str,
        must_change: bool,
        by: &Actor,
        at: Timestamp,
    ) -> Result<()> {
        people::set_password(self, id, (password_hash, must_change), by, at).await
    }
    async fn block_user(&self, id: UserId, blocked: bool, by: &Actor, at: Timestamp) -> Result<()> {
        people::block_user(self, id, blocked, by, at).await
    }
    async fn remove_user(&self, id: UserId, by: &Actor, at: Timestamp) -> Result<()> {
        people::remove_user(self, id, by, at).await
    }

    async fn add_login(&self, new: &NewLogin) -> Result<bool> {
        logins::add(self, new).await
    }
    async fn login(&self, token_hash: &[u8; 32]) -> Result<Option<SignedIn>> {
        logins::login(self, token_hash).await
    }
    async fn logins_of(&self, users: &[UserId]) -> Result<Vec<SignedIn>> {
        logins::of_users(self, users).await
    }
    async fn touch_logins(&self, used: &[([u8; 32], Timestamp)]) -> Result<()> {
        logins::touch(self, used).await
    }
    async fn end_login(&self, token_hash: &[u8; 32], by: &Actor, at: Timestamp) -> Result<()> {
        logins::end(self, token_hash, by, at).await
    }
    async fn end_logins(&self, id: UserId, by: &Actor, at: Timestamp) -> Result<()> {
        people::end_logins(self, id, by, at).await
    }
    async fn remove_old_logins(
        &self,
        seen_before: Timestamp,
        created_before: Timestamp,
        networks_before: Timestamp,
    ) -> Result<()> {
        logins::remove_old(self, seen_before, created_before, networks_before).await
    }
    async fn signed_in_from(&self, username: &str, network: &str) -> Result<bool> {
        logins::signed_in_from(self, username, network).await
    }
    async fn unlock_user(&self, id: UserId, by: &Actor, at: Timestamp) -> Result<()> {
        people::unlock_user(self, id, by, at).await
    }
    async fn log_event(&self, event: &Event) -> Result<()> {
        change::Change::begin(self, &event.actor, event.at)
            .await?
            .commit_one(event.what.clone())
            .await
    }

    async fn environments(&self) -> Result<Vec<EnvironmentRow>> {
        catalogue::environments(self).await
    }
    async fn add_environment(&self, row: &EnvironmentRow, by: &Actor, at: Timestamp) -> Result<()> {
        catalogue::add_environment(self, row, by, at).await
    }
    async fn set_environment_launches(
        &self,
        id: EnvironmentId,
        to: Admission,
        by: &Actor,
        at: Timestamp,
    ) -> Result<bool> {
        catalogue::set_environment_launches(self, id, to, by, at).await
    }
    async fn applications(&self) -> Result<Vec<Application>> {
        catalogue::applications(self).await
    }
    async fn add_application(&self, application: &Application, by: &Actor, at: Timestamp) -> Result<()> {
        catalogue::add_application(self, application, by, at).await
    }
    async fn update_application(
        &self,
        id: ApplicationId,
        seen: &ApplicationSpec,
        wanted: &ApplicationSpec,
        by: &Actor,
        at: Timestamp,
    ) -> Result<Edited> {
        catalogue::update_application(self, id, seen, wanted, by, at).await
    }
    async fn set_application_launches(
        &self,
        id: ApplicationId,
        to: Admission,
        by: &Actor,
        at: Timestamp,
    ) -> Result<bool> {
        catalogue::set_application_launches(self, id, to, by, at).await
    }

    async fn preference(&self, user_id: UserId, name: &str) -> Result<Option<String>> {
        people::preference(self, user_id, name).await
    }
    async fn set_preference(&self, user_id: UserId, name: &str, value: Option<&str>) -> Result<()> {
        people::set_preference(self, user_id, name, value).await
    }
}

/// What a violated constraint means to the caller: the name is in use, or what it refers to is not there.
fn refused(error: sqlx::Error, name: &str, referred: &'static str) -> StoreError {
    match error.as_database_error().map(sqlx::error::DatabaseError::kind) {
        Some(sqlx::error::ErrorKind::UniqueViolation) => StoreError::AlreadyExists(name.to_owned()),
        Some(sqlx::error::ErrorKind::ForeignKeyViolation) => StoreError::NotFound(referred),
        _ => error.into(),
    }
}

#[cfg(test)]
mod tests;
