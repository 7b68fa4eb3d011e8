//! The lifecycle of a session. This module alone defines the transitions.
//!
//! [`verdict`] is the table: the effect of each command in each status. [`step`] applies one
//! command. [`due`] returns the command that time itself triggers. **Expired is final**: no arm of
//! [`verdict`] leads out of it, and the test `nothing_leaves_expired` tries every command.

use std::sync::Arc;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use crate::{Actor, BatchId, End, EndReason, EventKind, Session, Status, Teardown, Timestamp, policy::Limit};

/// Seconds for which an administrator can block a relaunch: 15 min.
pub const BLOCK_SECONDS: i64 = 15 * 60;
/// Seconds after which a cleanup counts as overdue.
const CLOSING_SECONDS: i64 = 60;
/// Seconds for which an ended session stays in the list: 48 h (docs/spec.md §5).
pub const KEPT_SECONDS: i64 = 48 * 3600;

/// The state on the administrator's screen at the decision. Part of the request, so that the server
/// can refuse a decision on outdated facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Status on the screen.
    pub status: Status,
    /// "Connected" on the screen.
    pub connected: bool,
}

/// A command on a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// The environment reports the session ready for connections.
    Ready,
    /// The session failed to start, missed the start limit, or was lost. The text is for people.
    Fail(Arc<str>),
    /// A tab opens the session.
    Attach {
        /// [`Session::access_epoch`] at the time of authorisation.
        epoch: u32,
    },
    /// The last tab leaves the session.
    Detach,
    /// The tab was idle for too long. The server closes it; the user can open it again.
    Idle,
    /// End access permanently.
    Expire {
        /// Cause of the end.
        reason: EndReason,
        /// Note from the administrator to the user.
        note: Option<Arc<str>>,
        /// State that the decision was based on; `None` = expire in any state.
        seen: Option<Seen>,
        /// Batch that the expire belongs to.
        batch: Option<BatchId>,
        /// Whether to block its user from relaunching the application for [`BLOCK_SECONDS`].
        block: bool,
    },
    /// The environment reports the session completely closed.
    TornDown,
    /// An administrator stops waiting for the environment to close the session.
    GiveUp,
    /// Time passes: apply the command that is [`due`], if any.
    Due,
}

/// A command without its data: a column of the table in [`verdict`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// See [`Command::Ready`].
    Ready,
    /// See [`Command::Fail`].
    Fail,
    /// See [`Command::Attach`].
    Attach,
    /// See [`Command::Detach`].
    Detach,
    /// See [`Command::Idle`].
    Idle,
    /// See [`Command::Expire`].
    Expire,
    /// See [`Command::TornDown`].
    TornDown,
    /// See [`Command::GiveUp`].
    GiveUp,
}

impl Verb {
    /// All verbs, in the order of the enum.
    pub const ALL: [Self; 8] = [
        Self::Ready,
        Self::Fail,
        Self::Attach,
        Self::Detach,
        Self::Idle,
        Self::Expire,
        Self::TornDown,
        Self::GiveUp,
    ];
}

impl Command {
    /// Ends access in any status, without an administrator's note.
    pub const fn expire(reason: EndReason) -> Self {
        Self::Expire {
            reason,
            note: None,
            seen: None,
            batch: None,
            block: false,
        }
    }

    /// The column of the table; `None` for [`Command::Due`], which depends on the session.
    pub const fn verb(&self) -> Option<Verb> {
        Some(match self {
            Self::Ready => Verb::Ready,
            Self::Fail(_) => Verb::Fail,
            Self::Attach { .. } => Verb::Attach,
            Self::Detach => Verb::Detach,
            Self::Idle => Verb::Idle,
            Self::Expire { .. } => Verb::Expire,
            Self::TornDown => Verb::TornDown,
            Self::GiveUp => Verb::GiveUp,
            Self::Due => return None,
        })
    }
}

/// The effect of a command in a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Accepted; the session then has this status.
    To(Status),
    /// Already done or no longer relevant: success without a change.
    Nothing,
    /// Refused; the text is for people.
    Refused(&'static str),
}

