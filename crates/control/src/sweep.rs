//! The sweep: asks every environment for the sessions that it really runs, and makes the log agree
//! with the answer.
//!
//! A sweep starts at most every [`SWEEP_INTERVAL`], for all administrators and all nodes together:
//! the store grants the turn to one node (`turn`), and then every node asks its own environments
//! about the sessions that it hosts (`reconcile`). What a node found (`report`) goes to its peers
//! with the heartbeat, and `status` joins the reports of all nodes.

mod reconcile;
mod report;
mod status;
mod turn;

pub use report::Report;
pub use turn::{SWEEP_INTERVAL, Sweeps};
