//! The `simulated` environment: it starts no application, but behaves like an environment in
//! everything else, as slow and as faulty as its plan says.
//!
//! For tests, benchmarks and trials of the console. It starts no process, opens no socket and is
//! never a fallback: a catalogue that uses it shows that in the environment's name. To add a fault:
//! a field of [`SimulatedPlan`] or a method, and a test in `tests/simulated.rs`.

mod environment;
mod screen;

pub use environment::{KIND, Simulated, SimulatedPlan};
