//! Every session at once, for the start of a server. By the crate rusqlite, because sqlx copies each value of each row and hands
//! it from one thread to another: with a million sessions that is three quarters of the time.

use std::{path::Path, time::Duration};

use rusqlite::{Connection, OpenFlags};

use super::{Sqlite, rows::Row, sessions};
use crate::{
    Changes, Result, StoreError,
    error::from_sqlite,
    values::{Shared, corrupt},
};

/// As for every other connection.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

pub(super) async fn load(store: &Sqlite) -> Result<Changes> {
    let path = store.path.clone();
    let loaded = tokio::task::spawn_blocking(move || read(&path));
    // It can only have panicked.
    loaded.await.unwrap_or_else(|error| Err(corrupt(error)))
}

fn read(path: &Path) -> Result<Changes> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    let snapshot = connection.transaction()?;
    let revision: i64 = snapshot.query_row("SELECT revision FROM log", [], |row| row.get(0))?;
    let count: i64 = snapshot.query_row("SELECT count(*) FROM sessions", [], |row| row.get(0))?;
    // Exactly as large as it will be: growing step by step would take twice the memory at its peak.
    let mut sessions = Vec::with_capacity(count.try_into().map_err(corrupt)?);
    let mut shared = Shared::default();
    let mut statement = snapshot.prepare(sessions::ALL)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        sessions.push(sessions::session(row, &mut shared)?);
    }
    Ok(Changes {
        revision: revision.try_into().map_err(corrupt)?,
        sessions,
        ..Changes::default()
    })
}

impl Row for rusqlite::Row<'_> {
    fn integer(&self, column: usize) -> Result<Option<i64>> {
        Ok(self.get(column)?)
    }

    fn text(&self, column: usize) -> Result<Option<&str>> {
        self.get_ref(column)?.as_str_or_null().map_err(corrupt)
    }

    fn bytes(&self, column: usize) -> Result<Option<&[u8]>> {
        self.get_ref(column)?.as_blob_or_null().map_err(corrupt)
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match &error {
            rusqlite::Error::SqliteFailure(failure, _) => {
                from_sqlite(failure.extended_code, &error.to_string()).unwrap_or_else(|| corrupt(error))
            }
            _ => corrupt(error),
        }
    }
}
