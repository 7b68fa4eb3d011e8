//! Tests of stores: the model in memory, the suite that every store must pass, and fixtures.
//!
//! Only tests may depend on this crate. The model shares no decision with the other stores, so the
//! model test (`tests/model.rs`) compares independent implementations.

pub mod conformance;
pub mod fixture;
mod memory;
#[cfg(feature = "postgres")]
pub mod postgres;

pub use memory::Memory;
