//! The store on one machine: a SQLite database in the data directory.
//!
//! One connection writes, always inside `BEGIN IMMEDIATE`; a few others read consistent snapshots
//! beside it. A server holds a lock file for its whole life. Tools such as
//! `cloud-delivery user add` open the same database without it, in a process of their own, and wait
//! for their turn.
//!
//! It decides nothing that [`store::decide`] can decide. Each resource's statements are in the
//! module of its name, which implements its trait. To add a table or a column: a new file in
//! `migrations` (databases have the earlier ones), and the statements in the module of its
//! resource.

mod catalogue;
mod change;
mod cluster;
mod database;
mod error;
mod events;
mod load;
mod logins;
mod open;
mod own_applications;
mod people;
mod pictures;
mod rows;
mod session_rows;
mod sessions;

pub use database::Sqlite;

#[cfg(test)]
mod tests;
