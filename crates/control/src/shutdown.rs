//! Graceful shutdown: stop accepting work, ask clients to reconnect, flush the write queue.

use futures::future::join_all;
use session::{Actor, lifecycle::Command};

use crate::{Close, Control, Error, Result};

impl Control {
    /// Begins the shutdown: ends every watch, closes every tab with the advice to reconnect, and
    /// accepts no new ones. Requests still work.
    pub fn begin_shutdown(&self) {
        self.shutdown.cancel();
        self.tabs.close_all(Close::Restart);
        self.tab_tracker.close();
    }

    /// Returns after a call of [`Control::begin_shutdown`].
    pub async fn wait_for_shutdown(&self) {
        self.shutdown.cancelled().await;
    }

    /// Returns when every tab has received the reason for its close.
    pub async fn wait_tabs_closed(&self) {
        self.tab_tracker.wait().await;
    }

    /// Writes everything that is queued, and that this node has no open tab; then it accepts no
    /// writes.
    pub async fn flush(&self) {
        // These tabs come back to any node after the restart, so there is no reload to wait for.
        // Without this write, other nodes would show them as connected until this node counts as
        // away.
        let connected = self.replica.unended().into_iter();
        let connected = connected.filter(|session| self.hosts(session) && session.connected());
        let detached = connected.map(|session| self.apply(session.id, Command::Detach, Actor::System));
        for error in join_all(detached)
            .await
            .into_iter()
            .filter_map(std::result::Result::err)
        {
            tracing::warn!(%error, "could not record that a tab is closed; the next start records it");
        }
        self.log_repeated_sign_ins(true).await;
        if let Err(error) = self.write_last_use().await {
            tracing::warn!(%error, "could not write the last use of logins; some may count as idle a minute early");
        }
        if let Err(error) = self.write_refusals(true).await {
            tracing::warn!(%error, "could not write the counts of refused launches; these counts are lost");
        }
        self.forget_uploads();
        self.writer.close().await;
        if let Err(error) = self.make_checkpoint().await {
            tracing::warn!(%error, "could not sign the head of the log of events; the next start signs a newer one");
        }
    }

    /// Refuses new tabs and watches while the server shuts down, or while it has lost the log.
    pub(crate) fn ensure_accepting(&self) -> Result<()> {
        if self.shutdown.is_cancelled() {
            return Err(Error::Stopping);
        }
        if self.has_lost_log() {
            return Err(Error::Lost);
        }
        Ok(())
    }
}
