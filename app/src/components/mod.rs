//! The parts of pages that know what a session is, and what there is to launch.

pub mod addresses;
pub mod application_fields;
pub mod application_form;
pub mod applications_board;
pub mod columns_menu;
pub mod connection;
pub mod environments_board;
pub mod expire_dialog;
pub mod facts;
pub mod failure;
pub mod freshness;
pub mod kept;
pub mod launches;
pub mod model;
pub mod moment;
pub mod my_application;
pub mod pager;
pub mod portal;
pub mod search;
pub mod sessions_board;
pub mod sessions_table;
pub mod status;
pub mod user_menu;
pub mod view_url;
pub mod watch;
