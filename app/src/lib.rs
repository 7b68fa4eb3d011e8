//! The pages of Cloud Delivery and their server functions. Compiled twice: for the server with the
//! feature `ssr`, for the browser with `hydrate`.
//!
//! * [`api`]: server functions. Transport only: authenticate, call `control`, map the result.
//! * [`ui`]: buttons, dialogs, menus, times. Independent of sessions.
//! * [`components`]: parts of pages that depend on sessions.
//! * [`pages`][]: compose components.
//!
//! **This crate never names a database, an HTTP router or an environment.** A first render never
//! reads a clock, a time zone or a random number: hydration repairs neither text nor attributes, so
//! a difference would stay. Set browser-only values after hydration, with [`ui::hydration::after`]
//! or an `Effect` of a page's own piece. No element has a `style` attribute, because the content
//! security policy forbids it.
//!
//! To add a page: add a file to [`pages`] and a route to [`App`].

// The type of a view nests as deeply as its elements.
#![recursion_limit = "256"]

pub mod api;
pub mod components;
pub mod pages;
pub mod ui;

#[cfg(feature = "ssr")]
pub mod files_page;
#[cfg(feature = "ssr")]
pub mod password_page;
#[cfg(feature = "ssr")]
pub mod plain_page;
#[cfg(feature = "ssr")]
pub mod session_tab;
mod shell;

#[cfg(feature = "ssr")]
pub use components::{addresses::APPLICATIONS_PATH, portal::app_search::my_apps_path};
pub use shell::App;
#[cfg(feature = "ssr")]
pub use shell::shell;
