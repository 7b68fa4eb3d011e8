//! The steps of a run. They are generated from the seed before the run, so that a run can leave out
//! the last ones.

use std::time::Duration;

use super::{crash_switch::CrashPoint, faults::FaultRates, rng::Rng};

/// An action of a person, of an application, or a fault. A number selects among the objects at that
/// moment: the session that many launches ago, an open tab, a node, a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// A student launches an application, this many times at once.
    Launch {
        who: usize,
        what: usize,
        node: usize,
        times: u32,
    },
    /// The user opens a session in a tab, and may hang up during the attach.
    Open { which: usize, hangs_up: Option<Duration> },
    /// The user opens a session in a tab whose connection breaks at the end of the attach.
    OpenAndHangUp { which: usize },
    /// The user opens a session, and a moment later the administrator expires it.
    OpenThenExpire { which: usize, node: usize, after: Duration },
    /// A person uses a tab.
    Use { which: usize },
    /// A person closes a tab.
    Close { which: usize },
    /// A person reloads a tab: it closes and opens again later.
    Reload { which: usize, after: Duration },
    /// The user ends a session.
    End { which: usize, node: usize },
    /// The administrator expires a session, this many times at once on different nodes.
    Expire {
        which: usize,
        node: usize,
        times: usize,
        block: bool,
    },
    /// The administrator expires the newest sessions, this many, in one batch.
    Batch { many: usize, node: usize, block: bool },
    /// The administrator expires a session if it is still as the list showed it.
    ExpireSeen { which: usize, node: usize },
    /// The administrator gives up the cleanup of a session.
    GiveUp { which: usize, node: usize },
    /// The administrator presses *Refresh*.
    RequestSweep { node: usize },
    /// The administrator reads the list and a session's details.
    Read { which: usize, node: usize },
    /// The administrator blocks or unblocks a student.
    Block { who: usize, node: usize, blocked: bool },
    /// The administrator removes a student.
    Remove { who: usize, node: usize },
    /// The administrator opens or closes an application, or closes it and ends its sessions.
    SetApplicationLaunches { what: usize, node: usize, to: usize },
    /// The administrator opens or closes an environment, or closes it and ends its sessions.
    SetEnvironmentLaunches { environment: usize, node: usize, to: usize },
    /// Time passes; all tasks run.
    Wait(Duration),
    /// Time jumps forward at once.
    FastForward(Duration),
    /// The fault rates change.
    SetFaults(FaultRates),
    /// A node crashes.
    Crash { node: usize },
    /// A node crashes at its next write.
    CrashAtWrite { node: usize, point: CrashPoint },
    /// A node is shut down and started again.
    Restart { node: usize },
    /// A node freezes for a time.
    Freeze { node: usize, time: Duration },
    /// A node gets no notifications for a time.
    DropNotifications { node: usize, time: Duration },
    /// An application ends without a signal.
    KillApplication { which: usize },
    /// An application ends with a signal: it crashed, or its user closed it.
    ExitApplication { which: usize, crashed: bool },
    /// An environment becomes unreachable, or reachable again.
    Unreachable { node: usize, environment: usize, is: bool },
    /// An environment fails every stop, or works again.
    NeverStops { node: usize, environment: usize, is: bool },
}

/// An action, and the pause before the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    pub action: Action,
    pub pause: Duration,
}

/// The steps of a seed. The same seed gives the same steps.
pub fn generate(seed: u64, nodes: usize) -> Vec<Step> {
    let mut rng = Rng::new(seed, 0);
    let many = 40 + rng.small(50);
    // Half of all runs are calm: there, every delay or loss breaks a rule.
    let rough = rng.percent(50);
    (0..many)
        .map(|_| Step {
            action: action(&mut rng, nodes, rough),
            pause: pause(&mut rng),
        })
        .collect()
}

fn pause(rng: &mut Rng) -> Duration {
    // Never zero: ids sort by time, so two launches must differ in time.
    let most = rng.pick(&[3, 3, 20, 20, 200, 1_000]);
    Duration::from_millis(1) + rng.millis(most)
}

