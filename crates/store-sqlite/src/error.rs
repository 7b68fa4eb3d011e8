//! Errors of SQLite as errors of the store.

use std::{io, path::Path, sync::Arc};

use sqlx::{error::ErrorKind, migrate::MigrateError, sqlite::SqliteError};
use store::{StoreError, values::corrupt};

/// An error of sqlx.
pub(crate) fn sql(error: sqlx::Error) -> StoreError {
    let code = match &error {
        sqlx::Error::ColumnDecode { .. } => return corrupt(error),
        sqlx::Error::Database(database) => code(database.as_ref()),
        _ => None,
    };
    code.and_then(|code| from_code(code, &error.to_string()))
        .unwrap_or_else(|| StoreError::Database(Arc::new(error)))
}

/// An error of an insert or an update: the name is in use, or something that the row refers to does
/// not exist.
pub(crate) fn constraint(error: sqlx::Error, name: &str, referred: &'static str) -> StoreError {
    match error.as_database_error().map(sqlx::error::DatabaseError::kind) {
        Some(ErrorKind::UniqueViolation) => StoreError::AlreadyExists(name.to_owned()),
        Some(ErrorKind::ForeignKeyViolation) => StoreError::NotFound(referred),
        _ => sql(error),
    }
}

/// An error of a migration.
pub(crate) fn migration(error: MigrateError) -> StoreError {
    match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => sql(error),
        MigrateError::VersionMissing(version) => StoreError::Newer(version),
        error => StoreError::Migrate(Arc::new(error)),
    }
}

/// An error of rusqlite.
pub(crate) fn rusqlite(error: rusqlite::Error) -> StoreError {
    match &error {
        rusqlite::Error::SqliteFailure(failure, _) => {
            from_code(failure.extended_code, &error.to_string()).unwrap_or_else(|| corrupt(error))
        }
        _ => corrupt(error),
    }
}

/// The data directory, or a file in it, can't be written.
pub(crate) fn unwritable(path: &Path, error: impl Into<io::Error>) -> StoreError {
    StoreError::Unwritable(path.display().to_string(), Arc::new(error.into()))
}

/// The error of an extended result code of SQLite, if the store has one for it.
fn from_code(code: i32, text: &str) -> Option<StoreError> {
    use libsqlite3_sys as sqlite;
    // The low byte is the kind of an error, the rest its place.
    match (code & 0xff, code) {
        // The shared-memory index of the write-ahead log holds nothing that must last, and fails to
        // grow only if there is no room. So this is a full disk.
        (_, sqlite::SQLITE_IOERR_SHMSIZE) | (sqlite::SQLITE_FULL, _) => Some(StoreError::Full),
        (sqlite::SQLITE_BUSY, _) => Some(StoreError::Busy),
        (sqlite::SQLITE_IOERR | sqlite::SQLITE_CORRUPT | sqlite::SQLITE_NOTADB, _) => {
            Some(StoreError::Disk(text.to_owned()))
        }
        _ => None,
    }
}

fn code(error: &dyn sqlx::error::DatabaseError) -> Option<i32> {
    let error = error.try_downcast_ref::<SqliteError>()?;
    sqlx::error::DatabaseError::code(error)?.parse().ok()
}
