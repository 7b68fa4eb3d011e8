//! Background tasks. A task takes no input: it reads the state, makes the log and the environments
//! agree, and may run again at any time.

use std::{collections::HashSet, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use environments::Signal;
use futures::{FutureExt, future::join_all};
use session::{
    Actor, EndReason, Session, SessionId, Status, Teardown,
    lifecycle::{self, Command},
};
use store::{Changes, WriteOutcome, WriteRequest};
use tokio::{
    sync::mpsc,
    task::JoinSet,
    time::{MissedTickBehavior, interval},
};

use crate::{Close, Control, Error, Result, commit::close_reason};

/// The interval of the deadlines: no limit of time acts later than this.
const TIMER_INTERVAL: Duration = Duration::from_secs(1);
/// The interval of the checks whether the homes of open tabs are nearly full. The environment measures less
/// often if that takes long.
const HOME_INTERVAL: Duration = Duration::from_secs(5);
/// The interval of the purge of old ended sessions (docs/spec.md §5 allows 60 s).
const PURGE_INTERVAL: Duration = Duration::from_secs(15);
/// The interval of the poll of the log for changes by other processes.
const POLL_INTERVAL: Duration = Duration::from_millis(500);
/// The interval of the write of the last use of logins, one transaction for all logins.
const LAST_USE_INTERVAL: Duration = Duration::from_secs(60);
/// The interval of the removal of old logins from the database.
const LOGIN_CLEANUP_INTERVAL: Duration = Duration::from_secs(3600);
/// The interval of the removal of uploads that nobody continues.
const UPLOAD_CLEANUP_INTERVAL: Duration = Duration::from_secs(60);
/// The interval of the heartbeats of this node.
const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(1);
/// The interval of the check whether this node has lost the log.
const FENCE_CHECK_INTERVAL: Duration = Duration::from_millis(250);
/// The interval of the sweeps that no administrator asks for.
const AUTO_SWEEP_INTERVAL: Duration = Duration::from_secs(300);
/// The interval of the comparison of the head of the log of events with the last one seen.
const HEAD_CHECK_INTERVAL: Duration = Duration::from_secs(60);
/// The interval of the write of the head to the journal, and of its signature.
const CHECKPOINT_INTERVAL: Duration = Duration::from_secs(3600);
/// The delay before the first retry of a failed stop. It doubles with each retry.
pub const MIN_RETRY_DELAY: Duration = Duration::from_secs(1);
/// The longest delay between two retries.
const MAX_RETRY_DELAY: Duration = Duration::from_secs(60);

impl Control {
    /// Recovers from the last stop or crash, then starts the background tasks. They end when the
    /// caller drops the returned set.
    pub async fn start(self: &Arc<Self>, signals: mpsc::UnboundedReceiver<Signal>) -> JoinSet<()> {
        // First, so that the peers see this node and this node sees its peers before it recovers.
        if let Err(error) = self.send_heartbeat().await {
            tracing::warn!(%error, "the first heartbeat failed; the next one follows in a second");
        }
        // The recovery can take longer than `PEER_TIMEOUT`, so the heartbeats go on beside it.
        tokio::select! {
            () = self.recover() => {}
            () = self.clone().every(HEARTBEAT_INTERVAL, "heartbeat", Self::send_heartbeat) => {}
        }
        self.run(signals)
    }

    /// Starts the background tasks without the recovery of [`Control::start`].
    pub fn run(self: &Arc<Self>, signals: mpsc::UnboundedReceiver<Signal>) -> JoinSet<()> {
        let mut tasks = JoinSet::new();
        tasks.spawn(self.clone().handle_signals(signals));
        tasks.spawn(self.clone().close_ended_sessions());
        tasks.spawn(self.clone().every(TIMER_INTERVAL, "deadlines", Self::act_on_deadlines));
        tasks.spawn(self.clone().every(TIMER_INTERVAL, "refusals", Self::record_refusals));
        tasks.spawn(self.clone().every(TIMER_INTERVAL, "idle tabs", Self::expire_idle_tabs));
        tasks.spawn(
            self.clone()
                .every(TIMER_INTERVAL, "reconcile tabs", Self::reconcile_tabs),
        );
        tasks.spawn(
            self.clone()
                .every(HEARTBEAT_INTERVAL, "heartbeat", Self::send_heartbeat),
        );
        tasks.spawn(
            self.clone()
                .every(FENCE_CHECK_INTERVAL, "fencing", Self::fence_if_log_lost),
        );
        tasks.spawn(self.clone().every(TIMER_INTERVAL, "share of sweeps", Self::sweep_share));
        tasks.spawn(self.clone().every(PURGE_INTERVAL, "purge", Self::purge_now));
        tasks.spawn(self.clone().every(POLL_INTERVAL, "poll of the log", Self::catch_up));
        tasks.spawn(self.clone().every(TIMER_INTERVAL, "login limits", Self::end_old_logins));
        tasks.spawn(
            self.clone()
                .every(TIMER_INTERVAL, "repeated sign-ins", async |control: &Self| {
                    control.log_repeated_sign_ins(false).await;
                    Ok(())
                }),
        );
        tasks.spawn(
            self.clone()
                .every(LAST_USE_INTERVAL, "last use of logins", Self::write_last_use),
        );
        tasks.spawn(
            self.clone()
                .every(LOGIN_CLEANUP_INTERVAL, "old logins", Self::remove_old_logins),
        );
        tasks.spawn(self.clone().every(HEAD_CHECK_INTERVAL, "head", Self::watch_head));
        tasks.spawn(
            self.clone()
                .every(CHECKPOINT_INTERVAL, "checkpoint", Self::make_checkpoint),
        );
        tasks.spawn(self.clone().every(HOME_INTERVAL, "homes", Self::warn_of_full_homes));
        tasks.spawn(
            self.clone()
                .every(UPLOAD_CLEANUP_INTERVAL, "unused uploads", Self::forget_unused_uploads),
        );
        tasks.spawn(self.clone().follow());
        tasks.spawn(self.clone().every(AUTO_SWEEP_INTERVAL, "sweep", Self::sweep_if_due));
        tasks
    }

    async fn every(
        self: Arc<Self>,
        period: Duration,
        name: &'static str,
        task: impl AsyncFn(&Self) -> Result<()> + Send,
    ) {
        let mut ticks = interval(period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if let Err(error) = task(&self).await {
                tracing::warn!(task = name, %error, "a background task failed; it runs again at its next interval");
            }
        }
    }

    /// Reads the log as soon as the store reports a change, before the next poll.
    async fn follow(self: Arc<Self>) {
        loop {
            self.store.changed().await;
            if let Err(error) = self.catch_up().await {
                tracing::warn!(%error, "could not read changes from the log; the next poll tries again");
            }
        }
    }

    /// Handles the signals of the environments, each in a task of its own.
    async fn handle_signals(self: Arc<Self>, mut signals: mpsc::UnboundedReceiver<Signal>) {
        let mut handlers = JoinSet::new();
        loop {
            tokio::select! {
                signal = signals.recv() => match signal {
                    Some(signal) => {
                        let control = self.clone();
                        handlers.spawn(async move { control.handle_signal(signal).await });
                    }
                    None => return,
                },
                Some(_) = handlers.join_next(), if !handlers.is_empty() => {}
            }
        }
    }

    async fn handle_signal(&self, signal: Signal) {
        let (id, command) = match signal {
            Signal::Ready(id) => (id, Command::Ready),
            Signal::Lost(id, text) => (id, Command::Fail(text.into())),
            Signal::Closed(id) => (id, Command::expire(EndReason::ApplicationClosed)),
        };
        self.apply_with_retry(id, command).await;
    }

    /// Acts on all deadlines that have passed, concurrently: they share transactions, and a failure
    /// delays no other.
    pub(crate) async fn act_on_deadlines(&self) -> Result<()> {
        let now = self.clock.now();
        let mut due = self.replica.unended();
        due.retain(|session| lifecycle::due(session, now).is_some() && self.is_responsible_for(session, now));
        let ended = join_all(due.into_iter().map(|session| async move {
            // `Command::Due` decides again in the transaction: the application may have become
            // ready, or a tab may have opened it.
            let after = self.apply(session.id, Command::Due, Actor::System).await;
            after.map_err(|error| (session.id, error))
        }));
        let (mut failed, mut first) = (0_u32, None);
        for after in ended.await {
            match after {
                Ok(after) if after.status == Status::Error && self.hosts(&after) => self.stop_later(after),
                Ok(_) => {}
                Err(error) => {
                    failed += 1;
                    first.get_or_insert(error);
                }
            }
        }
        if let Some((id, error)) = first {
            tracing::warn!(sessions = failed, first = %id, %error, "could not act on deadlines that have passed; will retry");
        }
        Ok(())
    }

    /// Has [`Control::close_ended_sessions`] stop a failed session in its environment. A stop can
    /// take seconds.
    fn stop_later(&self, session: Session) {
        self.failed.lock().push(session);
        self.closing.notify_one();
    }

    /// Removes ended sessions 48 hours after their end. Runs by timer; public so that a test need
    /// not wait for it.
    pub async fn purge_now(&self) -> Result<()> {
        let at = self.clock.now();
        while self.replica.any_purgeable(at) {
            match self.writer.submit(WriteRequest::Purge { at }).await? {
                WriteOutcome::Purged(ids) if !ids.is_empty() => {}
                _ => break,
            }
        }
        Ok(())
    }

    /// Reads the changes that other nodes and the command line wrote into the log. When it returns,
    /// the tabs of every session that has ended by then are closed, even if another call read the
    /// change.
    pub(crate) async fn catch_up(&self) -> Result<()> {
        let known = self.replica.revision();
        let has_changes = self.store.revision().await? > known;
        let mut changes = if has_changes {
            self.store.changes(known).await?
        } else {
            Changes::default()
        };
        {
            let _one_at_a_time = self.closing_tabs.lock();
            // Before the replica gets the revision: a call that finds the revision there must find
            // these changes noted.
            self.note_access_changes(&std::mem::take(&mut changes.access));
            for session in self.replica.catch_up(changes) {
                if let Some(why) = close_reason(&session) {
                    self.tabs.close(session.id, why);
                    self.closing.notify_one();
                }
            }
        }
        self.end_revoked_logins().await
    }

    async fn sweep_if_due(&self) -> Result<()> {
        match self.sweep_in_turn().await {
            Ok(_) | Err(Error::TooSoon { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Has the environments stop ended and failed sessions, each in a task of its own: a slow stop
    /// delays no other.
    async fn close_ended_sessions(self: Arc<Self>) {
        let mut in_progress = HashSet::new();
        let mut stops = JoinSet::new();
        loop {
            for session in self.replica.closing() {
                if self.hosts(&session) && in_progress.insert(session.id) {
                    // The replica knows of the end a moment before the tab is closed. If the
                    // application stopped first, the tab would report a lost environment.
                    self.tabs.close(session.id, Close::Expired);
                    let closed = self.clone().close_until_confirmed(session.id);
                    stops.spawn(async move { Some(closed.await) });
                }
            }
            for session in std::mem::take(&mut *self.failed.lock()) {
                let control = self.clone();
                stops.spawn(async move {
                    control.stop_in_environment(&session).await;
                    None
                });
            }
            // The outer loop does not run after each stop: with thousands in progress, its scan
            // would be most of the work.
            loop {
                tokio::select! {
                    () = self.closing.notified() => break,
                    Some(stopped) = stops.join_next(), if !stops.is_empty() => match stopped {
                        Ok(Some(id)) => { in_progress.remove(&id); }
                        Ok(None) => {}
                        // Only the stop of a failed session can panic here.
                        Err(error) => tracing::error!(%error, "stopping a failed session panicked; the next sweep stops it"),
                    }
                }
            }
        }
    }

    /// Has the environment close an ended session, again and again until that is confirmed and
    /// recorded. Returns its id.
    async fn close_until_confirmed(self: Arc<Self>, id: SessionId) -> SessionId {
        let mut pause = MIN_RETRY_DELAY;
        while !self.try_close(id).await {
            tokio::time::sleep(pause).await;
            pause = (2 * pause).min(MAX_RETRY_DELAY);
        }
        id
    }

    /// Tries once to close an ended session. A panic counts as a failed attempt: without a retry,
    /// the session would stay unclosed until the next start.
    async fn try_close(&self, id: SessionId) -> bool {
        let attempt = AssertUnwindSafe(self.close_once(id)).catch_unwind().await;
        attempt.unwrap_or_else(|_| {
            tracing::error!(session = %id, "closing an ended session panicked; will retry");
            false
        })
    }

    async fn close_once(&self, id: SessionId) -> bool {
        let closing = self
            .replica
            .get(id)
            .filter(|session| session.teardown == Teardown::Wanted);
        // The session was purged, or an administrator gave up its cleanup.
        let Some(session) = closing else { return true };
        // If this node does not have the environment, there is nothing that it could stop.
        if let Some(environment) = self.environments.get(&session.environment_id)
            && let Err(error) = environment.stop(id).await
        {
            tracing::warn!(session = %id, %error, "could not close an ended session in its environment; will retry");
            return false;
        }
        let recorded = self.apply(id, Command::TornDown, Actor::Environment).await;
        if let Err(error) = &recorded {
            tracing::warn!(session = %id, %error, "could not record that an ended session is closed; will retry");
        }
        recorded.is_ok()
    }
}
