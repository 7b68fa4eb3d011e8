//! Opening: from a directory to a database with the current layout, and connections with the right
//! settings.

use std::{
    fs::{DirBuilder, File, OpenOptions},
    io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

use rustix::fs::{Access, FlockOperation};
use sqlx::{
    ConnectOptions, Connection, SqliteConnection,
    migrate::Migrator,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use store::{Result, StoreError};

use crate::{
    Sqlite,
    error::{migration, sql, unwritable},
};

/// The number of connections that read.
const READERS: u32 = 4;
/// Earlier versions can damage a database in WAL mode.
const OLDEST_SQLITE: &str = "3.51.3";

static MIGRATIONS: Migrator = sqlx::migrate!();

impl Sqlite {
    /// Opens the data directory for a tool, beside a server that may be running.
    /// [`StoreError::Older`] if only a server may change its layout.
    pub async fn open(data_dir: &Path) -> Result<Self> {
        directory(data_dir)?;
        Self::with_lock(data_dir, None).await
    }

    /// Opens the data directory for a server. [`StoreError::Locked`] if another server has it.
    pub async fn serve(data_dir: &Path) -> Result<Self> {
        directory(data_dir)?;
        let lock = server_lock(data_dir)?;
        Self::with_lock(data_dir, Some(lock)).await
    }

    async fn with_lock(data_dir: &Path, lock: Option<File>) -> Result<Self> {
        let path = database(data_dir, lock.is_some()).await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .min_connections(1)
            .connect_with(settings(&path).pragma("query_only", "ON"))
            .await
            .map_err(sql)?;
        Ok(Self::new(path, readers, lock))
    }
}

/// Makes the data directory if it is missing, readable by its owner only.
fn directory(path: &Path) -> Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .and_then(|()| {
            Ok(rustix::fs::access(
                path,
                Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK,
            )?)
        })
        .map_err(|error| unwritable(path, error))
}

/// Takes the lock of the one server. It is free again when the file is closed, however the process
/// ends.
fn server_lock(directory: &Path) -> Result<File> {
    let file = private_file(directory, "server.lock")?;
    match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(rustix::io::Errno::WOULDBLOCK) => Err(StoreError::Locked(directory.display().to_string())),
        Err(error) => Err(unwritable(directory, error)),
    }
}

/// Makes the database if it is missing. A server migrates its layout; a tool refuses an older one,
/// because a server of that version may be running.
async fn database(directory: &Path, migrate: bool) -> Result<PathBuf> {
    // SQLite does not wait for its turn to enter WAL mode, and two programs must not migrate at
    // once.
    let file = private_file(directory, "layout.lock")?;
    let lock = tokio::task::spawn_blocking(move || {
        rustix::fs::flock(&file, FlockOperation::LockExclusive)?;
        Ok(file)
    });
    let _lock = lock
        .await
        .map_err(io::Error::other)
        .flatten()
        .map_err(|e| unwritable(directory, e))?;

    // SQLite itself would make the file readable for everybody. Its other files get the mode of
    // this one.
    drop(private_file(directory, "cloud-delivery.sqlite3")?);
    let path = directory.join("cloud-delivery.sqlite3");
    let mut connection = settings(&path).connect().await.map_err(sql)?;
    check_version(
        &sqlx::query_scalar::<_, String>("SELECT sqlite_version()")
            .fetch_one(&mut connection)
            .await
            .map_err(sql)?,
    )?;
    if !migrate && let Some(version) = older_layout(&mut connection).await.map_err(sql)? {
        return Err(StoreError::Older(version));
    }
    MIGRATIONS
        .run_direct(None, &mut connection, false)
        .await
        .map_err(migration)?;
    connection.close().await.map_err(sql)?;
    Ok(path)
}

/// The last migration of a database that lacks one; `None` if it lacks none, and for an empty
/// database.
async fn older_layout(connection: &mut SqliteConnection) -> sqlx::Result<Option<i64>> {
    let tables: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_master WHERE name = '_sqlx_migrations'")
        .fetch_one(&mut *connection)
        .await?;
    if tables == 0 {
        return Ok(None);
    }
    let found: Vec<i64> = sqlx::query_scalar("SELECT version FROM _sqlx_migrations ORDER BY version")
        .fetch_all(connection)
        .await?;
    let lacks_one = MIGRATIONS.iter().any(|known| !found.contains(&known.version));
    Ok(lacks_one.then(|| found.last().copied().unwrap_or_default()))
}

/// The settings of every connection.
fn settings(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(Duration::from_secs(5))
        .foreign_keys(true)
        .pragma("mmap_size", "0")
        // Without a limit the file of the write-ahead log never gets smaller.
        .pragma("journal_size_limit", "67108864")
        .row_buffer_size(256)
        .disable_statement_logging()
}

/// Opens the one connection that writes.
pub(crate) async fn writer(path: &Path, max_pages: u32) -> Result<SqliteConnection> {
    settings(path)
        .pragma("max_page_count", max_pages.to_string())
        .connect()
        .await
        .map_err(sql)
}

fn private_file(directory: &Path, name: &str) -> Result<File> {
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(directory.join(name))
        .map_err(|error| unwritable(directory, error))
}

fn check_version(version: &str) -> Result<()> {
    let numbers = |text: &str| {
        text.split('.')
            .map(|part| part.parse().unwrap_or(0))
            .collect::<Vec<u32>>()
    };
    if numbers(version) < numbers(OLDEST_SQLITE) {
        return Err(StoreError::OldSqlite(version.to_owned(), OLDEST_SQLITE));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
