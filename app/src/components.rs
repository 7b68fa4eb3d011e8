//! Parts of pages that depend on sessions, a folder for each page. Shared ones are files here.

pub mod addresses;
pub mod audit;
pub mod catalogue;
pub mod columns_menu;
pub mod failure;
pub mod moment;
pub mod panel;
pub mod polled_list;
pub mod portal;
pub mod sessions;
pub mod status;
pub mod timeline;
