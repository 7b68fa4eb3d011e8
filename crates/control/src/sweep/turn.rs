//! Turns: which node may start a sweep, and the share of the others.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use parking_lot::Mutex;
use session::{
    Role, Timestamp,
    api::{Me, Refreshed},
};
use store::Claim;
use tokio::time::timeout;

use super::{report::Report, status::SweepStatus};
use crate::{Control, Error, Result, authorization::require, nodes::Peer};

/// Least time between the starts of two sweeps.
pub const SWEEP_INTERVAL: TimeDelta = TimeDelta::seconds(30);
/// The caller of a sweep waits this long for the shares of the other nodes.
const PEER_SWEEP_TIMEOUT: Duration = Duration::from_secs(5);

/// The turns that this node knows of, and the report of its own last sweep.
pub struct Sweeps(Mutex<State>);

struct State {
    next_at: Timestamp,
    /// The newest turn that the store granted to any node.
    granted_at: Option<Timestamp>,
    /// The turn of the last sweep that this node has begun.
    begun: Option<Timestamp>,
    own: Arc<Report>,
}

impl Sweeps {
    /// No sweep was made yet; the first may start at once.
    pub fn new(now: Timestamp) -> Self {
        Self(Mutex::new(State {
            next_at: now,
            granted_at: None,
            begun: None,
            own: Arc::default(),
        }))
    }

    /// The report of this node's last sweep.
    pub fn report(&self) -> Arc<Report> {
        self.0.lock().own.clone()
    }

    /// The moment at which the next sweep may start.
    pub fn next_at(&self) -> Timestamp {
        self.0.lock().next_at
    }

    /// Records that the store granted a turn to a node. This node then owes its share.
    pub fn record_grant(&self, at: Timestamp) {
        let mut state = self.0.lock();
        state.granted_at = state.granted_at.max(Some(at));
        state.next_at = state.next_at.max(at + SWEEP_INTERVAL);
    }

    /// Has this node yet to begin its share of a turn?
    fn owes_share(&self) -> bool {
        let state = self.0.lock();
        state.granted_at > state.begun
    }

    /// Begins this node's share of the newest turn, and returns that turn.
    pub fn begin(&self) -> Option<Timestamp> {
        let mut state = self.0.lock();
        state.begun = state.granted_at;
        state.begun
    }

    /// Replaces the report of this node.
    pub fn set_report(&self, report: Report) {
        self.0.lock().own = Arc::new(report);
    }
}

impl Control {
    /// Starts a sweep for an administrator: the button *Refresh*.
    ///
    /// # Errors
    /// [`Error::TooSoon`] within [`SWEEP_INTERVAL`] of the last sweep.
    pub async fn request_sweep(self: &Arc<Self>, me: &Me) -> Result<Refreshed> {
        require(me, Role::SystemAdmin)?;
        let control = self.clone();
        let sweep = tokio::spawn(async move { control.sweep_in_turn().await });
        sweep.await.map_err(|error| Error::Internal(error.to_string()))?
    }

    /// Takes the turn, sweeps, and waits for the shares of the other nodes.
    pub(crate) async fn sweep_in_turn(&self) -> Result<Refreshed> {
        let granted_at = self.take_turn().await?;
        self.sweep().await;
        self.wait_for_peers(granted_at).await;
        let SweepStatus { as_of, next_at, .. } = self.sweep_status();
        Ok(Refreshed {
            as_of: as_of.unwrap_or_else(|| self.clock.now()),
            next_refresh_at: next_at,
        })
    }

    /// Takes the turn and returns the moment of the grant; [`Error::TooSoon`] if the last turn is
    /// too recent.
    pub(super) async fn take_turn(&self) -> Result<Timestamp> {
        let now = self.clock.now();
        match self.store.claim_sweep(now, SWEEP_INTERVAL).await? {
            Claim::Granted => self.sweeps.record_grant(now),
            Claim::Wait(until) => {
                self.sweeps.record_grant(until - SWEEP_INTERVAL);
                return Err(Error::TooSoon { until, now });
            }
        }
        // The countdown on every page starts now, not when the environments have answered.
        self.replica.announce();
        Ok(now)
    }

    /// Does this node's share of a sweep whose turn another node was granted.
    pub(crate) async fn sweep_share(&self) -> Result<()> {
        if self.sweeps.owes_share() {
            self.sweep().await;
        }
        Ok(())
    }

    /// Waits until every live peer has done its share, for [`PEER_SWEEP_TIMEOUT`] at most.
    async fn wait_for_peers(&self, granted_at: Timestamp) {
        let mut changes = self.replica.subscribe();
        let owes_share = |peer: &Peer| peer.alive && peer.report.granted_at < Some(granted_at);
        let shared = async {
            while self.nodes.peers(self.clock.now()).iter().any(owes_share) {
                // The heartbeat announces every new report.
                if changes.changed().await.is_err() {
                    return;
                }
            }
        };
        if timeout(PEER_SWEEP_TIMEOUT, shared).await.is_err() {
            tracing::warn!(
                "a node did not finish its share of the sweep in time; its environments show their last result"
            );
        }
    }
}
