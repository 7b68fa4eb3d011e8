//! Is this node well: may requests be sent here, is it alive, and has its disk failed for good?

use session::{EnvironmentId, Timestamp};
use store::{Request, StoreError};

use crate::{Control, Result};

impl Control {
    /// Returns when nothing more can be written: the disk failed, and what is on it must be read anew by a new process; or another
    /// server has taken the name of this node.
    pub async fn wait_until_broken(&self) {
        self.writer.closed().await;
    }

    /// Should requests be sent here? The log can be read, and the server is not about to stop.
    pub async fn ready(&self) -> Result<()> {
        self.let_in()?;
        self.store.revision().await?;
        Ok(())
    }

    /// What limits the resources of a session in each environment that this server runs, in words for administrators.
    pub fn all_limits(&self) -> Vec<String> {
        let mut all: Vec<String> = self.environments.keys().filter_map(|id| self.limits(*id)).collect();
        all.sort();
        all
    }

    /// The same of one environment. `None` where its sessions use nothing of this host.
    pub(crate) fn limits(&self, id: EnvironmentId) -> Option<String> {
        self.environments.get(&id)?.limits()
    }

    /// Is everything alive: can the log be read, and does the writer still take its turns? Writes nothing.
    ///
    /// A disk that is full, a database that somebody else keeps busy and one that is away are no death: the writer has answered,
    /// and a restart would mend nothing but close every application that dies with the server.
    pub async fn alive(&self) -> Result<()> {
        // Nothing ended so long ago.
        let nothing = Request::Purge {
            at: Timestamp::UNIX_EPOCH,
        };
        let read = self.store.revision().await.map(drop);
        // It shares a transaction with what others write, and so their errors.
        match read.and(self.writer.submit(nothing).await.map(drop)) {
            Ok(()) | Err(StoreError::Full | StoreError::Busy | StoreError::Unreachable(_) | StoreError::Unknown) => {
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }
}
