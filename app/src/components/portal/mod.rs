//! The frame of every page, and My apps.

pub mod application_card;
pub mod frame;
pub mod layout;
pub mod user_menu;
