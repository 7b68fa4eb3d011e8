//! The errors of a store.

use std::{error::Error, io, sync::Arc};

/// An error of a store. Texts of the database itself are for the log, not for a browser.
///
/// It can be cloned, because one failed batch is the answer to every request in it.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// The name is in use.
    #[error("“{0}” is in use")]
    AlreadyExists(String),
    /// The call names something that does not exist.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// Nobody would be left who can administer.
    #[error("the last System Admin can't be removed or demoted")]
    LastSystemAdmin,
    /// Synthetic data is only added to an empty store.
    #[error("there are sessions already; synthetic ones are added only to an empty store")]
    NotEmpty,
    /// Another server uses the database.
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
    /// Another program kept the database busy for seconds. Nothing was written; try again.
    #[error("another program is writing to the database; try again")]
    Busy,
    /// The database can't be reached: it is down, restarts, is cut off or frozen. Nothing was
    /// written; try again.
    #[error("the database can't be reached: {0}")]
    Unreachable(String),
    /// The connection was lost during the commit, and could not be made again in time. The write
    /// may be done or not: read before trying again.
    #[error("the database can't be reached, and whether it was written is not known")]
    OutcomeUnknown,
    /// The disk is full. Nothing was written; try again.
    #[error("the disk of the database is full")]
    Full,
    /// The disk failed. The state of the last writes is unknown: the process must end, and start
    /// again from the disk.
    #[error("the disk of the data directory failed: {0}")]
    Disk(String),
    /// Any other error of the database.
    #[error("database: {0}")]
    Database(#[source] Arc<dyn Error + Send + Sync>),
    /// The migrations failed.
    #[error("database layout: {0}")]
    Migrate(#[source] Arc<dyn Error + Send + Sync>),
    /// The layout of the database is newer than this program.
    #[error(
        "the database was last used by a newer cloud-delivery (layout {0}); start that version, or restore a backup"
    )]
    Newer(i64),
    /// The layout is older than this program, and only a server migrates it.
    #[error(
        "the database has the layout of an earlier cloud-delivery ({0}); start the server of this version once, which brings it up to date"
    )]
    Older(i64),
    /// This version of SQLite can damage a database.
    #[error("SQLite {0} is too old; at least {1} is needed")]
    OldSqlite(String, &'static str),
    /// This version of PostgreSQL lacks a needed feature.
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
    /// True if one request of a batch may be the cause, for example through a row that can't be
    /// read. Nothing was written then, and the other requests may succeed without it.
    pub(crate) const fn may_be_one_requests(&self) -> bool {
        matches!(
            self,
            Self::AlreadyExists(_) | Self::NotFound(_) | Self::Database(_) | Self::Corrupt(_)
        )
    }
}
