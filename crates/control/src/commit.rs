//! Committing a change of the catalogue or of people, and announcing it: what the writer task does for sessions.

use std::sync::Arc;

use store::StoreError;

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
            // Sessions may have ended with what they stood on.
            control.closed_everywhere().await;
            Ok(done)
        });
        done.await.map_err(|error| Error::Internal(error.to_string()))?
    }
}

/// Why a change that is made can't be shown. That nothing was changed must not be said of it.
pub fn unshown(error: Error) -> Error {
    match error {
        Error::Store(_) => Error::Store(StoreError::OutcomeUnknown),
        other => other,
    }
}
