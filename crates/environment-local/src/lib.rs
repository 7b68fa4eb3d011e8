//! The `local` environment: each session is a real application on this host, in a sandbox and on a
//! display of its own.
//!
//! It is not a scheduler, and keeps nothing across a restart of the server: all sandboxes end with
//! the server, even when it is killed. It has no policy; it refuses only requests that this host
//! can't fulfil.
//!
//! The parts: `environment` (the port), `programs` (the programs that must be installed),
//! `identities` (a user id for each session or person), `homes` (the kept homes, with `as_user`), `files` (the files in them), `limits` (the resources of a session), `cgroups`
//! (which enforce them), `syscalls` (the denied ones), `folder` (the session's socket and files),
//! `sandbox` (the command line, with `outside.sh`, `inside.sh` and `printing.sh`), `launcher` (the one thread that
//! spawns), `locales` (LANG and TZ), `readiness` (the reports of a sandbox), `desk` (the windows of a session), `life` (the
//! end of a session by its windows), `running` (from the spawn to the last process), `supervisor`
//! (one task for each session), `leftovers` (after a crash). To give applications one more thing: a
//! line in `sandbox`, and in its test.

mod as_user;
mod cgroups;
mod desk;
mod environment;
mod files;
mod folder;
mod homes;
mod identities;
mod isolation;
mod launcher;
mod leftovers;
mod life;
mod limits;
mod locales;
mod processes;
mod programs;
mod readiness;
mod running;
mod sandbox;
mod supervisor;
mod syscalls;

pub use self::{
    environment::{KIND, LocalEnvironment, Options},
    programs::{FOR_SOUND, NEEDED, Program, missing},
};