/// The table of statuses and commands, the source of the page's disabled buttons and of the API's
/// refusals.
pub const fn verdict(status: Status, verb: Verb) -> Verdict {
    use Status::{Active, Error, Expired, Pending};
    use Verdict::{Nothing, Refused, To};
    match (status, verb) {
        (Pending, Verb::Ready) => To(Active),
        (Pending | Active, Verb::Fail) => To(Error),
        (Active, Verb::Attach | Verb::Detach | Verb::Idle) => To(Active),
        (Pending | Active | Error, Verb::Expire) => To(Expired),
        (Expired, Verb::TornDown | Verb::GiveUp) => To(Expired),

        // A late report from the environment about a session that has moved on.
        (Active | Error | Expired, Verb::Ready) | (Error | Expired, Verb::Fail) => Nothing,
        (Pending | Error | Expired, Verb::Detach | Verb::Idle) => Nothing,
        (Expired, Verb::Expire) => Nothing,

        (Pending, Verb::Attach) => Refused("The session is still starting."),
        (Error, Verb::Attach) => Refused("The session is in Error and can't be opened."),
        (Expired, Verb::Attach) => Refused("The session has ended."),
        (Pending | Active | Error, Verb::TornDown | Verb::GiveUp) => Refused("The session has not ended."),
    }
}

/// Reason for a refused command. The session is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Refusal {
    /// The status does not allow the command.
    Status {
        /// Status of the session when the command arrived.
        status: Status,
    },
    /// The session changed in a way that matters since the decision.
    Changed,
    /// The tab was authorised under an earlier access epoch.
    OldEpoch,
}

/// The outcome of an accepted command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transition {
    /// The session after the command.
    pub session: Session,
    /// Event for the log; `None` = no change.
    pub event: Option<EventKind>,
}

/// Applies `command` at `now`. Pure: equal arguments give equal results.
pub fn step(session: &Session, command: Command, by: &Actor, now: Timestamp) -> Result<Transition, Refusal> {
    let Some(verb) = command.verb() else {
        return due(session, now).map_or_else(|| Ok(unchanged(session)), |command| step(session, command, by, now));
    };
    let status = match verdict(session.status, verb) {
        Verdict::Nothing => return Ok(unchanged(session)),
        Verdict::Refused(_) => return Err(Refusal::Status { status: session.status }),
        Verdict::To(status) => status,
    };
    let mut next = Session {
        status,
        ..session.clone()
    };
    let event = match command {
        Command::Ready => {
            next.ready_at = Some(now);
            EventKind::Ready
        }
        Command::Fail(error) => {
            disconnect(&mut next, now);
            next.error = Some(error.clone());
            EventKind::Failed { error }
        }
        Command::Attach { epoch } if epoch != session.access_epoch => return Err(Refusal::OldEpoch),
        Command::Attach { .. } if session.connected() => return Ok(unchanged(session)),
        Command::Attach { .. } => {
            next.connected_since = Some(now);
            EventKind::Connected
        }
        Command::Detach | Command::Idle if !session.connected() => return Ok(unchanged(session)),
        Command::Detach => {
            disconnect(&mut next, now);
            EventKind::Disconnected
        }
        Command::Idle => {
            disconnect(&mut next, now);
            EventKind::Idle
        }
        Command::Expire { seen: Some(seen), .. } if matters(session, seen) => return Err(Refusal::Changed),
        Command::Expire {
            reason,
            note,
            batch,
            block,
            ..
        } => {
            disconnect(&mut next, now);
            next.access_epoch += 1;
            next.valid_until = next.valid_until.min(now);
            next.end = Some(End {
                at: now,
                by: by.label(),
                reason,
                note: note.clone(),
            });
            next.teardown = Teardown::Wanted;
            next.blocked_until = block.then(|| now + TimeDelta::seconds(BLOCK_SECONDS));
            EventKind::Expired {
                reason,
                note,
                batch,
                blocked_until: next.blocked_until,
            }
        }
        Command::TornDown if session.teardown == Teardown::Confirmed => return Ok(unchanged(session)),
        Command::TornDown => {
            next.teardown = Teardown::Confirmed;
            EventKind::TornDown
        }
        Command::GiveUp if session.teardown != Teardown::Wanted => return Ok(unchanged(session)),
        Command::GiveUp => {
            next.teardown = Teardown::GivenUp;
            EventKind::TeardownGivenUp
        }
        Command::Due => return Ok(unchanged(session)),
    };
    Ok(Transition {
        session: next,
        event: Some(event),
    })
}

