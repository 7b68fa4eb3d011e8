//! The pages of Cloud Delivery and the server functions behind them. Compiled twice: for the server with the feature
//! `ssr`, for the browser with `hydrate`.
//!
//! * [`api`]: server functions, transports without rules: who is it, call `control`, map the answer;
//! * [`ui`]: buttons, dialogs, menus, times: knows no session;
//! * [`components`]: knows sessions;
//! * [`pages`][]: composes.
//!
//! **This crate never names a database, an HTTP router or an environment.** A first render never reads a clock, a time zone
//! or a random number: hydration repairs neither text nor attributes, so whatever differs stays wrong. What only the browser
//! knows comes in an `Effect`, after mount. No element carries a `style` attribute: the content security policy forbids it.
//!
//! To add a page: one file in [`pages`], one route in [`App`].

// The type of a view is as deep as its elements are nested.
#![recursion_limit = "256"]

pub mod api;
pub mod components;
pub mod pages;
pub mod ui;

#[cfg(feature = "ssr")]
pub mod audit_page;
#[cfg(feature = "ssr")]
pub mod password_page;
#[cfg(feature = "ssr")]
pub mod plain_page;
#[cfg(feature = "ssr")]
pub mod session_tab;
mod shell;

pub use shell::App;
#[cfg(feature = "ssr")]
pub use shell::shell;
