//! Heartbeats, and the turn to sweep.

use async_trait::async_trait;
use chrono::TimeDelta;
use session::Timestamp;
use store::{Claim, Cluster, Node, PeerHeartbeats, Result, values::truncate_to_micros};

use super::Memory;

#[async_trait]
impl Cluster for Memory {
    async fn claim_sweep(&self, now: Timestamp, interval: TimeDelta) -> Result<Claim> {
        self.transact(|state| {
            let claim = match state.swept {
                // Also a claim from shortly before the last one, which arrived after it.
                Some(last) if now < last + interval && last < now + interval => {
                    return Ok(Claim::Wait(last + interval));
                }
                // The clock was set back.
                Some(last) if now < last => Claim::Wait(now + interval),
                _ => Claim::Granted,
            };
            state.swept = Some(truncate_to_micros(now));
            Ok(claim)
        })
    }

    async fn heartbeat(&self, name: &str, url: &str, report: &str) -> Result<PeerHeartbeats> {
        self.transact(|state| {
            let beats = state.nodes.get(name).map_or(0, |node| node.beats) + 1;
            let node = Node {
                name: name.into(),
                url: url.into(),
                beats,
                report: report.into(),
            };
            state.nodes.insert(name.into(), node);
            Ok(PeerHeartbeats {
                nodes: state.nodes.values().cloned().collect(),
                sweep_granted_at: state.swept,
            })
        })
    }
}
