//! The conformance suite on the model: the other stores are compared with it.

use std::sync::Arc;

use store::Store;
use store_testing::Memory;

async fn empty() -> (Arc<dyn Store>, ()) {
    (Arc::new(Memory::new()), ())
}

store_testing::conformance!(empty);
