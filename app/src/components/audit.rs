//! The Audit page: the search, the live table of events, and the details of one event beside it.

pub mod audit_url;
pub mod board;
pub mod columns;
pub mod count;
pub mod details;
#[cfg(test)]
mod fixture;
pub mod live;
pub mod model;
pub mod pager;
pub mod search;
pub mod table;
