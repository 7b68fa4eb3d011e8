//! The decisions that all databases share, as pure functions: rows in, writes out. A database reads
//! the rows in its transaction, calls one of these functions, and writes the result.
//!
//! The edges of a session's life are in [`session::lifecycle`]. The model in `store-testing` uses
//! nothing of this module, so that the model test compares two independent implementations.

pub mod batch;
pub mod catalogue;
pub mod people;
pub mod reads;
pub mod sessions;
pub mod sweep;
