//! Errors of PostgreSQL as errors of the store.

use std::sync::Arc;

use sqlx::{
    error::{DatabaseError, ErrorKind},
    migrate::MigrateError,
};
use store::{StoreError, values::corrupt};

/// Maps an error of sqlx by its SQLSTATE.
pub(crate) fn sql(error: sqlx::Error) -> StoreError {
    match &error {
        sqlx::Error::ColumnDecode { .. } => corrupt(error),
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) => {
            StoreError::Unreachable(error.to_string())
        }
        sqlx::Error::Database(database) => match database.code().as_deref() {
            // The disk of the database server is full.
            Some("53100") => StoreError::Full,
            // Another transaction is in the way: serialization, deadlock, a lock or a statement out
            // of time.
            Some("40001" | "40P01" | "55P03" | "57014") => StoreError::Busy,
            // The database starts, stops or crashed, has no free connection, became a standby, or
            // closed this connection.
            Some("57P01" | "57P02" | "57P03" | "57P05" | "53300" | "25006" | "25P03") => {
                StoreError::Unreachable(error.to_string())
            }
            // Class 08: the connection was lost.
            Some(code) if code.starts_with("08") => StoreError::Unreachable(error.to_string()),
            _ => StoreError::Database(Arc::new(error)),
        },
        _ => StoreError::Database(Arc::new(error)),
    }
}

/// An error of an insert or an update: the name is in use, or something that the row refers to does
/// not exist.
pub(crate) fn constraint(error: sqlx::Error, name: &str, referred: &'static str) -> StoreError {
    match error.as_database_error().map(DatabaseError::kind) {
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
