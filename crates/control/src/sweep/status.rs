//! The last sweep of all nodes together, as the list and the page of environments show it.

use std::collections::BTreeMap;

use session::{EnvironmentId, Timestamp, api::Stale, catalogue::Swept};

use crate::{Control, nodes::Peer};

/// The last sweep of all nodes together.
#[derive(Clone, Debug)]
pub struct SweepStatus {
    /// The end of the last sweep that every live node has completed.
    pub as_of: Option<Timestamp>,
    /// The moment at which the next sweep may start.
    pub next_at: Timestamp,
    /// The environments that did not answer the sweep.
    pub stale: Vec<Stale>,
}

impl Control {
    /// Joins the reports of all nodes.
    pub(crate) fn sweep_status(&self) -> SweepStatus {
        let peers = self.nodes.peers(self.clock.now());
        let (alive, away): (Vec<_>, Vec<_>) = peers.into_iter().partition(|peer| peer.alive);
        let own = self.sweeps.report();
        let me = (!alive.is_empty() || !away.is_empty()).then_some(&self.options.node);
        let mut stale: Vec<_> = own.stale(me).collect();
        let mut as_of = own.done_at;
        for peer in &alive {
            stale.extend(peer.report.stale(Some(&peer.name)));
            // A node that has just started has no report yet.
            if let Some(done_at) = peer.report.done_at {
                as_of = as_of.map(|as_of| as_of.min(done_at));
            }
        }
        for peer in away {
            stale.extend(self.unconfirmed(&peer));
        }
        SweepStatus {
            as_of,
            next_at: self.sweeps.next_at(),
            stale,
        }
    }

    /// The environments in which a node that is away has sessions: nobody can say whether these
    /// still run.
    fn unconfirmed(&self, peer: &Peer) -> Vec<Stale> {
        let unended = self.replica.unended().into_iter();
        let environments: BTreeMap<_, _> = unended
            .filter(|session| session.node == peer.name)
            .map(|session| (session.environment_id, session.environment.clone()))
            .collect();
        let stale = |(environment_id, environment)| Stale {
            environment_id,
            environment,
            node: Some(peer.name.clone()),
            as_of: peer.report.of(environment_id).and_then(|swept| swept.answered_at),
            error: "The node can't be reached.".into(),
        };
        environments.into_iter().map(stale).collect()
    }

    /// The result of the last sweep for one environment, over all nodes; `None` before the first
    /// sweep.
    pub(crate) fn swept(&self, id: EnvironmentId) -> Option<Swept> {
        let peers = self.nodes.peers(self.clock.now()).into_iter();
        let peers = peers.filter_map(|peer| {
            let swept = peer.report.of(id)?.clone();
            if peer.alive {
                return Some(swept);
            }
            // A node that is away counts only if it has sessions in this environment.
            let mut unconfirmed = self.unconfirmed(&peer).into_iter();
            let stale = unconfirmed.find(|stale| stale.environment_id == id)?;
            Some(Swept {
                running: 0,
                error: Some(format!("Node {}: {}", peer.name, stale.error).into()),
                ..swept
            })
        });
        let own = self.sweeps.report().of(id).cloned();
        own.into_iter().chain(peers).reduce(|one, other| Swept {
            at: one.at.min(other.at),
            answered_at: one.answered_at.min(other.answered_at),
            running: one.running + other.running,
            error: one.error.or(other.error),
        })
    }
}
