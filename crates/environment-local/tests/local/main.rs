//! The local environment with real applications. Needs the programs in `environment_local::NEEDED`,
//! xterm, galculator, mousepad and perl, and the fonts and locales of set-up.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; clippy.toml covers only what is marked #[test]"
)]

mod files;
mod homes;
mod kit;
mod lifecycle;
mod limits;
mod printing;
mod regional;
mod sound;
mod system_calls;
