//! The store of several machines: a PostgreSQL database, 15 or later, that all nodes share.
//!
//! A node writes only while it holds a lock on the one row of the log, so all writing transactions
//! of all nodes run one after the other, and revisions have no gap. Each raises the revision last
//! and notifies the other nodes. The notification is only a wake-up
//! ([`Cluster::changed`](store::Cluster::changed)): the nodes find the change by its revision.
//!
//! Every call ends in time, even if the database is frozen or cut off. Any future may be dropped:
//! its connection is closed, and the database undoes the open transaction. If the answer to a
//! commit is lost, the store searches the log for the hash of its last event as soon as it can
//! connect again; only if it can't, it answers
//! [`StoreError::OutcomeUnknown`](store::StoreError::OutcomeUnknown).
//!
//! The crate decides nothing that [`store::decide`] can decide. Each resource's statements are in
//! the module of its name, which implements its trait. To add a table or a column: a new file in
//! `migrations` (databases have the earlier ones), and the statements in the module of its
//! resource.

mod catalogue;
mod change;
mod cluster;
mod connections;
mod database;
mod error;
mod events;
mod listen;
mod lock;
mod logins;
mod open;
mod own_applications;
mod people;
mod pictures;
mod rows;
mod session_rows;
mod sessions;
mod transaction;

pub use database::{Postgres, Settings};

#[cfg(test)]
mod tests;
