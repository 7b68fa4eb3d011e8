//! From a directory to connections whose settings are in force.

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
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

use super::earlier;
use crate::{Result, StoreError};

/// Earlier ones can damage a database in WAL mode.
const OLDEST_SQLITE: &str = "3.51.3";

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");

/// Makes the data directory if it is missing, readable by its owner only.
pub(super) fn directory(path: &Path) -> Result<()> {
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
        .map_err(|error| StoreError::unwritable(path, error))
}

/// Takes the lock that only one server can have. It is free again when the file is closed, however the process ends.
pub(super) fn server_lock(directory: &Path) -> Result<File> {
    let file = private_file(directory, "server.lock")?;
    match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(rustix::io::Errno::WOULDBLOCK) => Err(StoreError::Locked(directory.display().to_string())),
        Err(error) => Err(StoreError::unwritable(directory, error)),
    }
}

/// Makes the database if it is missing. For a server, brings its layout up to date; a tool refuses an earlier one, for a server of
/// that version may be running.
pub(super) async fn database(directory: &Path, migrate: bool) -> Result<PathBuf> {
    // SQLite can't wait for its turn to enter WAL mode, and two programs must not migrate at once.
    let file = private_file(directory, "layout.lock")?;
    let lock = tokio::task::spawn_blocking(move || {
        rustix::fs::flock(&file, FlockOperation::LockExclusive)?;
        Ok(file)
    });
    let _lock = lock
        .await
        .map_err(io::Error::other)
        .flatten()
        .map_err(|e| StoreError::unwritable(directory, e))?;

    // SQLite would make it readable for everybody. Its other files get the mode of this one.
    drop(private_file(directory, "cloud-delivery.sqlite3")?);
    let path = directory.join("cloud-delivery.sqlite3");
    let mut connection = settings(&path).connect().await?;
    check_version(
        &sqlx::query_scalar::<_, String>("SELECT sqlite_version()")
            .fetch_one(&mut connection)
            .await?,
    )?;
    if !migrate && let Some(version) = earlier::version(&mut connection, &MIGRATIONS).await? {
        return Err(StoreError::Older(version));
    }
    earlier::adopt(&mut connection, &MIGRATIONS).await?;
    MIGRATIONS.run_direct(None, &mut connection, false).await?;
    connection.close().await?;
    Ok(path)
}

/// What every connection is opened with.
pub(super) fn settings(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(Duration::from_secs(5))
        .foreign_keys(true)
        .pragma("mmap_size", "0")
        // Without a limit the write-ahead log stays as large as it ever was.
        .pragma("journal_size_limit", "67108864")
        .row_buffer_size(256)
        .disable_statement_logging()
}

/// The one connection that writes.
pub(super) async fn writer(path: &Path, max_pages: u32) -> Result<SqliteConnection> {
    Ok(settings(path)
        .pragma("max_page_count", max_pages.to_string())
        .connect()
        .await?)
}

fn private_file(directory: &Path, name: &str) -> Result<File> {
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(directory.join(name))
        .map_err(|error| StoreError::unwritable(directory, error))
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
mod tests {
    use super::*;

    #[test]
    fn versions_compare_as_numbers() {
        for version in ["3.51.3", "3.51.10", "3.52.0", "4.0"] {
            assert!(check_version(version).is_ok(), "{version}");
        }
        for version in ["3.51.2", "3.7.0", "3.9.99", "", "x"] {
            assert!(check_version(version).is_err(), "{version}");
        }
    }
}
