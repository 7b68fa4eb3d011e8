//! Health of this node: readiness, liveness, and a writer that has stopped for good.

use session::{EnvironmentId, Timestamp};
use store::{StoreError, WriteRequest};

use crate::{Control, Result};

impl Control {
    /// Returns when this process can write nothing more. Either the disk failed, so a new process
    /// must read the log from the disk, or another server has taken the name of this node.
    pub async fn wait_until_broken(&self) {
        self.writer.closed().await;
    }

    /// Readiness: succeeds if the log can be read and the server accepts new tabs and watches.
    pub async fn check_readiness(&self) -> Result<()> {
        self.ensure_accepting()?;
        self.store.revision().await?;
        Ok(())
    }

    /// The limits on the resources of one session, one sentence for each environment of this
    /// server, for administrators.
    pub fn all_limits(&self) -> Vec<String> {
        let mut all: Vec<String> = self.environments.keys().filter_map(|id| self.limits(*id)).collect();
        all.sort();
        all
    }

    /// The limits of one environment; `None` if its sessions use no resources of this host.
    pub(crate) fn limits(&self, id: EnvironmentId) -> Option<String> {
        self.environments.get(&id)?.limits()
    }

    /// Liveness: succeeds if the log can be read and the writer still answers. Writes nothing.
    ///
    /// A full disk, a busy database and an unreachable database count as alive. The writer has
    /// answered, and a restart would only close every application that ends with the server.
    pub async fn check_liveness(&self) -> Result<()> {
        // No session ended that long ago.
        let nothing = WriteRequest::Purge {
            at: Timestamp::UNIX_EPOCH,
        };
        let read = self.store.revision().await.map(drop);
        // The request shares a transaction with real writes, and so their errors.
        match read.and(self.writer.submit(nothing).await.map(drop)) {
            Ok(())
            | Err(StoreError::Full | StoreError::Busy | StoreError::Unreachable(_) | StoreError::OutcomeUnknown) => {
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }
}
