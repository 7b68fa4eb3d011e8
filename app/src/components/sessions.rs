//! The Sessions page: the list, its tools, its dialogs, and the details beside it.

pub mod batch_outcomes;
pub mod board;
pub mod connection;
pub mod details;
pub mod expire_dialog;
pub mod expire_many_dialog;
pub mod filter_chips;
pub mod freshness;
pub mod model;
pub mod narrow_tools;
pub mod pager;
pub mod preferences;
pub mod search;
pub mod selection;
pub mod session_summary;
pub mod table;
pub mod view_url;
pub mod watch;
