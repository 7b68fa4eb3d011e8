//! The applications in memory, for My apps: it is open in thousands of tabs, and each asks every few seconds.

use std::sync::Arc;

use parking_lot::Mutex;
use store::Application;

use crate::{Control, Result};

/// The applications as they were last read.
#[derive(Default)]
pub struct Cache(Mutex<State>);

#[derive(Default)]
struct State {
    applications: Option<Arc<[Application]>>,
    /// Changes of the catalogue so far.
    changes: u64,
}

impl Cache {
    /// The catalogue has changed: it is read again when somebody asks.
    pub fn forget(&self) {
        let mut state = self.0.lock();
        state.applications = None;
        state.changes += 1;
    }
}

impl Control {
    /// All applications, by name. A change by this node is known at once; one by another process with the log's tail.
    pub(crate) async fn cached_applications(&self) -> Result<Arc<[Application]>> {
        let changes = {
            let state = self.catalogue.0.lock();
            if let Some(known) = &state.applications {
                return Ok(known.clone());
            }
            state.changes
        };
        let read: Arc<[Application]> = self.store.applications().await?.into();
        let mut state = self.catalogue.0.lock();
        // What changed while it was read may be missing in it.
        if state.changes == changes {
            state.applications = Some(read.clone());
        }
        Ok(read)
    }
}
