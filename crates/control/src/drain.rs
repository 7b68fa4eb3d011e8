//! The way down: nothing new is let in, everybody is told to come back, what is queued is written.

use futures::future::join_all;
use session::{Actor, lifecycle::Command};

use crate::{Close, Control, Error, Result};

impl Control {
    /// Begins the way down: watches end and open tabs are closed, all told to come back, and no new ones are let in. Requests
    /// still work.
    pub fn drain(&self) {
        self.draining.cancel();
        self.streams.close_all(Close::Restart);
        self.tabs.close();
    }

    /// Returns when [`Control::drain`] was called.
    pub async fn draining(&self) {
        self.draining.cancelled().await;
    }

    /// Returns when every tab that was open has been told.
    pub async fn wait_tabs_closed(&self) {
        self.tabs.wait().await;
    }

    /// Writes what is queued, and that no tab is open here any more; takes nothing more.
    pub async fn flush(&self) {
        // Those that were closed with a word have no reload to wait for, and other nodes would show them as connected until this one
        // counts as away.
        let connected = self.replica.unended().into_iter();
        let connected = connected.filter(|session| self.mine(session) && session.connected());
        let detached = connected.map(|session| self.step(session.id, Command::Detach, Actor::System));
        for error in join_all(detached)
            .await
            .into_iter()
            .filter_map(std::result::Result::err)
        {
            tracing::warn!(%error, "that a tab is closed could not be recorded; the next start does it");
        }
        self.log_repeated_sign_ins(true).await;
        if let Err(error) = self.write_last_use().await {
            tracing::warn!(%error, "could not write the last use of logins; some may count as idle a minute early");
        }
        if let Err(error) = self.write_refusals(true).await {
            tracing::warn!(%error, "could not record how many equal launches were refused");
        }
        self.writer.close().await;
        if let Err(error) = self.make_checkpoint().await {
            tracing::warn!(%error, "could not sign the head of the log of events");
        }
    }

    /// Refuses while the server is about to stop, or has lost the log.
    pub(crate) fn let_in(&self) -> Result<()> {
        if self.draining.is_cancelled() {
            return Err(Error::Stopping);
        }
        if self.has_lost_log() {
            return Err(Error::Lost);
        }
        Ok(())
    }
}
