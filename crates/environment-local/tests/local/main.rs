//! The local environment with real applications. Needs the programs in `environment_local::NEEDED`,
//! and xterm, galculator, mousepad and perl.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; clippy.toml covers only what is marked #[test]"
)]

mod homes;
mod kit;
mod lifecycle;
mod limits;
mod system_calls;
