//! The tabs that people have open, and what must be true of them at every moment.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use chrono::TimeDelta;
use control::{Attachment, Clock};
use session::{Session, SessionId, Status, Timestamp};
use tokio::{sync::oneshot::error::TryRecvError, time::Instant};

use super::{rules::Rule, world::World};

/// How late anything may be that happens by itself, when nothing else is wrong.
const LATE: Duration = Duration::from_secs(3);
/// How long a session may be shown as connected after its tab was closed, and the other way round: a reload is no disconnect.
const GRACE: Duration = Duration::from_secs(4);

/// The same, where an attach or a detach was lost.
const SETTLED: Duration = Duration::from_secs(11);

/// An open tab.
pub struct Tab {
    pub id: SessionId,
    pub node: usize,
    pub life: u32,
    pub attachment: Attachment,
    /// When somebody last used it.
    pub used_at: Timestamp,
}

impl World {
    /// A tab is open from now on, which was asked for at that moment.
    pub fn opened(self: &Arc<Self>, tab: Tab, asked_at: Timestamp) {
        let use_of = (asked_at, self.book.now());
        self.uses.lock().entry(tab.id).or_default().push(use_of);
        self.tabs.lock().push(tab);
        self.look_at_tabs();
    }

    /// Somebody uses a tab.
    pub fn used(&self, which: usize) {
        let now = self.book.now();
        let mut tabs = self.tabs.lock();
        let count = tabs.len();
        if count > 0 {
            let tab = &mut tabs[which % count];
            tab.attachment.last_use.touch();
            tab.used_at = now;
            self.uses.lock().entry(tab.id).or_default().push((now, now));
        }
    }

    /// Somebody closes a tab. Answers which session it was.
    pub fn close_tab(&self, which: usize) -> Option<SessionId> {
        let mut tabs = self.tabs.lock();
        let count = tabs.len();
        let tab = (count > 0).then(|| tabs.remove(which % count))?;
        drop(tabs);
        Some(tab.id)
    }

    /// Tabs whose node died, that were told to close, or whose application is gone, are closed. The others may be open.
    pub fn look_at_tabs(&self) {
        let mut open = Vec::new();
        let tabs = std::mem::take(&mut *self.tabs.lock());
        for mut tab in tabs {
            if self.life(tab.node) != Some(tab.life) {
                continue;
            }
            match tab.attachment.closed.try_recv() {
                Err(TryRecvError::Empty) => {}
                Ok(why) => {
                    let name = self.ledger().name(tab.id);
                    self.book.say(format_args!("  tab of s{name} closed: {why:?}"));
                    drop(tab);
                    continue;
                }
                Err(TryRecvError::Closed) => {
                    drop(tab);
                    continue;
                }
            }
            let session = self.ledger().get(tab.id);
            self.may_be_open(&tab, session.as_ref());
            // Where the session has ended, that its application is gone does not excuse that nobody told the tab.
            if session.is_some_and(|session| session.status == Status::Expired || self.runs(&session)) {
                open.push(tab);
            } else {
                drop(tab);
            }
        }
        self.tabs.lock().append(&mut open);
    }

    fn may_be_open(&self, tab: &Tab, session: Option<&Session>) {
        let name = self.ledger().name(tab.id);
        let answered = self.expired.lock().get(&tab.id).cloned().unwrap_or_default();
        if answered.contains(&tab.node) {
            self.book.broken(
                Rule::NoTabAfterExpire,
                format_args!("s{name} is open on node {} after the answer", tab.node),
            );
        }
        let quiet = self.quiet_for() > LATE;
        if quiet && self.ledger().over_for(tab.id).is_some_and(|since| since > LATE) {
            self.book.broken(
                Rule::NoTabAfterExpire,
                format_args!("s{name} is still open on node {}", tab.node),
            );
        }
        let late = TimeDelta::from_std(LATE).unwrap_or_default();
        if let Some(limit) = session.and_then(|session| session.policy.idle_seconds)
            && quiet
            && self.book.now() > tab.used_at + TimeDelta::seconds(limit.get().into()) + late
        {
            self.book
                .broken(Rule::IdleLate, format_args!("s{name}, last used at {}", tab.used_at));
        }
    }

    /// What must be true of every session as long as nothing else is wrong.
    pub fn look_at_sessions(&self) {
        let quiet = self.quiet_for();
        let open: BTreeSet<_> = self.tabs.lock().iter().map(|tab| tab.id).collect();
        let now = Instant::now();
        for session in self.ledger().all() {
            let mut untrue = self.untrue.lock();
            if session.connected() == open.contains(&session.id) {
                untrue.remove(&session.id);
            } else {
                let (since, allowed) = *untrue
                    .entry(session.id)
                    .or_insert((now, if quiet > GRACE { GRACE } else { SETTLED }));
                if now - since > allowed && quiet > allowed {
                    let name = self.ledger().name(session.id);
                    self.book.broken(
                        Rule::ConnectedIsTrue,
                        format_args!("s{name}: connected is {}", session.connected()),
                    );
                }
            }
            drop(untrue);
            self.is_in_time(&session, quiet);
        }
    }

    fn is_in_time(&self, session: &Session, quiet: Duration) {
        let late = TimeDelta::from_std(LATE).unwrap_or_default();
        if let Some((due, timer)) = due(session)
            && quiet > LATE
            && self.book.now() > due + late
        {
            let name = self.ledger().name(session.id);
            self.book
                .broken(Rule::TimerLate, format_args!("s{name}: {timer} was due at {due}"));
        }
    }
}

/// When time itself does something to a session next: docs/spec.md §5, written out once more.
fn due(session: &Session) -> Option<(Timestamp, &'static str)> {
    let policy = &session.policy;
    let after = |from: Timestamp, limit: session::policy::Limit| {
        limit.map(|seconds| from + TimeDelta::seconds(seconds.get().into()))
    };
    let total = (session.status != Status::Expired).then_some((session.valid_until, "valid until"));
    let other = match (session.status, session.connected_since, session.disconnected_at) {
        (Status::Pending, ..) => after(session.started_at, policy.start_seconds).map(|at| (at, "start")),
        (Status::Active, None, Some(left)) => after(left, policy.disconnected_seconds).map(|at| (at, "disconnected")),
        (Status::Active, None, None) => session
            .ready_at
            .and_then(|ready| after(ready, policy.never_connected_seconds))
            .map(|at| (at, "never connected")),
        _ => None,
    };
    total.into_iter().chain(other).min()
}
