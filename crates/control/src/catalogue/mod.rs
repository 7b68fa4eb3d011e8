//! Environments and applications: what there is to launch, who may see it, and who may change it.
//!
//! A change is authorised, committed with its event, then announced. It counts for future launches only: a live session
//! keeps what it was launched with.

mod applications;
mod environments;

use std::{collections::HashMap, hash::Hash, sync::Arc};

use session::Session;

use crate::{Control, Error, Result};

impl Control {
    /// Commits a change, whether or not the client hangs up meanwhile, and announces it.
    pub(crate) async fn commit<T: Send + 'static>(
        self: &Arc<Self>,
        write: impl Future<Output = store::Result<T>> + Send + 'static,
    ) -> Result<T> {
        let control = self.clone();
        let done = tokio::spawn(async move {
            let done = write.await?;
            // The change stands, also when this fails: the task that reads the log's tail does it a second later.
            if let Err(error) = control.catch_up().await {
                tracing::warn!(%error, "a change is announced later");
            }
            Ok(done)
        });
        done.await.map_err(|error| Error::Internal(error.to_string()))?
    }

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
