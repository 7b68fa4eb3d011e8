//! What a person may launch.

use leptos::{prelude::*, server_fn::codec::Json};
use session::wire::MyApplication;

use super::AppError;
#[cfg(feature = "ssr")]
use super::server::{control, person, refuse};

/// The applications of whoever asks, each with its live session.
#[server(prefix = "/api/ui", endpoint = "my_applications", input = Json)]
pub async fn my_applications() -> Result<Vec<MyApplication>, AppError> {
    control()?.my_applications(&person()?).await.map_err(refuse)
}
