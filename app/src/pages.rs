//! The pages: each composes components and sets its title. To add one: a file here, a route in
//! `shell.rs`.

mod admin;
mod application_form;
mod applications;
mod audit;
mod environments;
mod expire_session;
pub mod lazy;
mod login;
mod my_apps;
mod not_found;
mod sessions;

pub use admin::{Admin, AdminHome};
use application_form::ApplicationPage;
use applications::Applications;
use audit::Audit;
use environments::Environments;
use expire_session::ExpireSession;
pub use login::Login;
pub use my_apps::MyApps;
pub use not_found::NotFound;
use sessions::Sessions;
