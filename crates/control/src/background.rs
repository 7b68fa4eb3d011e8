//! What runs by itself. Each task takes no input: it reads the state, makes the world agree with it, and can be run
//! again at any time.

use std::{collections::HashSet, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use environments::Signal;
use futures::{FutureExt, future::join_all};
use session::{
    Actor, EndReason, Session, SessionId, Status, Teardown,
    lifecycle::{self, Command},
};
use store::{Changes, StoreError, WriteOutcome, WriteRequest};
use tokio::{
    sync::mpsc,
    task::JoinSet,
    time::{MissedTickBehavior, interval},
};

use crate::{Close, Control, Error, Result, close_reason};

/// How often deadlines are looked at: no limit acts later than this after its moment.
const TIMERS: Duration = Duration::from_secs(1);
/// How often old ended sessions are removed (docs/spec.md §5 allows 60 s).
const PURGE: Duration = Duration::from_secs(15);
/// How often the log's tail is read for what other processes wrote.
const TAIL: Duration = Duration::from_millis(500);
/// How often the last use of logins is written, in one transaction for all.
const LAST_USE: Duration = Duration::from_secs(60);
/// How often old logins are removed from the database.
const OLD_LOGINS: Duration = Duration::from_secs(3600);
/// How often a node says that it lives.
const BEAT: Duration = Duration::from_secs(1);
/// How often a node asks itself whether it has lost the log.
const LOST: Duration = Duration::from_millis(250);
/// How often a sweep is made when no administrator asks for one.
const SWEEP: Duration = Duration::from_secs(300);
/// How often the head of the log of events is compared with the one that was seen before.
const HEAD: Duration = Duration::from_secs(60);
/// How often the head is written to the journal, and signed.
const CHECKPOINT: Duration = Duration::from_secs(3600);
/// How long after a failed stop the environment is asked again, at first; then twice as long each time.
const FIRST_RETRY: Duration = Duration::from_secs(1);
/// The longest pause between two such attempts.
const LAST_RETRY: Duration = Duration::from_secs(60);

impl Control {
    /// Makes the list right after whatever happened before, then keeps it right. Returns when the list is right; the
    /// tasks end when the answer is dropped.
    pub async fn start(self: &Arc<Self>, signals: mpsc::UnboundedReceiver<Signal>) -> JoinSet<()> {
        // Who is there, and who is known to be, from the first moment on.
        if let Err(error) = self.beat().await {
            tracing::warn!(%error, "the first heartbeat failed");
        }
        // It can take a while, in which the others must not take this node for dead.
        tokio::select! {
            () = self.recover() => {}
            () = self.clone().every(BEAT, "heartbeat", Self::beat) => {}
        }
        self.run(signals)
    }

    /// Keeps the list right: what [`Control::start`] does after it has looked at what was left.
    pub fn run(self: &Arc<Self>, signals: mpsc::UnboundedReceiver<Signal>) -> JoinSet<()> {
        let mut tasks = JoinSet::new();
        tasks.spawn(self.clone().take_signals(signals));
        tasks.spawn(self.clone().close_ended());
        tasks.spawn(self.clone().every(TIMERS, "timers", Self::act_on_deadlines));
        tasks.spawn(self.clone().every(TIMERS, "refusals", Self::record_refusals));
        tasks.spawn(self.clone().every(TIMERS, "tabs", Self::mind_tabs));
        tasks.spawn(self.clone().every(TIMERS, "settling tabs", Self::settle_tabs));
        tasks.spawn(self.clone().every(BEAT, "heartbeat", Self::beat));
        tasks.spawn(self.clone().every(LOST, "lost log", Self::mind_the_log));
        tasks.spawn(self.clone().every(TIMERS, "share of sweeps", Self::sweep_share));
        tasks.spawn(self.clone().every(PURGE, "purge", Self::purge_now));
        tasks.spawn(self.clone().every(TAIL, "tail", Self::catch_up));
        tasks.spawn(self.clone().every(TIMERS, "login limits", Self::end_old_logins));
        tasks.spawn(self.clone().every(TIMERS, "repeated sign-ins", async |control: &Self| {
            control.log_repeated_sign_ins(false).await;
            Ok(())
        }));
        tasks.spawn(self.clone().every(LAST_USE, "last use of logins", Self::write_last_use));
        tasks.spawn(self.clone().every(OLD_LOGINS, "old logins", Self::remove_old_logins));
        tasks.spawn(self.clone().every(HEAD, "head", Self::watch_head));
        tasks.spawn(self.clone().every(CHECKPOINT, "checkpoint", Self::make_checkpoint));
        tasks.spawn(self.clone().follow());
        tasks.spawn(self.clone().every(SWEEP, "sweep", Self::sweep_if_due));
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
                tracing::warn!(task = name, %error, "a background task failed and will try again");
            }
        }
    }

    /// Reads the log's tail whenever the store has heard of news, before the next look.
    async fn follow(self: Arc<Self>) {
        loop {
            self.store.changed().await;
            if let Err(error) = self.catch_up().await {
                tracing::warn!(%error, "the log's tail could not be read and is looked at again");
            }
        }
    }

    /// What environments tell without being asked.
    async fn take_signals(self: Arc<Self>, mut signals: mpsc::UnboundedReceiver<Signal>) {
        let mut taken = JoinSet::new();
        loop {
            tokio::select! {
                signal = signals.recv() => match signal {
                    Some(signal) => {
                        let control = self.clone();
                        taken.spawn(async move { control.take(signal).await });
                    }
                    None => return,
                },
                Some(_) = taken.join_next(), if !taken.is_empty() => {}
            }
        }
    }

    async fn take(&self, signal: Signal) {
        let (id, command) = match signal {
            Signal::Ready(id) => (id, Command::Ready),
            Signal::Lost(id, text) => (id, Command::Fail(text.into())),
            Signal::Closed(id) => (id, Command::expire(EndReason::ApplicationClosed)),
        };
        self.record(id, command).await;
    }

    /// Writes down what became of a session in its environment. That is told once, so while the log can't be written it is tried
    /// again: an application that got ready then would else count as starting until its time is over.
    pub(crate) async fn record(&self, id: SessionId, command: Command) {
        while let Err(error) = self.step(id, command.clone(), Actor::Environment).await {
            tracing::warn!(session = %id, %error, "what an environment told could not be recorded");
            let Error::Store(
                StoreError::Unreachable(_) | StoreError::OutcomeUnknown | StoreError::Busy | StoreError::Full,
            ) = error
            else {
                return;
            };
            tokio::time::sleep(FIRST_RETRY).await;
        }
    }

    /// Acts on the deadlines that have come, on all of them together: they share commits, and one that fails delays no other.
    pub(crate) async fn act_on_deadlines(&self) -> Result<()> {
        let now = self.clock.now();
        let mut due = self.replica.unended();
        due.retain(|session| lifecycle::due(session, now).is_some() && self.minds(session, now));
        let ended = join_all(due.into_iter().map(|session| async move {
            // It may no longer be due when its turn comes: the application got ready, or a tab opened it.
            let after = self.step(session.id, Command::Due, Actor::System).await;
            after.map_err(|error| (session.id, error))
        }));
        let (mut failed, mut first) = (0_u32, None);
        for after in ended.await {
            match after {
                Ok(after) if after.status == Status::Error && self.mine(&after) => self.stop_later(after),
                Ok(_) => {}
                Err(error) => {
                    failed += 1;
                    first.get_or_insert(error);
                }
            }
        }
        if let Some((id, error)) = first {
            tracing::warn!(sessions = failed, first = %id, %error, "could not act on deadlines that have come; will retry");
        }
        Ok(())
    }

    /// Has the environment stop a session that failed. [`Control::close_ended`] does it: a stop can take seconds.
    fn stop_later(&self, session: Session) {
        self.failed.lock().push(session);
        self.closing.notify_one();
    }

    /// Removes ended sessions whose 48 hours are over. The timer does it; a test need not wait for it.
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

    /// What other nodes, and the command line, wrote into the log. When it returns, the tabs of what has ended by then are told, whoever
    /// found it.
    pub(crate) async fn catch_up(&self) -> Result<()> {
        let known = self.replica.revision();
        let news = self.store.revision().await? > known;
        let mut changes = if news {
            self.store.changes(known).await?
        } else {
            Changes::default()
        };
        {
            let _one_at_a_time = self.closing_tabs.lock();
            // Before the revision is known here: a call that finds it known must find these noted.
            self.note_access(&std::mem::take(&mut changes.access));
            for session in self.replica.catch_up(changes) {
                if let Some(why) = close_reason(&session) {
                    self.streams.close(session.id, why);
                    self.closing.notify_one();
                }
            }
        }
        self.settle_access().await
    }

    async fn sweep_if_due(&self) -> Result<()> {
        match self.sweep_in_turn().await {
            Ok(_) | Err(crate::Error::TooSoon { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Has the environments stop the sessions that ended or failed, each in a task of its own: one that is slow delays no other.
    async fn close_ended(self: Arc<Self>) {
        let mut under_way = HashSet::new();
        let mut stops = JoinSet::new();
        loop {
            for session in self.replica.closing() {
                if self.mine(&session) && under_way.insert(session.id) {
                    // The list knows of an end a moment before the tab does, and a tab that loses its application first is told
                    // that it was lost.
                    self.streams.close(session.id, Close::Expired);
                    let closed = self.clone().close(session.id);
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
            // Not after each stop: with thousands under way, looking would be most of the work.
            loop {
                tokio::select! {
                    () = self.closing.notified() => break,
                    Some(stopped) = stops.join_next(), if !stops.is_empty() => match stopped {
                        Ok(Some(id)) => { under_way.remove(&id); }
                        Ok(None) => {}
                        // Only a stop of a failed session ends so, and the next sweep finds what it left.
                        Err(error) => tracing::error!(%error, "a task that stops a failed session ended unexpectedly"),
                    }
                }
            }
        }
    }

    /// Asks the environment to close one ended session until that is confirmed and recorded. Answers which.
    async fn close(self: Arc<Self>, id: SessionId) -> SessionId {
        let mut pause = FIRST_RETRY;
        while !self.closed(id).await {
            tokio::time::sleep(pause).await;
            pause = (2 * pause).min(LAST_RETRY);
        }
        id
    }

    /// Tries once to close an ended session. A panic is a failed attempt like any other: without a retry, the session would stay
    /// unclosed until the next start.
    async fn closed(&self, id: SessionId) -> bool {
        let attempt = AssertUnwindSafe(self.try_to_close(id)).catch_unwind().await;
        attempt.unwrap_or_else(|_| {
            tracing::error!(session = %id, "closing an ended session panicked; will retry");
            false
        })
    }

    async fn try_to_close(&self, id: SessionId) -> bool {
        let closing = self
            .replica
            .get(id)
            .filter(|session| session.teardown == Teardown::Wanted);
        // It is purged, or an administrator has given it up.
        let Some(session) = closing else { return true };
        // An environment that this node can't reach, or that is no more, has nothing that could be stopped from here.
        if let Some(environment) = self.environments.get(&session.environment_id)
            && let Err(error) = environment.stop(id).await
        {
            tracing::warn!(session = %id, %error, "an ended session is not closed yet");
            return false;
        }
        let recorded = self.step(id, Command::TornDown, Actor::Environment).await;
        if let Err(error) = &recorded {
            tracing::warn!(session = %id, %error, "a closed session could not be recorded");
        }
        recorded.is_ok()
    }
}
