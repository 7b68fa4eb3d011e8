//! A store: all resources of one database.

use crate::{Catalogue, Cluster, EventLog, Logins, People, Sessions, StoreError};

/// The result of every call.
pub type Result<T> = std::result::Result<T, StoreError>;

/// The durable log. Every call that writes, except [`Sessions::seed`], is one transaction, which is
/// on the disk when the call returns. A call fails with [`StoreError::NotFound`] if it names a
/// person or an environment that does not exist.
pub trait Store: Sessions + EventLog + People + Logins + Catalogue + Cluster {}

impl<T: Sessions + EventLog + People + Logins + Catalogue + Cluster> Store for T {}
