//! The conformance suite on the model: what is wrong with it would be wrong with everything that is compared to it.

use std::sync::Arc;

use store::{Store, memory::Memory};

async fn empty() -> (Arc<dyn Store>, ()) {
    (Arc::new(Memory::new()), ())
}

store::conformance!(empty);
