//! Environments and applications: what there is to launch, who may see it, and who may change it.
//!
//! A change is authorised, committed with its event, then announced. It counts for future launches only: a live session
//! keeps what it was launched with.

mod applications;
mod cache;
mod environments;

use std::{collections::HashMap, hash::Hash};

use session::Session;

pub use cache::Cache;

use crate::Control;

impl Control {
    /// How many sessions are Pending or Active, by what they have in common.
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
