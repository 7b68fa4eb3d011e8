//! The parts of pages that know what a session is, a folder for each page. Those of several pages are files here.

pub mod addresses;
pub mod catalogue;
pub mod failure;
pub mod moment;
pub mod polled_list;
pub mod portal;
pub mod sessions;
pub mod status;
pub mod timeline;
