//! The refresh, or sweep: asking every environment what it really runs, and making the log agree.
//!
//! At most one every 30 s for all administrators together: the store hands out the turn. Rule of the sweep: the log says
//! Active and the environment has nothing → Error; it says Pending and the environment has it ready → Active; the environment
//! runs what the log does not call live → stopped. Each node asks its own environments, about the sessions that it runs.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use chrono::TimeDelta;
use environments::{Environment, EnvironmentError};
use futures::future::join_all;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use session::{
    Actor, EnvironmentId, Role, Session, SessionId, Status, Timestamp,
    catalogue::Swept,
    lifecycle::Command,
    wire::{Me, Refreshed, Stale},
};
use store::Claim;
use tokio::time::timeout;

use crate::{Control, Error, Result, authority::require, nodes::OtherNode};

/// Least time between the starts of two sweeps.
pub const SWEEP_INTERVAL: TimeDelta = TimeDelta::seconds(30);
/// How long whoever asked for a sweep waits for the other nodes' shares.
const SHARE: Duration = Duration::from_secs(5);

/// What is known of the sweeps so far.
#[derive(Clone, Debug)]
pub struct State {
    /// Time of the last that every node has completed.
    pub as_of: Option<Timestamp>,
    /// When the next may start.
    pub next_at: Timestamp,
    /// Environments that did not answer it.
    pub stale: Vec<Stale>,
}

/// What a node's last sweep found: what the nodes tell each other.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// When the turn was granted that it was made in.
    granted_at: Option<Timestamp>,
    /// When it was complete.
    done_at: Option<Timestamp>,
    environments: Vec<Found>,
}

/// What it found in one environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Found {
    id: EnvironmentId,
    name: Arc<str>,
    swept: Swept,
}

impl Report {
    fn of(&self, id: EnvironmentId) -> Option<&Swept> {
        let found = self.environments.iter().find(|found| found.id == id);
        found.map(|found| &found.swept)
    }

    fn stale(&self, node: Option<&Arc<str>>) -> impl Iterator<Item = Stale> {
        self.environments.iter().filter_map(move |found| {
            Some(Stale {
                environment_id: found.id,
                environment: found.name.clone(),
                node: node.cloned(),
                as_of: found.swept.answered_at,
                error: found.swept.error.clone()?,
            })
        })
    }
}

/// Keeps what this node's sweeps found, and when the next may start.
pub struct Sweeps(Mutex<Kept>);

struct Kept {
    next_at: Timestamp,
    /// The newest turn that anybody was granted.
    granted_at: Option<Timestamp>,
    /// The turn of the last sweep that this node has begun.
    begun: Option<Timestamp>,
    mine: Arc<Report>,
}

impl Sweeps {
    /// None yet.
    pub fn new(now: Timestamp) -> Self {
        Self(Mutex::new(Kept {
            next_at: now,
            granted_at: None,
            begun: None,
            mine: Arc::default(),
        }))
    }

    /// What the other nodes are told.
    pub fn report(&self) -> Arc<Report> {
        self.0.lock().mine.clone()
    }

    /// A node was granted a turn: this one has to do its share.
    pub fn granted(&self, at: Timestamp) {
        let mut kept = self.0.lock();
        kept.granted_at = kept.granted_at.max(Some(at));
        kept.next_at = kept.next_at.max(at + SWEEP_INTERVAL);
    }

    /// Has this node yet to begin its share of a turn?
    fn owed(&self) -> bool {
        let kept = self.0.lock();
        kept.granted_at > kept.begun
    }

    /// This node sweeps now, in this turn.
    fn begin(&self) -> Option<Timestamp> {
        let mut kept = self.0.lock();
        kept.begun = kept.granted_at;
        kept.begun
    }

    fn keep(&self, report: Report) {
        self.0.lock().mine = Arc::new(report);
    }
}

