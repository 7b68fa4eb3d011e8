//! The JSON types of the API (docs/spec.md §6), which the page also uses.

mod list;
mod my_apps;
mod problem;
mod session;

pub use list::{Counts, Delta, Head, Refreshed, SessionList, Stale};
pub use my_apps::{AppCard, AppCards, MAX_RECENT, MyApplication, MyApps};
pub use problem::{Me, Problem};
pub use session::{Deadline, ExpireRequest, LastFailure, MAX_NOTE_CHARS, SessionDetails, SessionView};
