//! A cache of the catalogue for My apps, which is open in thousands of tabs that all poll.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use parking_lot::Mutex;
use session::{EnvironmentId, Homes};
use store::{Application, Store, StoreError};

use crate::{Control, Result};

/// The catalogue as launches see it.
pub struct Launchable {
    /// All applications, by name.
    pub applications: Vec<Application>,
    /// Environments that are closed to launches.
    pub closed: HashSet<EnvironmentId>,
    /// The homes of the environments that have some.
    pub homes: HashMap<EnvironmentId, Homes>,
}

impl Launchable {
    /// Reads it from the database.
    pub async fn read(store: &dyn Store) -> std::result::Result<Self, StoreError> {
        let environments = store.environments().await?;
        let closed = environments.iter().filter(|environment| !environment.open);
        let homes = environments
            .iter()
            .filter_map(|environment| Some((environment.id, environment.homes?)));
        Ok(Self {
            homes: homes.collect(),
            closed: closed.map(|environment| environment.id).collect(),
            applications: store.applications().await?,
        })
    }
}

/// The catalogue at the last read.
#[derive(Default)]
pub struct Cache(Mutex<State>);

#[derive(Default)]
struct State {
    catalogue: Option<Arc<Launchable>>,
    /// The number of changes of the catalogue so far.
    changes: u64,
}

impl Cache {
    /// Empties the cache after a change of the catalogue. The next call reads it again.
    pub fn forget(&self) {
        let mut state = self.0.lock();
        state.catalogue = None;
        state.changes += 1;
    }
}

impl Control {
    /// The catalogue. A change by this node is visible at once; a change by another process after
    /// the next poll of the log.
    pub(crate) async fn cached_catalogue(&self) -> Result<Arc<Launchable>> {
        let changes = {
            let state = self.catalogue.0.lock();
            if let Some(known) = &state.catalogue {
                return Ok(known.clone());
            }
            state.changes
        };
        let read = Arc::new(Launchable::read(&*self.store).await?);
        let mut state = self.catalogue.0.lock();
        // If the catalogue changed during the read, the result may lack that change.
        if state.changes == changes {
            state.catalogue = Some(read.clone());
        }
        Ok(read)
    }
}
