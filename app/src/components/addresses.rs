//! Addresses of the admin portal's pages.

use session::ApplicationId;

/// The Environments page.
pub const ENVIRONMENTS_PATH: &str = "/admin/cloud-delivery/environments";
/// The Applications page.
pub const APPLICATIONS_PATH: &str = "/admin/cloud-delivery/applications";
/// The Audit page.
pub const AUDIT_PATH: &str = "/admin/cloud-delivery/audit";
/// The form for a new application.
pub const NEW_APPLICATION_PATH: &str = "/admin/cloud-delivery/applications/new";

/// The form of an existing application.
pub fn application_path(id: ApplicationId) -> String {
    format!("{APPLICATIONS_PATH}/{id}")
}
