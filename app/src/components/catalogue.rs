//! The pages of the catalogue: Applications and Environments.

pub mod application_fields;
pub mod application_form;
pub mod applications_board;
pub mod environments_board;
pub mod homes;
mod icon_field;
pub mod launches;
pub mod table;
