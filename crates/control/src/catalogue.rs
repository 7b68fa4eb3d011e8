//! The catalogue: environments and applications.
//!
//! A change is authorised, committed with its event, and announced. It affects future launches
//! only: a live session keeps the names and limits of its launch.

mod applications;
pub(crate) mod cache;
mod environments;
mod pictures;

use std::{collections::HashMap, hash::Hash};

use session::Session;

pub use cache::Cache;
pub use pictures::Decoders;

use crate::Control;

impl Control {
    /// The numbers of live sessions, by a key such as their application.
    fn live_by<K: Eq + Hash>(&self, key: impl Fn(&Session) -> K) -> HashMap<K, u32> {
        let mut counts = HashMap::new();
        for session in self.replica.unended() {
            if session.status.is_live() {
                *counts.entry(key(&session)).or_default() += 1;
            }
        }
        counts
    }
}
