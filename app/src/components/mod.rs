//! The parts of pages that know what a session is.

pub mod batch_outcomes;
pub mod chips;
pub mod columns_menu;
pub mod connection;
pub mod expire_dialog;
pub mod expire_many_dialog;
pub mod facts;
pub mod failure;
pub mod freshness;
pub mod model;
pub mod moment;
pub mod my_application;
pub mod pager;
pub mod portal;
pub mod preferences;
pub mod search;
pub mod selection;
pub mod session_details;
pub mod sessions_board;
pub mod sessions_table;
pub mod status;
pub mod timeline;
pub mod user_menu;
pub mod view_url;
pub mod watch;
