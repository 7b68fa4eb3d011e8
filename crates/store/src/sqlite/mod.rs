//! The store on one machine: a SQLite database in the data directory.
//!
//! One connection writes, and only inside `BEGIN IMMEDIATE`; a few others read consistent snapshots beside it. A server
//! holds a lock file for life; tools like `cloud-delivery user add` open the same database without it, in their own
//! process, and wait their turn.
//!
//! Each table's statements are in the module of its name. To add one: a file in `migrations/sqlite`, a module here, and
//! the functions in [`Store`].

use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, AtomicU32, Ordering},
};

use async_trait::async_trait;
use session::{
    Actor, ApplicationId, EnvironmentId, Event, Role, Session, SessionId, Timestamp, UserId,
    audit::Numbered,
    catalogue::{Admission, ApplicationSpec},
};
use sqlx::{SqliteConnection, SqlitePool, sqlite::SqlitePoolOptions};
use tokio::sync::{Mutex, MutexGuard};

use crate::{
    Application, Changes, Checkpoint, Claim, Committed, Edited, EnvironmentRow, EventScan, Hash, Head, NewLogin,
    Result, SignedIn, Store, StoreError, User, Verified, WriteRequest,
};

mod catalogue;
mod change;
mod checkpoints;
mod earlier;
mod events;
mod load;
mod logins;
mod open;
mod people;
mod rows;
mod scan;
mod seed;
mod sessions;
mod sweep;
mod write;

/// Connections that read.
const READERS: u32 = 4;
/// The most that SQLite can count.
const NO_LIMIT: u32 = 4_294_967_294;

/// The store in a data directory.
pub struct Sqlite {
    path: PathBuf,
    readers: SqlitePool,
    /// Empty until it is needed, and while somebody writes with it.
    writer: Mutex<Option<SqliteConnection>>,
    max_pages: AtomicU32,
    /// A commit met a failing disk: nothing may be written again by this process.
    disk_failed: AtomicBool,
    _lock: Option<File>,
}

impl Sqlite {
    /// Opens the data directory for a tool, beside a server that may run. [`StoreError::Older`] where only a server may change its
    /// layout.
    pub async fn open(data_dir: &Path) -> Result<Self> {
        open::directory(data_dir)?;
        Self::with_lock(data_dir, None).await
    }

    /// Opens the data directory for a server. [`StoreError::Locked`] where another one has it.
    pub async fn serve(data_dir: &Path) -> Result<Self> {
        open::directory(data_dir)?;
        let lock = open::server_lock(data_dir)?;
        Self::with_lock(data_dir, Some(lock)).await
    }

    async fn with_lock(data_dir: &Path, lock: Option<File>) -> Result<Self> {
        let path = open::database(data_dir, lock.is_some()).await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .min_connections(1)
            .connect_with(open::settings(&path).pragma("query_only", "ON"))
            .await?;
        Ok(Self {
            path,
            readers,
            writer: Mutex::new(None),
            max_pages: AtomicU32::new(NO_LIMIT),
            disk_failed: AtomicBool::new(false),
            _lock: lock,
        })
    }

    /// Lets the database grow to this many pages (of 4 KiB) and no further: writes then answer [`StoreError::Full`], as on
    /// a full disk. `None` = as the disk allows.
    pub async fn limit_pages(&self, pages: Option<u32>) {
        self.max_pages.store(pages.unwrap_or(NO_LIMIT), Ordering::Release);
        // It is a setting of a connection: the next one has it.
        *self.writer.lock().await = None;
    }

    /// Begins a transaction that writes, when its turn has come.
    async fn begin(&self) -> Result<Transaction<'_>> {
        let mut home = self.writer.lock().await;
        if self.disk_failed.load(Ordering::Acquire) {
            return Err(StoreError::Disk("an earlier write failed".into()));
        }
        let mut connection = match home.take() {
            Some(connection) => connection,
            None => open::writer(&self.path, self.max_pages.load(Ordering::Acquire)).await?,
        };
        sqlx::query("BEGIN IMMEDIATE").execute(&mut connection).await?;
        Ok(Transaction {
            connection,
            home,
            disk_failed: &self.disk_failed,
        })
    }

    /// A snapshot to read several things from.
    async fn snapshot(&self) -> Result<sqlx::Transaction<'static, sqlx::Sqlite>> {
        Ok(self.readers.begin().await?)
    }
}

/// An open transaction that writes. Dropped without [`Transaction::commit`], its connection is closed, which undoes
/// everything and leaves nothing open, whatever went wrong or whoever hung up. So it doesn't use sqlx's transactions:
/// where SQLite has rolled back by itself, as on a full disk, theirs count wrong ever after.
struct Transaction<'a> {
    connection: SqliteConnection,
    home: MutexGuard<'a, Option<SqliteConnection>>,
    disk_failed: &'a AtomicBool,
}

impl Transaction<'_> {
    /// Returns when everything is on the disk.
    async fn commit(mut self) -> Result<()> {
        match sqlx::query("COMMIT")
            .execute(&mut self.connection)
            .await
            .map_err(StoreError::from)
        {
            Ok(_) => {
                *self.home = Some(self.connection);
                Ok(())
            }
            Err(error) => {
                if let StoreError::Disk(_) = error {
                    self.disk_failed.store(true, Ordering::Release);
                }
                Err(error)
            }
        }
    }
}

#[async_trait]
impl Store for Sqlite {
    async fn load(&self) -> Result<Changes> {
        load::load(self).await
    }
    async fn changes(&self, after: u64) -> Result<Changes> {
        sessions::changes(self, after).await
    }
    async fn revision(&self) -> Result<u64> {
        sessions::revision(&mut *self.readers.acquire().await?).await
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
