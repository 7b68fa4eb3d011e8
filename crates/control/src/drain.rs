//! Is this node up, and its way down: nothing new is let in, everybody is told to come back, what is queued is written.

use session::Timestamp;
use store::{Request, StoreError};

use crate::{Close, Control, Error, Result};

impl Control {
    /// Returns when nothing more can be written: the disk failed, and what is on it must be read anew by a new process.
    pub async fn broken(&self) {
        self.writer.closed().await;
    }

    /// Should requests be sent here? The log can be read, and the server is not about to stop.
    pub async fn ready(&self) -> Result<()> {
        self.let_in()?;
        self.store.revision().await?;
        Ok(())
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

    /// Begins the way down: watches end and open tabs are closed, all told to come back, and no new ones are let in. Requests
    /// still work.
    pub fn drain(&self) {
        self.draining.cancel();
        self.streams.close_all(Close::Restart);
        self.relays.close();
    }

    /// Returns when [`Control::drain`] was called.
    pub async fn draining(&self) {
        self.draining.cancelled().await;
    }

    /// Returns when every tab that was open has been told.
    pub async fn tabs_told(&self) {
        self.relays.wait().await;
    }

    /// Writes what is queued, and takes nothing more.
    pub async fn flush(&self) {
        self.writer.close().await;
    }

    /// Refuses while the server is about to stop.
    pub(crate) fn let_in(&self) -> Result<()> {
        if self.draining.is_cancelled() {
            return Err(Error::Stopping);
        }
        Ok(())
    }
}
