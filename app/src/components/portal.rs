//! The frame of every page, and the parts of My apps.

pub mod app_icon;
pub mod app_search;
pub mod app_sections;
pub mod application_card;
pub mod frame;
pub mod layout;
pub mod user_menu;
