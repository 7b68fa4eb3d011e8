//! The result of one node's last sweep. The nodes send it to each other as JSON, so the names of
//! its fields must stay.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use session::{EnvironmentId, Timestamp, api::Stale, catalogue::Swept};

/// The result of one node's last sweep.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The moment at which the store granted the turn of this sweep.
    pub granted_at: Option<Timestamp>,
    /// The moment at which the sweep was complete.
    pub done_at: Option<Timestamp>,
    /// One entry for each environment that the node can reach.
    pub environments: Vec<Found>,
}

/// The result for one environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// The environment that was asked.
    pub id: EnvironmentId,
    /// The name of the environment at that time.
    pub name: Arc<str>,
    /// Its answer, or its error.
    pub swept: Swept,
}

impl Report {
    /// The result for one environment; `None` if the node does not reach it.
    pub fn of(&self, id: EnvironmentId) -> Option<&Swept> {
        let found = self.environments.iter().find(|found| found.id == id);
        found.map(|found| &found.swept)
    }

    /// The environments that did not answer. `node` names the node of this report, if there is more
    /// than one.
    pub fn stale(&self, node: Option<&Arc<str>>) -> impl Iterator<Item = Stale> {
        self.environments.iter().filter_map(move |found| {
            Some(Stale {
                environment_id: found.id,
                environment: found.name.clone(),
                node: node.cloned(),
                as_of: found.swept.answered_at,
                error: found.swept.error.clone()?,
            })
        })
    }
}
