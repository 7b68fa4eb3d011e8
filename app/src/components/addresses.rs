//! Where the pages of the catalogue are.

use session::ApplicationId;

/// The Environments page.
pub const ENVIRONMENTS_PATH: &str = "/admin/cloud-delivery/environments";
/// The Applications page.
pub const APPLICATIONS_PATH: &str = "/admin/cloud-delivery/applications";
/// The form of a new application.
pub const NEW_APPLICATION_PATH: &str = "/admin/cloud-delivery/applications/new";

/// The form of an application.
pub fn application_path(id: ApplicationId) -> String {
    format!("{APPLICATIONS_PATH}/{id}")
}
