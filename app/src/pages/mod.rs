//! The pages: each composes components and sets its title. To add one: a file here, a route in
//! `shell.rs`.

pub(crate) mod admin;
mod application_form;
mod applications;
mod environments;
mod expire_session;
mod login;
mod my_apps;
mod not_found;
mod sessions;

pub use admin::{Admin, AdminHome};
pub use application_form::ApplicationPage;
pub use applications::Applications;
pub use environments::Environments;
pub use expire_session::ExpireSession;
pub use login::Login;
pub use my_apps::MyApps;
pub use not_found::NotFound;
pub use sessions::Sessions;
