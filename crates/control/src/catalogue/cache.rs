//! A cache of the applications for My apps, which is open in thousands of tabs that all poll.

use std::sync::Arc;

use parking_lot::Mutex;
use store::Application;

use crate::{Control, Result};

/// The applications at the last read.
#[derive(Default)]
pub struct Cache(Mutex<State>);

#[derive(Default)]
struct State {
    applications: Option<Arc<[Application]>>,
    /// The number of changes of the catalogue so far.
    changes: u64,
}

impl Cache {
    /// Empties the cache after a change of the catalogue. The next call reads it again.
    pub fn forget(&self) {
        let mut state = self.0.lock();
        state.applications = None;
        state.changes += 1;
    }
}

impl Control {
    /// All applications, by name. A change by this node is visible at once; a change by another
    /// process after the next poll of the log.
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
        // If the catalogue changed during the read, the result may lack that change.
        if state.changes == changes {
            state.applications = Some(read.clone());
        }
        Ok(read)
    }
}
