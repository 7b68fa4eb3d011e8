//! Why the store could not do something.

use std::{io, path::Path, sync::Arc};

use sqlx::{migrate::MigrateError, postgres::PgDatabaseError, sqlite::SqliteError};

/// What went wrong. Nothing of the database's own words is meant for a browser.
///
/// It can be cloned, because one failed batch is the answer to everybody in it.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// The name is in use.
    #[error("“{0}” is in use")]
    AlreadyExists(String),
    /// What the call names does not exist.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// Nobody would be left who can administer.
    #[error("the last System Admin can't be removed or demoted")]
    LastSystemAdmin,
    /// Synthetic data was refused because there are sessions already.
    #[error("there are sessions already; synthetic ones are added only to an empty store")]
    NotEmpty,
    /// Another server has the database.
    #[error("another cloud-delivery server uses this database ({0})")]
    Locked(String),
    /// Another server is the node of this name.
    #[error(
        "another cloud-delivery server is node “{0}” of this database; give each its own name (CLOUD_DELIVERY_NODE)"
    )]
    NodeTaken(String),
    /// The data directory can't be made or written.
    #[error("the data directory {0} can't be written: {1}")]
    Unwritable(String, #[source] Arc<io::Error>),
    /// Another program kept the database busy for seconds. Nothing was written; it can be tried again.
    #[error("another program is writing to the database; try again")]
    Busy,
    /// The database can't be reached: it is down, restarts, is cut off or frozen. Nothing was written; it can be tried again.
    #[error("the database can't be reached: {0}")]
    Unreachable(String),
    /// The database went away while it committed, and could not be asked since. It may be written or not: look before
    /// anything is tried again.
    #[error("the database can't be reached, and whether it was written is not known")]
    OutcomeUnknown,
    /// The disk is full. Nothing was written; it can be tried again.
    #[error("the disk of the database is full")]
    Full,
    /// The disk failed. What was written last is unknown, so the process must end and start again from the disk.
    #[error("the disk of the data directory failed: {0}")]
    Disk(String),
    /// Anything else of the database.
    #[error("database: {0}")]
    Database(#[source] Arc<sqlx::Error>),
    /// Its layout could not be brought up to date.
    #[error("database layout: {0}")]
    Migrate(#[source] Arc<MigrateError>),
    /// Its layout is one that this program does not know yet.
    #[error(
        "the database was last used by a newer cloud-delivery (layout {0}); start that version, or restore a backup"
    )]
    Newer(i64),
    /// Its layout is an earlier one, and only a server brings it up to date.
    #[error(
        "the database has the layout of an earlier cloud-delivery ({0}); start the server of this version once, which brings it up to date"
    )]
    Older(i64),
    /// The database library is one that can damage a database.
    #[error("SQLite {0} is too old; at least {1} is needed")]
    OldSqlite(String, &'static str),
    /// The database server is one that lacks what is needed.
    #[error("PostgreSQL {0} is too old; at least {1} is needed")]
    OldPostgres(String, u32),
    /// A stored value could not be read.
    #[error("the database holds something that can't be read: {0}")]
    Corrupt(String),
    /// The writer has ended.
    #[error("the server is shutting down")]
    Closed,
}

impl StoreError {
    /// May a single request of a batch be the cause, say because of the row that it is about? Nothing was written then, and the
    /// other requests of the batch may succeed without it.
    pub(crate) const fn may_be_one_requests(&self) -> bool {
        matches!(
            self,
            Self::AlreadyExists(_) | Self::NotFound(_) | Self::Database(_) | Self::Corrupt(_)
        )
    }

    pub(crate) fn unwritable(path: &Path, why: impl Into<io::Error>) -> Self {
        Self::Unwritable(path.display().to_string(), Arc::new(why.into()))
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let code = match &error {
            sqlx::Error::ColumnDecode { .. } => return Self::Corrupt(error.to_string()),
            // SQLite has no connection that could be lost.
            sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) => {
                return Self::Unreachable(error.to_string());
            }
            sqlx::Error::Database(database) if database.try_downcast_ref::<PgDatabaseError>().is_some() => {
                return from_postgres(error);
            }
            sqlx::Error::Database(database) => sqlite_code(database.as_ref()),
            _ => None,
        };
        code.and_then(|code| from_sqlite(code, &error.to_string()))
            .unwrap_or_else(|| Self::Database(Arc::new(error)))
    }
}

impl From<MigrateError> for StoreError {
    fn from(error: MigrateError) -> Self {
        match error {
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => error.into(),
            MigrateError::VersionMissing(version) => Self::Newer(version),
            error => Self::Migrate(Arc::new(error)),
        }
    }
}

fn from_postgres(error: sqlx::Error) -> StoreError {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    match code.as_deref() {
        // A full disk of the server.
        Some("53100") => StoreError::Full,
        // Somebody else's transaction stood in the way: serialization, deadlock, a lock or a statement out of time.
        Some("40001" | "40P01" | "55P03" | "57014") => StoreError::Busy,
        // It starts, stops or crashed, has no room for a connection, became a standby, or ended ours; class 08 is what becomes
        // of connections on their way.
        Some("57P01" | "57P02" | "57P03" | "57P05" | "53300" | "25006" | "25P03") => {
            StoreError::Unreachable(error.to_string())
        }
        Some(code) if code.starts_with("08") => StoreError::Unreachable(error.to_string()),
        _ => StoreError::Database(Arc::new(error)),
    }
}

/// What an extended result code of SQLite means to us, if it is one of those that do.
pub(crate) fn from_sqlite(code: i32, words: &str) -> Option<StoreError> {
    use libsqlite3_sys as sqlite;
    // The low byte is the kind of an error, the rest says where it happened.
    match (code & 0xff, code) {
        // The shared-memory index of the write-ahead log holds nothing that must last, and grows only while there is
        // room. So this is a full disk.
        (_, sqlite::SQLITE_IOERR_SHMSIZE) | (sqlite::SQLITE_FULL, _) => Some(StoreError::Full),
        (sqlite::SQLITE_BUSY, _) => Some(StoreError::Busy),
        (sqlite::SQLITE_IOERR | sqlite::SQLITE_CORRUPT | sqlite::SQLITE_NOTADB, _) => {
            Some(StoreError::Disk(words.to_owned()))
        }
        _ => None,
    }
}

fn sqlite_code(error: &dyn sqlx::error::DatabaseError) -> Option<i32> {
    let error = error.try_downcast_ref::<SqliteError>()?;
    sqlx::error::DatabaseError::code(error)?.parse().ok()
}
