//! A cache of the catalogue for My apps, which is open in thousands of tabs that all poll.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use parking_lot::Mutex;
use session::{
    EnvironmentId, Homes,
    api::{AppCard, AppCards},
    query::fold,
};
use sha2::{Digest, Sha256};
use store::{Application, Store, StoreError};

use crate::{Control, Result};

/// The catalogue as launches see it.
pub struct Launchable {
    /// All applications, by name.
    pub applications: Vec<Application>,
    /// Environments that are closed to launches.
    pub closed: HashSet<EnvironmentId>,
    /// The cards of open applications.
    pub cards: Arc<AppCards>,
    /// The version of these cards.
    pub version: Arc<str>,
    /// The spelling of each folded category: that of the first application in it.
    categories: BTreeMap<String, Arc<str>>,
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
        let applications = store.applications().await?;
        let mut categories = BTreeMap::new();
        for application in &applications {
            let category = &application.appearance.category;
            categories.entry(fold(category)).or_insert_with(|| category.clone());
        }
        let mut read = Self {
            homes: homes.collect(),
            closed: closed.map(|environment| environment.id).collect(),
            applications,
            cards: Arc::default(),
            version: "".into(),
            categories,
        };
        let open = read.applications.iter().filter(|row| row.open);
        read.cards = cards(&read, open);
        read.version = version(&read.cards);
        Ok(read)
    }
}

/// The cards of applications.
pub fn cards<'a>(catalogue: &Launchable, applications: impl Iterator<Item = &'a Application>) -> Arc<AppCards> {
    let items: Vec<_> = applications.map(|row| card(catalogue, row)).collect();
    let has =
        |category: &&Arc<str>| !category.is_empty() && items.iter().any(|card| card.appearance.category == **category);
    let categories = catalogue.categories.values().filter(has).cloned().collect();
    Arc::new(AppCards { items, categories })
}

/// The card of an application.
pub fn card(catalogue: &Launchable, application: &Application) -> AppCard {
    let mut appearance = application.appearance.clone();
    if let Some(spelling) = catalogue.categories.get(&fold(&appearance.category)) {
        appearance.category = spelling.clone();
    }
    AppCard {
        id: application.id,
        name: application.name.clone(),
        launch_text: application.launch_text.clone(),
        home: catalogue.homes.get(&application.environment_id).map(|homes| homes.kind),
        open: application.open && !catalogue.closed.contains(&application.environment_id),
        appearance,
    }
}

/// The version of cards: a hash, so that it is the same on every node.
pub fn version(cards: &AppCards) -> Arc<str> {
    // Texts, numbers and lists of them are always JSON.
    let hash = Sha256::digest(serde_json::to_vec(cards).unwrap_or_default());
    let digits: String = hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    digits.into()
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
