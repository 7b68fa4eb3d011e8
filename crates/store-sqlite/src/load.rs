//! Every session at once, for the start of a server. With the crate rusqlite, because sqlx copies
//! each value of each row and passes it from one thread to another: with a million sessions that is
//! three quarters of the time.

use std::{path::Path, time::Duration};

use rusqlite::{Connection, OpenFlags};
use store::{
    Changes, Result,
    values::{Shared, corrupt},
};

use crate::{error::rusqlite as sql, rows::Row, session_rows};

/// As for every other connection.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Reads all sessions of a database. Blocks the thread.
pub(crate) fn sessions(path: &Path) -> Result<Changes> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags).map_err(sql)?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(sql)?;
    let snapshot = connection.transaction().map_err(sql)?;
    let number = |query| snapshot.query_row(query, [], |row| row.get::<_, i64>(0)).map_err(sql);
    let revision = number("SELECT revision FROM log")?;
    let count = number("SELECT count(*) FROM sessions")?;
    // The exact size: a vector that grows step by step takes twice the memory at its peak.
    let mut sessions = Vec::with_capacity(count.try_into().map_err(corrupt)?);
    let mut shared = Shared::default();
    let mut statement = snapshot.prepare(session_rows::ALL).map_err(sql)?;
    let mut rows = statement.query([]).map_err(sql)?;
    while let Some(row) = rows.next().map_err(sql)? {
        sessions.push(session_rows::session(row, &mut shared)?);
    }
    Ok(Changes {
        revision: revision.try_into().map_err(corrupt)?,
        sessions,
        ..Changes::default()
    })
}

impl Row for rusqlite::Row<'_> {
    fn integer(&self, column: usize) -> Result<Option<i64>> {
        self.get(column).map_err(sql)
    }

    fn text(&self, column: usize) -> Result<Option<&str>> {
        self.get_ref(column).map_err(sql)?.as_str_or_null().map_err(corrupt)
    }

    fn bytes(&self, column: usize) -> Result<Option<&[u8]>> {
        self.get_ref(column).map_err(sql)?.as_blob_or_null().map_err(corrupt)
    }
}
