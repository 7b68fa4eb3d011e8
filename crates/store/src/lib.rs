//! The contract of the durable log, and everything that its databases share.
//!
//! The log survives a power cut. It keeps people and their logins, the catalogue of environments
//! and applications, sessions, and one event for each change in the transaction of that change. One
//! trait per resource; [`Store`] is all of them.
//!
//! This crate has no database. `store-sqlite` and `store-postgres` implement the traits with SQL,
//! and `store-testing` has the model in memory and the conformance suite. [`decide`] holds the
//! decisions that all databases share, as pure functions. The edges of a session's life are in
//! [`session::lifecycle`], permissions are in `control`. Nothing here reads a clock or draws an id.
//! No list of the page is answered here: the replica in `control` does that.
//!
//! To add a database: a crate that implements the traits, a test that runs the conformance suite on
//! it, one line in `crates/store-testing/tests/model.rs`, and one arm in the server's composition
//! root.

mod catalogue;
pub mod chain;
mod cluster;
pub mod decide;
mod error;
mod events;
mod logins;
mod people;
mod sessions;
mod store;
pub mod values;
pub mod writer;

pub use session::refusal::LaunchRefusal;

pub use crate::{
    catalogue::{Application, Catalogue, Edited, EnvironmentRow, UNUSED_PICTURES},
    chain::{Checkpoint, Hash, Head, Verified},
    cluster::{Claim, Cluster, Node, PeerHeartbeats},
    error::StoreError,
    events::{EventLog, EventScan},
    logins::{Login, Logins, NewLogin, SignedIn},
    people::{OwnApplication, People, User},
    sessions::{Changes, Committed, Sessions, Start, WriteOutcome, WriteRequest},
    store::{Result, Store},
    writer::Writer,
};