impl Control {
    /// What the sweeps of all nodes together have found.
    pub(crate) fn sweeps(&self) -> State {
        let others = self.nodes.others(self.clock.now());
        let (here, away): (Vec<_>, Vec<_>) = others.into_iter().partition(|node| node.alive);
        let kept = self.sweeps.0.lock();
        let me = (!here.is_empty() || !away.is_empty()).then_some(&self.options.node);
        let mut stale: Vec<_> = kept.mine.stale(me).collect();
        let mut as_of = kept.mine.done_at;
        let next_at = kept.next_at;
        for node in &here {
            stale.extend(node.report.stale(Some(&node.name)));
            // One that has just come has not swept yet.
            if let Some(done_at) = node.report.done_at {
                as_of = as_of.map(|as_of| as_of.min(done_at));
            }
        }
        drop(kept);
        for node in away {
            stale.extend(self.unconfirmed(&node));
        }
        State { as_of, next_at, stale }
    }

    /// The environments that a node that is away has sessions in.
    fn unconfirmed(&self, node: &OtherNode) -> Vec<Stale> {
        let unended = self.replica.unended().into_iter();
        let of_it: BTreeMap<_, _> = unended
            .filter(|session| session.node == node.name)
            .map(|session| (session.environment_id, session.environment.clone()))
            .collect();
        let stale = |(environment_id, environment)| Stale {
            environment_id,
            environment,
            node: Some(node.name.clone()),
            as_of: node.report.of(environment_id).and_then(|swept| swept.answered_at),
            error: "The node can't be reached.".into(),
        };
        of_it.into_iter().map(stale).collect()
    }

    /// What the last sweep found in an environment, on all nodes together; `None` before the first.
    pub(crate) fn swept(&self, id: EnvironmentId) -> Option<Swept> {
        let others = self.nodes.others(self.clock.now()).into_iter();
        let others = others.filter_map(|node| {
            let swept = node.report.of(id)?.clone();
            if node.alive {
                return Some(swept);
            }
            // What is away and has nothing here is nobody's concern.
            let mut unconfirmed = self.unconfirmed(&node).into_iter();
            let stale = unconfirmed.find(|stale| stale.environment_id == id)?;
            Some(Swept {
                running: 0,
                error: Some(format!("Node {}: {}", node.name, stale.error).into()),
                ..swept
            })
        });
        let mine = self.sweeps.0.lock().mine.of(id).cloned();
        mine.into_iter().chain(others).reduce(|one, other| Swept {
            at: one.at.min(other.at),
            answered_at: one.answered_at.min(other.answered_at),
            running: one.running + other.running,
            error: one.error.or(other.error),
        })
    }

    /// Sweeps now, or says when it is possible.
    pub async fn request_sweep(self: &Arc<Self>, me: &Me) -> Result<Refreshed> {
        require(me, Role::SystemAdmin)?;
        let control = self.clone();
        let sweep = tokio::spawn(async move { control.sweep_in_turn().await });
        sweep.await.map_err(|error| Error::Internal(error.to_string()))?
    }

    /// Takes the turn and sweeps. Also what the timer does.
    pub(crate) async fn sweep_in_turn(&self) -> Result<Refreshed> {
        let granted_at = self.take_turn().await?;
        self.sweep().await;
        self.others_swept(granted_at).await;
        let State { as_of, next_at, .. } = self.sweeps();
        Ok(Refreshed {
            as_of: as_of.unwrap_or_else(|| self.clock.now()),
            next_refresh_at: next_at,
        })
    }

    /// Takes the turn, and answers when it was granted; [`Error::TooSoon`] where it is too early for one.
    async fn take_turn(&self) -> Result<Timestamp> {
        let now = self.clock.now();
        match self.store.claim_sweep(now, SWEEP_INTERVAL).await? {
            Claim::Granted => self.sweeps.granted(now),
            Claim::Wait(until) => {
                self.sweeps.granted(until - SWEEP_INTERVAL);
                return Err(Error::TooSoon { until, now });
            }
        }
        // Everybody's button counts down from here on, not only when the environments have answered.
        self.replica.announce();
        Ok(now)
    }

    /// Does this node's share of a sweep that another node was granted.
    pub(crate) async fn sweep_share(&self) -> Result<()> {
        if self.sweeps.owed() {
            self.sweep().await;
        }
        Ok(())
    }

    /// Returns when the nodes that are there have done their share, or have had long enough.
    async fn others_swept(&self, granted_at: Timestamp) {
        let mut changes = self.replica.subscribe();
        let owes = |node: &OtherNode| node.alive && node.report.granted_at < Some(granted_at);
        let shared = async {
            while self.nodes.others(self.clock.now()).iter().any(owes) {
                // A report that is news is announced.
                if changes.changed().await.is_err() {
                    return;
                }
            }
        };
        if timeout(SHARE, shared).await.is_err() {
            tracing::warn!("a node has not done its share of the sweep yet");
        }
    }

