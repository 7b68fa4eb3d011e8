//! One node's share of a sweep, and the recovery at its start.
//!
//! The rules: the log says Active and the environment does not run the session → Error; the log
//! says Pending and the environment has it ready → Active; the environment runs a session that is
//! not live in the log → stopped.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use environments::{Environment, EnvironmentError};
use futures::future::join_all;
use session::{EnvironmentId, Session, SessionId, Status, catalogue::Swept, lifecycle::Command};

use super::report::{Found, Report};
use crate::Control;

impl Control {
    /// Asks every environment of this node, reconciles the log, and keeps the report.
    pub(crate) async fn sweep(&self) {
        let mut report = Report {
            granted_at: self.sweeps.begin(),
            done_at: None,
            environments: Vec::new(),
        };
        let names = self.store.environments().await.unwrap_or_default();
        // In a fixed order, so that the list of silent environments does not change its order from
        // sweep to sweep.
        let environments: BTreeMap<_, _> = self.environments.iter().collect();
        for (id, environment) in environments {
            let answer = self.reconcile(*id, environment).await;
            if let Err(error) = &answer {
                tracing::warn!(environment = %id, %error, "an environment did not answer the sweep; the next sweep asks again");
            }
            let row = names.iter().find(|row| row.id == *id);
            report.environments.push(Found {
                id: *id,
                name: row.map_or_else(|| "?".into(), |row| row.name.clone()),
                swept: self.result_of(*id, answer),
            });
        }
        report.done_at = Some(self.clock.now());
        self.sweeps.set_report(report);
        self.replica.announce();
    }

    /// The result for one environment. If it did not answer, the result keeps the number and the
    /// time of its last answer.
    fn result_of(&self, id: EnvironmentId, answer: std::result::Result<u32, EnvironmentError>) -> Swept {
        let at = self.clock.now();
        let report = self.sweeps.report();
        let before = report.of(id);
        match answer {
            Ok(running) => Swept {
                at,
                answered_at: Some(at),
                running,
                error: None,
            },
            Err(error) => Swept {
                at,
                answered_at: before.and_then(|before| before.answered_at),
                running: before.map_or(0, |before| before.running),
                error: Some(error.to_string().into()),
            },
        }
    }

    /// Recovers after a start: whatever the log says, no session of this node is starting and no
    /// tab is open. Then it sweeps.
    pub(crate) async fn recover(&self) {
        for session in self.replica.unended().into_iter().filter(|session| self.hosts(session)) {
            let lost = match session.status {
                Status::Pending => "The server restarted while the application was starting.",
                Status::Active if !self.environments.contains_key(&session.environment_id) => {
                    "This server can't reach the environment any more."
                }
                _ if session.connected() => {
                    self.apply_or_warn(session.id, Command::Detach).await;
                    continue;
                }
                _ => continue,
            };
            self.apply_or_warn(session.id, Command::Fail(lost.into())).await;
        }
        // The start does not wait for the peers: they do their share of the turn with their next
        // heartbeat.
        if let Err(error) = self.take_turn().await {
            tracing::info!(%error, "the sweep at the start has no turn of its own; it counts for the last turn");
        }
        self.sweep().await;
    }

    /// Asks one environment and makes the log agree. Returns the number of live sessions that run
    /// there.
    async fn reconcile(
        &self,
        id: EnvironmentId,
        environment: &Arc<dyn Environment>,
    ) -> std::result::Result<u32, EnvironmentError> {
        // Taken before the environment is asked: a session that becomes Active later is no ghost if
        // the answer lacks it.
        let active = self.sessions_in(id, |session| session.status == Status::Active);
        let seen = environment.observe().await?;
        let running: BTreeSet<SessionId> = seen.iter().map(|seen| seen.session_id).collect();
        for session in active.iter().filter(|session| !running.contains(&session.id)) {
            let lost = Command::Fail("The environment no longer runs it.".into());
            self.apply_or_warn(session.id, lost).await;
        }
        // The signal that a session is ready may be lost. Only the sweep repairs that.
        let ready: BTreeSet<SessionId> = seen
            .iter()
            .filter(|seen| seen.ready)
            .map(|seen| seen.session_id)
            .collect();
        for session in self.sessions_in(id, |session| {
            session.status == Status::Pending && ready.contains(&session.id)
        }) {
            self.apply_or_warn(session.id, Command::Ready).await;
        }
        let live: BTreeSet<SessionId> = self
            .sessions_in(id, |session| session.status.is_live())
            .iter()
            .map(|session| session.id)
            .collect();
        // Concurrently: a stop that hangs or fails delays no other.
        let orphans = running.difference(&live).map(|orphan| async move {
            tracing::info!(session = %orphan, "stopping an orphaned session: it runs, but it is not live in the log");
            if let Err(error) = environment.stop(*orphan).await {
                tracing::warn!(session = %orphan, %error, "could not stop an orphaned session; the next sweep retries");
            }
        });
        join_all(orphans).await;
        Ok(u32::try_from(running.intersection(&live).count()).unwrap_or(u32::MAX))
    }

    fn sessions_in(&self, id: EnvironmentId, is: impl Fn(&Session) -> bool) -> Vec<Arc<Session>> {
        let mut sessions = self.replica.unended();
        sessions.retain(|session| session.environment_id == id && self.hosts(session) && is(session));
        sessions
    }
}
