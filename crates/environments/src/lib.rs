//! The port to the environments that run sessions, and the filter of the tab's protocol.
//!
//! An environment starts, observes, connects to and stops a session's application. It knows nothing
//! of users, rows, policies or HTTP, and never decides that a session should end. Each kind of
//! environment is a crate of its own.
//!
//! To add a kind: a crate that implements [`Environment`], a test in it that runs the suite of
//! `environment-testing`, and one line in the server's composition root. Nothing else names it.

mod files;
mod port;
pub mod rfb;

pub use files::{Entry, EntryKind, FilesError, HomeFiles, HomePath, Listing, Reading, Writing};
pub use port::{
    Duplex, Environment, EnvironmentError, Home, Observed, Owner, Prints, Signal, Signals, Sound, StartSpec, Windows,
};