    /// Asks every environment of this node and reconciles.
    pub(crate) async fn sweep(&self) {
        let mut report = Report {
            granted_at: self.sweeps.begin(),
            done_at: None,
            environments: Vec::new(),
        };
        let names = self.store.environments().await.unwrap_or_default();
        // Always in the same order: so are those that are named as silent.
        let environments: BTreeMap<_, _> = self.environments.iter().collect();
        for (id, environment) in environments {
            let answer = self.reconcile(*id, environment).await;
            if let Err(error) = &answer {
                tracing::warn!(environment = %id, %error, "an environment did not answer the sweep");
            }
            let known = names.iter().find(|row| row.id == *id);
            report.environments.push(Found {
                id: *id,
                name: known.map_or_else(|| "?".into(), |row| row.name.clone()),
                swept: self.found_now(*id, answer),
            });
        }
        report.done_at = Some(self.clock.now());
        self.sweeps.keep(report);
        self.replica.announce();
    }

    /// What an environment answered: how many sessions run there, or why it did not.
    fn found_now(&self, id: EnvironmentId, answer: std::result::Result<u32, EnvironmentError>) -> Swept {
        let at = self.clock.now();
        let kept = self.sweeps.0.lock();
        let before = kept.mine.of(id);
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

    /// At the start: nothing is starting and no tab is open, whatever the log says. Then a sweep.
    pub(crate) async fn recover(&self) {
        for session in self.replica.unended().into_iter().filter(|session| self.mine(session)) {
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
        // It is ready without the others: they do their share of the turn when they hear of it.
        if let Err(error) = self.take_turn().await {
            tracing::info!(%error, "the sweep at the start shares the turn of the last one");
        }
        self.sweep().await;
    }

    /// Asks one environment and makes the log agree. Answers how many live sessions run there.
    async fn reconcile(
        &self,
        id: EnvironmentId,
        environment: &Arc<dyn Environment>,
    ) -> std::result::Result<u32, EnvironmentError> {
        // Active before the environment was asked: what became Active since is not missing from its answer.
        let active = self.of(id, |session| session.status == Status::Active);
        let seen = environment.observe().await?;
        let running: BTreeSet<SessionId> = seen.iter().map(|seen| seen.session_id).collect();
        for session in active.iter().filter(|session| !running.contains(&session.id)) {
            self.reconciled(session, Command::Fail("The environment no longer runs it.".into()))
                .await;
        }
        // Where its signal was lost, nobody else would ever say that it is ready.
        let ready: BTreeSet<SessionId> = seen
            .iter()
            .filter(|seen| seen.ready)
            .map(|seen| seen.session_id)
            .collect();
        for session in self.of(id, |session| {
            session.status == Status::Pending && ready.contains(&session.id)
        }) {
            self.reconciled(&session, Command::Ready).await;
        }
        let live: BTreeSet<SessionId> = self
            .of(id, |session| session.status.is_live())
            .iter()
            .map(|session| session.id)
            .collect();
        // All at once: one that hangs or can't be stopped delays no other.
        let orphans = running.difference(&live).map(|orphan| async move {
            tracing::info!(session = %orphan, "stopping what the log does not call live");
            if let Err(error) = environment.stop(*orphan).await {
                tracing::warn!(session = %orphan, %error, "could not stop an orphaned session; the next sweep retries");
            }
        });
        join_all(orphans).await;
        Ok(u32::try_from(running.intersection(&live).count()).unwrap_or(u32::MAX))
    }

    fn of(&self, id: EnvironmentId, is: impl Fn(&Session) -> bool) -> Vec<Arc<Session>> {
        let mut sessions = self.replica.unended();
        sessions.retain(|session| session.environment_id == id && self.mine(session) && is(session));
        sessions
    }

    async fn reconciled(&self, session: &Session, command: Command) {
        if let Err(error) = self.step(session.id, command, Actor::System).await {
            tracing::warn!(session = %session.id, %error, "a finding of the sweep could not be recorded");
        }
    }
}
