//! Generic interface elements. **Nothing here depends on sessions.**

pub mod address;
pub mod banner;
pub mod clock;
pub mod copy;
pub mod dialog;
pub mod dynamic;
pub mod empty;
pub mod field;
pub mod focus;
pub mod hydration;
pub mod icon;
pub mod loaded;
pub mod menu;
pub mod number;
pub mod repeat;
pub mod row_link;
pub mod search_input;
pub mod shed;
pub mod stable_rows;
pub mod stream;
pub mod time;
pub mod toast;
pub mod unsaved;