/// A deadline and its effect on a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Timer {
    /// Not ready in time: Error.
    Start,
    /// Never opened: expired.
    NeverConnected,
    /// Tab idle for too long: disconnected.
    Idle,
    /// No tab for too long: expired.
    Disconnected,
    /// "Valid until" reached: expired.
    ValidUntil,
}

impl Timer {
    /// The command that the deadline triggers.
    fn command(self) -> Command {
        match self {
            Self::Start => Command::Fail("The application was not ready in time.".into()),
            Self::NeverConnected => Command::expire(EndReason::NeverConnected),
            Self::Idle => Command::Idle,
            Self::Disconnected => Command::expire(EndReason::Disconnected),
            Self::ValidUntil => Command::expire(EndReason::ValidUntil),
        }
    }
}

/// The next deadline of the session and its effect; `None` after the end.
pub fn deadline(session: &Session) -> Option<(Timestamp, Timer)> {
    let after = |from: Option<Timestamp>, limit: Limit| Some(from? + TimeDelta::seconds(i64::from(limit?.get())));
    if session.status == Status::Expired {
        return None;
    }
    let start =
        after(Some(session.started_at), session.policy.start_seconds).filter(|_| session.status == Status::Pending);
    let unattended = session.status == Status::Active && !session.connected();
    let never = after(session.ready_at, session.policy.never_connected_seconds)
        .filter(|_| unattended && session.disconnected_at.is_none());
    let left = after(session.disconnected_at, session.policy.disconnected_seconds).filter(|_| unattended);
    [
        (Some(session.valid_until), Timer::ValidUntil),
        (start, Timer::Start),
        (never, Timer::NeverConnected),
        (left, Timer::Disconnected),
    ]
    .into_iter()
    .filter_map(|(at, timer)| Some((at?, timer)))
    .min_by_key(|(at, _)| *at)
}

/// The command that is due at `now`, if any.
pub fn due(session: &Session, now: Timestamp) -> Option<Command> {
    deadline(session)
        .filter(|(at, _)| *at <= now)
        .map(|(_, timer)| timer.command())
}

/// Whether it may be removed from the list at `now`: 48 h after the end, and only once the
/// environment has closed it or an administrator has given up waiting.
pub fn purgeable(session: &Session, now: Timestamp) -> bool {
    matches!(session.teardown, Teardown::Confirmed | Teardown::GivenUp)
        && session
            .end
            .as_ref()
            .is_some_and(|end| end.at + TimeDelta::seconds(KEPT_SECONDS) <= now)
}

/// Whether the environment has had enough time to close an ended session.
pub fn is_overdue(ended_at: Option<Timestamp>, now: Timestamp) -> bool {
    ended_at.is_some_and(|ended_at| now - ended_at >= TimeDelta::seconds(CLOSING_SECONDS))
}

/// Whether the session changed in a way that could change the administrator's decision. An end does
/// not count, because expiring again is harmless.
fn matters(session: &Session, seen: Seen) -> bool {
    let came_to_life = session.status == Status::Active && seen.status != Status::Active;
    came_to_life || (session.connected() && !seen.connected)
}

fn disconnect(session: &mut Session, now: Timestamp) {
    if session.connected_since.take().is_some() {
        session.disconnected_at = Some(now);
    }
}

fn unchanged(session: &Session) -> Transition {
    Transition {
        session: session.clone(),
        event: None,
    }
}

#[cfg(test)]
mod tests;
