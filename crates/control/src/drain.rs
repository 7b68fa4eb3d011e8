//! The way down: nothing new is let in, everybody is told to come back, what is queued is written.

use crate::{Close, Control, Error, Result};

impl Control {
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

    /// Refuses while the server is about to stop, or has lost the log.
    pub(crate) fn let_in(&self) -> Result<()> {
        if self.draining.is_cancelled() {
            return Err(Error::Stopping);
        }
        if self.lost() {
            return Err(Error::Lost);
        }
        Ok(())
    }
}
