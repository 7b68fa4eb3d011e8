//! The rules: the sentences of docs/spec.md §5 (and of §4 and issue 4, where these say more), each with
//! a name. The comment of a rule names the module that checks it.

/// A rule that a run may break.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// `row_invariants`, `event_history`
    Edges,
    /// `row_invariants`, `event_history`
    ExpiredIsFinal,
    /// `row_invariants`, `event_history`
    ConnectedIsActive,
    /// `row_invariants`
    ExpiredHasNoAccess,
    /// `tabs`
    NoTabAfterExpire,
    /// `answers`
    AnsweredIsKept,
    /// `answers`, `event_history`
    OneExpire,
    /// `row_invariants`
    Seats,
    /// `row_invariants`
    OneLive,
    /// `row_invariants`
    LaunchAllowed,
    /// `row_invariants`
    RelaunchBlocked,
    /// `event_history`
    AtMostOnce,
    /// `event_history`
    RefusalKept,
    /// `event_history`
    OneEvent,
    /// `event_history`
    Chain,
    /// `row_invariants`
    PurgeEarly,
    /// `quiescence`
    PurgeLate,
    /// `event_history`
    TimerEarly,
    /// `tabs`
    TimerLate,
    /// `event_history`
    TimerOutOfPlace,
    /// `tabs`
    IdleLate,
    /// `tabs`
    ConnectedIsTrue,
    /// `answers`
    Snapshot,
    /// `row_invariants`
    OneSweep,
    /// `quiescence`
    NoOrphan,
    /// `quiescence`
    NoGhost,
    /// `quiescence`
    Teardown,
    /// `quiescence`
    Replica,
    /// `answers`
    EndedWithCause,
}

impl Rule {
    /// The sentence of the specification.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Edges => "§5: Status is one of four; only these edges exist.",
            Self::ExpiredIsFinal => "§5: Nothing leaves Expired.",
            Self::ConnectedIsActive => "§5: connected ⇒ Active.",
            Self::ExpiredHasNoAccess => {
                "§5: Expired ⇒ no attachment, valid until ≤ end; status, access epoch + 1 and end are one commit."
            }
            Self::NoTabAfterExpire => {
                "§1, §5: expire: commit → close the tabs → answer; no tab keeps it open, none opens it again."
            }
            Self::AnsweredIsKept => "§5: An acknowledged expire (or launch) survives kill -9 and power loss.",
            Self::OneExpire => "§5: N concurrent expires ⇒ one transition, one event, N successes.",
            Self::Seats => "§5: Seats are never exceeded, on any number of nodes.",
            Self::OneLive => "§5: the user already has a live session of that application: resumed, no second row.",
            Self::LaunchAllowed => "§5: launch accepted: environment open, user allowed.",
            Self::RelaunchBlocked => "Issue 4: expire and block relaunch for 15 minutes.",
            Self::AtMostOnce => "§5: An unacknowledged request happened at most once; one that wrote nothing says so.",
            Self::RefusalKept => "§5: A refused launch is stored as a denial with its reason.",
            Self::OneEvent => "§5: Each change and its event are one transaction.",
            Self::Chain => "Issue 4: events: append-only, hash-chained.",
            Self::PurgeEarly => "§5: Purge is never early: 48 h after the end, and teardown confirmed or given up.",
            Self::PurgeLate => "§5: Purge is at most 60 s late.",
            Self::TimerEarly => {
                "§5: never connected, idle, disconnected too long, valid until: never before their moment."
            }
            Self::TimerLate => "§5: a timer acts at its moment (within 3 s, when nothing else is wrong).",
            Self::TimerOutOfPlace => {
                "§5: a timer ends only sessions in its state: Pending for start, no tab for disconnected."
            }
            Self::IdleLate => "§5: idle → disconnect. Admin actions never count as user activity.",
            Self::ConnectedIsTrue => "§4: Connected: open in a browser tab right now.",
            Self::Snapshot => "§5: Every list is one consistent snapshot.",
            Self::OneSweep => "§5: One sweep per 30 s whatever the number of admins and nodes.",
            Self::NoOrphan => "Issue 4: environment runs what the log calls ended → stopped.",
            Self::NoGhost => "Issue 4: log says Active, environment has nothing → Error; what runs is Active.",
            Self::Teardown => "§5: teardown by the environment, retried with back-off until confirmed.",
            Self::Replica => "Every node shows what the log says.",
            Self::EndedWithCause => "§5: user blocked, environment closed: their sessions end, at once.",
        }
    }
}
