//! The domain types of Cloud Delivery: sessions, their statuses and transitions, and the search
//! grammar.
//! This crate is pure and also runs in the browser. It does no I/O, never reads a clock and draws
//! no random number: times and ids are arguments. Rules about logins, SQL and HTTP belong
//! elsewhere.
//!
//! To add a status edge: one arm in [`lifecycle::verdict`] and one in [`lifecycle::step`]. The
//! page's disabled buttons, the API's refusals and the timers follow. To add a column: one entry in
//! [`columns::Column`].

pub mod api;
pub mod audit;
pub mod batch;
pub mod catalogue;
pub mod checksum;
pub mod code;
pub mod columns;
pub mod event;
pub mod format;
pub mod homes;
pub mod ids;
pub mod lifecycle;
pub mod names;
pub mod notice;
pub mod policy;
pub mod printing;
pub mod query;
pub mod refusal;
pub mod regional;
pub mod role;
pub mod timeline;
pub mod transfer;
pub mod view;
pub mod windows;
pub mod words;

mod model;

pub use event::{Actor, Event, EventKind, Origin};
pub use homes::{HomeKind, HomeUse, Homes};
pub use ids::{ApplicationId, BatchId, EnvironmentId, LoginId, SessionId, UserId};
pub use model::{End, EndReason, ONLY_NODE, Session, Status, Teardown};
pub use policy::Policy;
pub use role::Role;
pub use transfer::Transfer;

/// A moment in UTC, with microsecond precision.
pub type Timestamp = chrono::DateTime<chrono::Utc>;
