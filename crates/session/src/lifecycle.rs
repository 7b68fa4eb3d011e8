//! The life of a session: the only edges that exist, and the only place that knows them.
//!
//! [`verdict`] is the table: what each status makes of each command. [`step`] applies one command. [`due`] says which
//! command the passing of time itself gives. **Expired is final**: no arm of [`verdict`] leads out of it, and the test
//! `nothing_leaves_expired` tries every command.

use std::sync::Arc;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use crate::{Actor, BatchId, End, EndReason, EventKind, Session, Status, Teardown, Timestamp, policy::Limit};

/// How long a relaunch is blocked where an administrator asks for it with an expire: 15 min.
pub const BLOCK_SECONDS: i64 = 15 * 60;
/// Closing takes a moment. After this long an administrator should know of it.
const CLOSING_SECONDS: i64 = 60;
/// How long an ended session stays in the list: 48 h (docs/spec.md §5).
pub const KEPT_SECONDS: i64 = 48 * 3600;

/// What an administrator saw when deciding; given back so that a decision made on stale facts can be refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Status on the screen.
    pub status: Status,
    /// "Connected" on the screen.
    pub connected: bool,
}

/// What can be done to a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// The environment says that it can be connected to.
    Ready,
    /// It failed to start, was not ready in time, or was lost. The text is for people.
    Fail(Arc<str>),
    /// A tab opened it, authorised under this access epoch.
    Attach {
        /// [`Session::access_epoch`] at authorisation.
        epoch: u32,
    },
    /// Its last tab left.
    Detach,
    /// Nobody has used its tab for too long: it is closed, and can be opened again.
    Idle,
    /// End access for good.
    Expire {
        /// Why.
        reason: EndReason,
        /// What the administrator wrote for the user.
        note: Option<Arc<str>>,
        /// What the decision was based on; `None` = expire whatever it is.
        seen: Option<Seen>,
        /// The batch that it was expired in.
        batch: Option<BatchId>,
        /// Keep its user from launching the application again for [`BLOCK_SECONDS`].
        block: bool,
    },
    /// The environment says that nothing of it is left.
    TornDown,
    /// An administrator no longer waits for the environment to close it.
    GiveUp,
    /// Time passes: what is [`due`], if that is still so.
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
    /// Every verb.
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
    /// Ends access whatever the session is, without a word of an administrator.
    pub const fn expire(reason: EndReason) -> Self {
        Self::Expire {
            reason,
            note: None,
            seen: None,
            batch: None,
            block: false,
        }
    }

    /// Which column of the table it is; `None` where the session itself says which.
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

/// What a status makes of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is done, and the session then has this status.
    To(Status),
    /// It is already so, or no longer matters: success, and nothing changes.
    Nothing,
    /// It is refused; the text is for people.
    Refused(&'static str),
}

/// The table: every status and every command. The page's disabled buttons and the API's refusals come from here.
pub const fn verdict(status: Status, verb: Verb) -> Verdict {
    use Status::{Active, Error, Expired, Pending};
    use Verdict::{Nothing, Refused, To};
    match (status, verb) {
        (Pending, Verb::Ready) => To(Active),
        (Pending | Active, Verb::Fail) => To(Error),
        (Active, Verb::Attach | Verb::Detach | Verb::Idle) => To(Active),
        (Pending | Active | Error, Verb::Expire) => To(Expired),
        (Expired, Verb::TornDown | Verb::GiveUp) => To(Expired),

        // A late word from the environment about a session that has moved on.
        (Active | Error | Expired, Verb::Ready) | (Error | Expired, Verb::Fail) => Nothing,
        (Pending | Error | Expired, Verb::Detach | Verb::Idle) => Nothing,
        (Expired, Verb::Expire) => Nothing,

        (Pending, Verb::Attach) => Refused("The session is still starting."),
        (Error, Verb::Attach) => Refused("The session is in Error and can't be opened."),
        (Expired, Verb::Attach) => Refused("The session has ended."),
        (Pending | Active | Error, Verb::TornDown | Verb::GiveUp) => Refused("The session has not ended."),
    }
}

/// Why a command was not carried out. Nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Refusal {
    /// The status does not allow it.
    Status {
        /// The status it has.
        status: Status,
    },
    /// The session changed in a way that matters since the decision was made.
    Changed,
    /// Authorised under an access epoch that is over.
    OldEpoch,
}

/// The outcome of a command that was carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transition {
    /// The session as it is now.
    pub session: Session,
    /// What to write into the log; `None` = nothing changed.
    pub event: Option<EventKind>,
}

/// Applies `command` at `now`. Pure: the same arguments give the same answer.
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

/// What the passing of time does to a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Timer {
    /// Not ready in time: Error.
    Start,
    /// Nobody opened it: expired.
    NeverConnected,
    /// Nobody has used its tab for too long: disconnected.
    Idle,
    /// No tab has had it open for too long: expired.
    Disconnected,
    /// "Valid until" is reached: expired.
    ValidUntil,
}

impl Timer {
    /// What it does when it is reached.
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

/// The next moment at which time itself does something to the session, and what. `None` once it has ended.
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

/// May it be removed from the list at `now`? Never early: 48 h after the end, and the environment has closed it, or an
/// administrator has given that up.
pub fn purgeable(session: &Session, now: Timestamp) -> bool {
    matches!(session.teardown, Teardown::Confirmed | Teardown::GivenUp)
        && session
            .end
            .as_ref()
            .is_some_and(|end| end.at + TimeDelta::seconds(KEPT_SECONDS) <= now)
}

/// Has the environment had long enough to close a session that it has yet to close?
pub fn is_overdue(ended_at: Option<Timestamp>, now: Timestamp) -> bool {
    ended_at.is_some_and(|ended_at| now - ended_at >= TimeDelta::seconds(CLOSING_SECONDS))
}

/// Did it change, since it was seen, in a way that could change the mind of who wants to expire it? That it has ended
/// meanwhile could not: expiring again is harmless.
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
