//! Where the pages of the admin portal are.

use session::ApplicationId;

/// The Environments page.
pub const ENVIRONMENTS_PATH: &str = "/admin/cloud-delivery/environments";
/// The Applications page.
pub const APPLICATIONS_PATH: &str = "/admin/cloud-delivery/applications";
/// The Audit page. The router does not know it: the server draws it whole, and nothing of it reaches the browser half.
pub const AUDIT_PATH: &str = "/admin/cloud-delivery/audit";
/// The form of a new application.
pub const NEW_APPLICATION_PATH: &str = "/admin/cloud-delivery/applications/new";

/// The form of an application.
pub fn application_path(id: ApplicationId) -> String {
    format!("{APPLICATIONS_PATH}/{id}")
}
