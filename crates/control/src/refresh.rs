//! The refresh, or sweep: asking every environment what it really runs, and making the log agree.
//!
//! At most one every 30 s for all administrators together: the store hands out the turn. Rule of the sweep: the log says
//! Active and the environment has nothing → Error; the environment runs what the log does not call live → stopped.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use chrono::TimeDelta;
use environments::{Environment, EnvironmentError};
use parking_lot::Mutex;
use session::{
    Actor, EnvironmentId, Role, Session, SessionId, Status, Timestamp,
    catalogue::Swept,
    lifecycle::Command,
    wire::{Me, Refreshed, Stale},
};
use store::Claim;

use crate::{Control, Error, Result, authority::require};

/// Least time between the starts of two sweeps.
pub const REFRESH_INTERVAL: TimeDelta = TimeDelta::seconds(30);

/// What is known of the sweeps so far.
#[derive(Clone, Debug)]
pub struct State {
    /// Time of the last completed one.
    pub as_of: Option<Timestamp>,
    /// When the next may start.
    pub next_at: Timestamp,
    /// Environments that did not answer the last one.
    pub stale: Vec<Stale>,
}

/// Keeps [`State`].
pub struct Sweeps(Mutex<Kept>);

struct Kept {
    as_of: Option<Timestamp>,
    next_at: Timestamp,
    swept: BTreeMap<EnvironmentId, Swept>,
    stale: Vec<Stale>,
}

impl Sweeps {
    /// None yet.
    pub fn new(now: Timestamp) -> Self {
        Self(Mutex::new(Kept {
            as_of: None,
            next_at: now,
            swept: BTreeMap::new(),
            stale: Vec::new(),
        }))
    }

    /// What is known now.
    pub fn state(&self) -> State {
        let kept = self.0.lock();
        State {
            as_of: kept.as_of,
            next_at: kept.next_at,
            stale: kept.stale.clone(),
        }
    }

    /// What the last sweep found in an environment; `None` before the first.
    pub fn of(&self, id: EnvironmentId) -> Option<Swept> {
        self.0.lock().swept.get(&id).cloned()
    }

    /// Keeps what an environment answered: how many sessions run there, or why it did not. Answers what is known now.
    fn keep(&self, id: EnvironmentId, at: Timestamp, answer: std::result::Result<u32, Arc<str>>) -> Swept {
        let mut kept = self.0.lock();
        let before = kept.swept.get(&id);
        let swept = match answer {
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
                error: Some(error),
            },
        };
        kept.swept.insert(id, swept.clone());
        swept
    }
}

impl Control {
    /// Sweeps now, or says when it is possible.
    pub async fn refresh(self: &Arc<Self>, me: &Me) -> Result<Refreshed> {
        require(me, Role::SystemAdmin)?;
        let control = self.clone();
        let sweep = tokio::spawn(async move { control.sweep_in_turn().await });
        sweep.await.map_err(|error| Error::Internal(error.to_string()))?
    }

    /// Takes the turn and sweeps. Also what the timer does.
    pub(crate) async fn sweep_in_turn(&self) -> Result<Refreshed> {
        let now = self.clock.now();
        match self.store.claim_sweep(now, REFRESH_INTERVAL).await? {
            Claim::Granted => self.sweeps.0.lock().next_at = now + REFRESH_INTERVAL,
            Claim::Wait(until) => {
                self.sweeps.0.lock().next_at = until;
                return Err(Error::TooSoon { until, now });
            }
        }
        // Everybody's button counts down from here on, not only when the environments have answered.
        self.replica.announce();
        let as_of = self.sweep().await;
        Ok(Refreshed {
            as_of,
            next_refresh_at: self.sweeps.state().next_at,
        })
    }

    /// Asks every environment and reconciles. Answers the time of completion.
    pub(crate) async fn sweep(&self) -> Timestamp {
        let mut stale = Vec::new();
        let names = self.store.environments().await.unwrap_or_default();
        for (id, environment) in &self.environments {
            let answer = self.reconcile(*id, environment).await;
            if let Err(error) = &answer {
                tracing::warn!(environment = %id, %error, "an environment did not answer the sweep");
            }
            let answer = answer.map_err(|error| error.to_string().into());
            let swept = self.sweeps.keep(*id, self.clock.now(), answer);
            if let Some(error) = swept.error {
                stale.push(Stale {
                    environment_id: *id,
                    environment: names
                        .iter()
                        .find(|row| row.id == *id)
                        .map_or_else(|| "?".into(), |row| row.name.clone()),
                    as_of: swept.answered_at,
                    error,
                });
            }
        }
        let as_of = self.clock.now();
        let mut kept = self.sweeps.0.lock();
        kept.as_of = Some(as_of);
        kept.stale = stale;
        drop(kept);
        self.replica.announce();
        as_of
    }

    /// At the start: nothing is starting and no tab is open, whatever the log says. Then a sweep.
    pub(crate) async fn recover(&self) {
        for session in self.replica.unended() {
            let lost = match session.status {
                Status::Pending => "The server restarted while the application was starting.",
                Status::Active if !self.environments.contains_key(&session.environment_id) => {
                    "This server can't reach the environment any more."
                }
                _ if session.connected() => {
                    self.reconciled(&session, Command::Detach).await;
                    continue;
                }
                _ => continue,
            };
            self.reconciled(&session, Command::Fail(lost.into())).await;
        }
        if let Err(error) = self.sweep_in_turn().await {
            tracing::info!(%error, "the sweep at the start shares the turn of the last one");
            self.sweep().await;
        }
    }

    /// Asks one environment and makes the log agree. Answers how many live sessions run there.
    async fn reconcile(
        &self,
        id: EnvironmentId,
        environment: &Arc<dyn Environment>,
    ) -> std::result::Result<u32, EnvironmentError> {
        // Active before the environment was asked: what became Active since is not missing from its answer.
        let active = self.of(id, |session| session.status == Status::Active);
        let running: HashSet<SessionId> = environment
            .observe()
            .await?
            .iter()
            .map(|seen| seen.session_id)
            .collect();
        for session in active.iter().filter(|session| !running.contains(&session.id)) {
            self.reconciled(session, Command::Fail("The environment no longer runs it.".into()))
                .await;
        }
        let live: HashSet<SessionId> = self
            .of(id, |session| session.status.is_live())
            .iter()
            .map(|session| session.id)
            .collect();
        for orphan in running.difference(&live) {
            tracing::info!(session = %orphan, "stopping what the log does not call live");
            // One that can't be stopped says nothing about the others: the next sweep tries again.
            if let Err(error) = environment.stop(*orphan).await {
                tracing::warn!(session = %orphan, %error, "it is still there");
            }
        }
        Ok(u32::try_from(running.intersection(&live).count()).unwrap_or(u32::MAX))
    }

    fn of(&self, id: EnvironmentId, is: impl Fn(&Session) -> bool) -> Vec<Arc<Session>> {
        let mut sessions = self.replica.unended();
        sessions.retain(|session| session.environment_id == id && is(session));
        sessions
    }

    async fn reconciled(&self, session: &Session, command: Command) {
        if let Err(error) = self.step(session.id, command, Actor::System).await {
            tracing::warn!(session = %session.id, %error, "a finding of the sweep could not be recorded");
        }
    }
}
