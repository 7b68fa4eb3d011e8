//! The conformance suite on PostgreSQL, and what only PostgreSQL has: other nodes, and a server that can go away.

#![expect(clippy::unwrap_used, reason = "a test: a panic is how it reports")]

use std::sync::Arc;

use store::{
    Store,
    postgres::{Postgres, Settings},
    throwaway::Database,
};

async fn empty() -> (Arc<dyn Store>, Database) {
    let database = Database::create().await;
    let store = Postgres::open(database.url(), Settings::default()).await.unwrap();
    (Arc::new(store), database)
}

store::conformance!(empty);

#[path = "postgres/faults.rs"]
mod faults;
#[path = "postgres/kit.rs"]
mod kit;
#[path = "postgres/nodes.rs"]
mod nodes;
