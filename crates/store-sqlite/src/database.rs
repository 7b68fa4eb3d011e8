//! The connections to a database, and transactions that write.

use std::{
    fs::File,
    path::PathBuf,
    sync::atomic::{AtomicBool, AtomicU32, Ordering},
};

use sqlx::{SqliteConnection, SqlitePool};
use store::{Result, StoreError};
use tokio::sync::{Mutex, MutexGuard};

use crate::{error::sql, open};

/// The most pages that SQLite can count.
const NO_LIMIT: u32 = 4_294_967_294;

/// The store in a data directory.
pub struct Sqlite {
    pub(crate) path: PathBuf,
    pub(crate) readers: SqlitePool,
    /// Empty until the first write, and during a write.
    writer: Mutex<Option<SqliteConnection>>,
    max_pages: AtomicU32,
    /// A commit met a failing disk: this process must not write again.
    disk_failed: AtomicBool,
    _lock: Option<File>,
}

impl Sqlite {
    /// The store of an open database. A server passes its lock.
    pub(crate) fn new(path: PathBuf, readers: SqlitePool, lock: Option<File>) -> Self {
        Self {
            path,
            readers,
            writer: Mutex::new(None),
            max_pages: AtomicU32::new(NO_LIMIT),
            disk_failed: AtomicBool::new(false),
            _lock: lock,
        }
    }

    /// Limits the database to this many pages of 4 KiB: writes then answer [`StoreError::Full`], as
    /// on a full disk. `None` = no limit.
    pub async fn limit_pages(&self, pages: Option<u32>) {
        self.max_pages.store(pages.unwrap_or(NO_LIMIT), Ordering::Release);
        // The limit is a setting of a connection: the next one has it.
        *self.writer.lock().await = None;
    }

    /// Waits for its turn and begins a transaction that writes.
    pub(crate) async fn begin(&self) -> Result<Transaction<'_>> {
        let mut home = self.writer.lock().await;
        if self.disk_failed.load(Ordering::Acquire) {
            return Err(StoreError::Disk("an earlier write failed".into()));
        }
        let mut connection = match home.take() {
            Some(connection) => connection,
            None => open::writer(&self.path, self.max_pages.load(Ordering::Acquire)).await?,
        };
        sqlx::query("BEGIN IMMEDIATE")
            .execute(&mut connection)
            .await
            .map_err(sql)?;
        Ok(Transaction {
            connection,
            home,
            disk_failed: &self.disk_failed,
        })
    }

    /// A snapshot, to read several things from.
    pub(crate) async fn snapshot(&self) -> Result<sqlx::Transaction<'static, sqlx::Sqlite>> {
        self.readers.begin().await.map_err(sql)
    }
}

/// An open transaction that writes. If it is dropped without [`Transaction::commit`], its
/// connection is closed, which undoes everything and leaves nothing open, after any error and in a
/// dropped future. sqlx's transactions can't do this: after SQLite has rolled back by itself, as on
/// a full disk, their count of open transactions is wrong.
pub(crate) struct Transaction<'a> {
    pub(crate) connection: SqliteConnection,
    home: MutexGuard<'a, Option<SqliteConnection>>,
    disk_failed: &'a AtomicBool,
}

impl Transaction<'_> {
    /// Returns when everything is on the disk.
    pub(crate) async fn commit(mut self) -> Result<()> {
        match sqlx::query("COMMIT").execute(&mut self.connection).await.map_err(sql) {
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
