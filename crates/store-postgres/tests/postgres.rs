//! The conformance suite on PostgreSQL, and tests of several nodes and of a database that fails.

#![expect(clippy::unwrap_used, reason = "a test: a panic is how it reports")]

use std::sync::Arc;

use store::Store;
use store_postgres::{Postgres, Settings};
use store_testing::postgres::Database;

async fn empty() -> (Arc<dyn Store>, Database) {
    let database = Database::create().await;
    let store = Postgres::open(database.url(), Settings::default()).await.unwrap();
    (Arc::new(store), database)
}

store_testing::conformance!(empty);

#[path = "postgres/common.rs"]
mod common;
#[path = "postgres/faults.rs"]
mod faults;
#[path = "postgres/nodes.rs"]
mod nodes;
