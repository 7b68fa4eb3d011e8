//! The open tabs, and the invariants that hold at every moment.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use chrono::TimeDelta;
use control::{Attachment, Clock};
use session::{Session, SessionId, Status, Timestamp};
use tokio::{sync::oneshot::error::TryRecvError, time::Instant};

use super::{rules::Rule, world::World};

/// The longest delay of a background task while there are no faults.
const TOLERANCE: Duration = Duration::from_secs(3);
/// The log may disagree with the tabs about “connected” for this long: a reload is no disconnect.
const GRACE: Duration = Duration::from_secs(4);

/// The same after a fault, when an attach or a detach may have been lost.
const SETTLE_TIME: Duration = Duration::from_secs(11);

/// An open tab.
pub struct Tab {
    pub id: SessionId,
    pub node: usize,
    pub incarnation: u32,
    pub attachment: Attachment,
    /// The moment of the last use.
    pub used_at: Timestamp,
}

impl World {
    /// Adds an open tab. Its attach was requested at `asked_at`.
    pub fn add_tab(self: &Arc<Self>, tab: Tab, asked_at: Timestamp) {
        let use_of = (asked_at, self.recorder.now());
        self.uses.lock().entry(tab.id).or_default().push(use_of);
        self.tabs.lock().push(tab);
        self.check_tabs();
    }

    /// A person uses a tab.
    pub fn use_tab(&self, which: usize) {
        let now = self.recorder.now();
        let mut tabs = self.tabs.lock();
        let count = tabs.len();
        if count > 0 {
            let tab = &mut tabs[which % count];
            tab.attachment.last_use.touch();
            tab.used_at = now;
            self.uses.lock().entry(tab.id).or_default().push((now, now));
        }
    }

    /// A person closes a tab. Returns its session.
    pub fn close_tab(&self, which: usize) -> Option<SessionId> {
        let mut tabs = self.tabs.lock();
        let count = tabs.len();
        let tab = (count > 0).then(|| tabs.remove(which % count))?;
        drop(tabs);
        Some(tab.id)
    }

    /// Removes the tabs that were closed: by the server, by a crash of the node, or because the
    /// application ended. Checks that the others may be open.
    pub fn check_tabs(&self) {
        let mut open = Vec::new();
        let tabs = std::mem::take(&mut *self.tabs.lock());
        for mut tab in tabs {
            if self.incarnation(tab.node) != Some(tab.incarnation) {
                continue;
            }
            match tab.attachment.closed.try_recv() {
                Err(TryRecvError::Empty) => {}
                Ok(why) => {
                    let name = self.rows().name(tab.id);
                    self.recorder.note(format_args!("  tab of s{name} closed: {why:?}"));
                    drop(tab);
                    continue;
                }
                Err(TryRecvError::Closed) => {
                    drop(tab);
                    continue;
                }
            }
            let session = self.rows().get(tab.id);
            self.check_open_tab(&tab, session.as_ref());
            // A tab of an ended session stays here even if its application ended: the server must
            // close it.
            if session.is_some_and(|session| session.status == Status::Expired || self.runs(&session)) {
                open.push(tab);
            } else {
                drop(tab);
            }
        }
        self.tabs.lock().append(&mut open);
    }

    fn check_open_tab(&self, tab: &Tab, session: Option<&Session>) {
        let name = self.rows().name(tab.id);
        let answered = self.expired.lock().get(&tab.id).cloned().unwrap_or_default();
        if answered.contains(&tab.node) {
            self.recorder.violated(
                Rule::NoTabAfterExpire,
                format_args!("s{name} is open on node {} after the answer", tab.node),
            );
        }
        let quiet = self.quiet_for() > TOLERANCE;
        if quiet && self.rows().over_for(tab.id).is_some_and(|since| since > TOLERANCE) {
            self.recorder.violated(
                Rule::NoTabAfterExpire,
                format_args!("s{name} is still open on node {}", tab.node),
            );
        }
        let late = TimeDelta::from_std(TOLERANCE).unwrap_or_default();
        if let Some(limit) = session.and_then(|session| session.policy.idle_seconds)
            && quiet
            && self.recorder.now() > tab.used_at + TimeDelta::seconds(limit.get().into()) + late
        {
            self.recorder
                .violated(Rule::IdleLate, format_args!("s{name}, last used at {}", tab.used_at));
        }
    }

    /// Checks every session while there are no faults: “connected” agrees with the tabs, and no
    /// deadline is overdue.
    pub fn check_sessions(&self) {
        let quiet = self.quiet_for();
        let open: BTreeSet<_> = self.tabs.lock().iter().map(|tab| tab.id).collect();
        let now = Instant::now();
        for session in self.rows().all() {
            let mut mismatched = self.mismatched.lock();
            if session.connected() == open.contains(&session.id) {
                mismatched.remove(&session.id);
            } else {
                let (since, allowed) = *mismatched
                    .entry(session.id)
                    .or_insert((now, if quiet > GRACE { GRACE } else { SETTLE_TIME }));
                if now - since > allowed && quiet > allowed {
                    let name = self.rows().name(session.id);
                    self.recorder.violated(
                        Rule::ConnectedIsTrue,
                        format_args!("s{name}: connected is {}", session.connected()),
                    );
                }
            }
            drop(mismatched);
            self.check_deadline(&session, quiet);
        }
    }

    fn check_deadline(&self, session: &Session, quiet: Duration) {
        let late = TimeDelta::from_std(TOLERANCE).unwrap_or_default();
        if let Some((due, timer)) = due(session)
            && quiet > TOLERANCE
            && self.recorder.now() > due + late
        {
            let name = self.rows().name(session.id);
            self.recorder
                .violated(Rule::TimerLate, format_args!("s{name}: {timer} was due at {due}"));
        }
    }
}

/// The next deadline of a session. This repeats docs/spec.md §5 on purpose, independently of
/// `session::lifecycle`.
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