fn action(rng: &mut Rng, nodes: usize, rough: bool) -> Action {
    let end = if rough { 145 } else { 100 };
    let node = rng.small(nodes);
    let which = rng.small(4);
    match rng.below(end) {
        0..20 => Action::Launch {
            who: rng.small(4),
            what: rng.pick(&[0, 0, 1, 2]),
            node,
            times: rng.pick(&[1, 1, 1, 2]),
        },
        20..38 => Action::Open {
            which,
            hangs_up: rng.percent(15).then(|| rng.millis(60)),
        },
        38..40 => Action::OpenAndHangUp { which },
        40..42 => Action::OpenThenExpire {
            which,
            node,
            after: rng.millis(45),
        },
        42..44 => Action::Use { which },
        44..48 => Action::Close { which },
        48..51 => Action::Reload {
            which,
            after: rng.millis(3_000),
        },
        51..53 => Action::End { which, node },
        53..60 => Action::Expire {
            which,
            node,
            times: rng.pick(&[1, 1, 3]),
            block: rng.percent(30),
        },
        60..62 => Action::Batch {
            many: 1 + rng.small(5),
            node,
            block: rng.percent(20),
        },
        62..64 => Action::ExpireSeen { which, node },
        64..65 => Action::GiveUp { which, node },
        65..68 => Action::RequestSweep { node },
        68..72 => Action::Read { which, node },
        72..74 => Action::Block {
            who: rng.small(4),
            node,
            blocked: rng.percent(60),
        },
        74..75 => match rng.below(4) {
            0 => Action::Remove {
                who: rng.small(4),
                node,
            },
            _ => Action::Block {
                who: rng.small(4),
                node,
                blocked: false,
            },
        },
        75..77 => Action::SetApplicationLaunches {
            what: rng.small(3),
            node,
            to: rng.pick(&[0, 0, 1, 2]),
        },
        77..79 => Action::SetEnvironmentLaunches {
            environment: rng.small(2),
            node,
            to: rng.pick(&[0, 0, 1, 2]),
        },
        79..88 => Action::Wait(rng.millis(3_000)),
        // While the application keeps running, only the expire itself can close the tab.
        88..89 => Action::NeverStops {
            node,
            environment: rng.small(2),
            is: rng.percent(70),
        },
        89..98 => Action::FastForward(Duration::from_secs(rng.pick(&[
            5,
            10,
            14,
            16,
            20,
            29,
            31,
            41,
            100,
            170,
            310,
            610,
            910,
            1_810,
            8 * 3600,
            47 * 3600,
        ]))),
        98..100 => Action::ExitApplication {
            which,
            crashed: rng.percent(50),
        },
        wrong => fault(rng, wrong - 100, (node, which)),
    }
}

fn fault(rng: &mut Rng, kind: u64, (node, which): (usize, usize)) -> Action {
    let environment = rng.small(2);
    match kind {
        0..12 => Action::SetFaults(FaultRates::random(rng)),
        12..16 => Action::Crash { node },
        16..24 => Action::CrashAtWrite {
            node,
            point: rng.pick(&[
                CrashPoint::BeforeCommit,
                CrashPoint::AfterCommit,
                CrashPoint::AfterCommit,
                CrashPoint::Disk,
            ]),
        },
        24..26 => Action::Restart { node },
        26..30 => Action::Freeze {
            node,
            time: rng.millis(20_000),
        },
        30..33 => Action::DropNotifications {
            node,
            time: rng.millis(20_000),
        },
        33..36 => Action::KillApplication { which },
        36..39 => Action::ExitApplication {
            which,
            crashed: rng.percent(50),
        },
        39..42 => Action::Unreachable {
            node,
            environment,
            is: rng.percent(50),
        },
        _ => Action::NeverStops {
            node,
            environment,
            is: rng.percent(50),
        },
    }
}
