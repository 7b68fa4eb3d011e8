//! What is done to the world, one step after the other: drawn from the seed beforehand, so that steps can be left out.

use std::time::Duration;

use super::{dice::Dice, weather::Sky, wire::Fuse};

/// Numbers choose among what there is when the step comes: the session so many launches ago, an open tab, a node, a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// A student launches, as often at once.
    Launch {
        who: usize,
        what: usize,
        node: usize,
        times: u32,
    },
    /// The session's user opens it in a tab, unless they hang up after so long.
    Open { which: usize, hangs_up: Option<Duration> },
    /// The session's user opens it in a tab whose connection breaks just when it is let in.
    OpenInVain { which: usize },
    /// The session's user opens it, and a moment later the administrator expires it.
    Race { which: usize, node: usize, after: Duration },
    /// Somebody uses a tab.
    Use { which: usize },
    /// Somebody closes a tab.
    Close { which: usize },
    /// Somebody reloads a tab: it is closed, and after a while opened again.
    Reload { which: usize, after: Duration },
    /// The user ends the session.
    End { which: usize, node: usize },
    /// The administrator expires it, as often at once on different nodes.
    Expire {
        which: usize,
        node: usize,
        times: usize,
        block: bool,
    },
    /// The administrator expires what was launched last, so many.
    Batch { many: usize, node: usize, block: bool },
    /// The administrator expires what they saw.
    ExpireSeen { which: usize, node: usize },
    /// The administrator no longer waits for the environment.
    GiveUp { which: usize, node: usize },
    /// The administrator refreshes.
    Refresh { node: usize },
    /// The administrator looks at the list and at a session.
    Look { which: usize, node: usize },
    /// Somebody is blocked, or let in again.
    Block { who: usize, node: usize, blocked: bool },
    /// Somebody is removed.
    Remove { who: usize, node: usize },
    /// An application is opened, closed or withdrawn.
    AdmitApplication { what: usize, node: usize, to: usize },
    /// An environment is opened, closed or ended.
    AdmitEnvironment { place: usize, node: usize, to: usize },
    /// Some time passes.
    Wait(Duration),
    /// Much time passes at once.
    Leap(Duration),
    /// The weather changes.
    Weather(Sky),
    /// A node dies.
    Crash { node: usize },
    /// A node dies at its next write.
    CrashAtWrite { node: usize, fuse: Fuse },
    /// A node is stopped and started.
    Restart { node: usize },
    /// A node stands still.
    Freeze { node: usize, time: Duration },
    /// A node hears no news.
    Deafen { node: usize, time: Duration },
    /// An application ends without a word.
    Vanish { which: usize },
    /// An application ends with one: crashed, or closed by its user.
    Finish { which: usize, crashed: bool },
    /// An environment answers nothing, or does again.
    Unreachable { node: usize, place: usize, is: bool },
    /// An environment stops nothing, or does again.
    NeverStops { node: usize, place: usize, is: bool },
}

/// A deed, and how long it is until the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    pub deed: Deed,
    pub pause: Duration,
}

/// The steps of a seed, always the same.
pub fn draw(seed: u64, nodes: usize) -> Vec<Step> {
    let mut dice = Dice::new(seed, 0);
    let many = 40 + dice.small(50);
    // Half of all worlds have a calm life: there, whatever is late or missing is a fault.
    let rough = dice.percent(50);
    (0..many)
        .map(|_| Step {
            deed: deed(&mut dice, nodes, rough),
            pause: pause(&mut dice),
        })
        .collect()
}

fn pause(dice: &mut Dice) -> Duration {
    // Never none: ids are drawn from the time, and in their order.
    let most = dice.pick(&[3, 3, 20, 20, 200, 1_000]);
    Duration::from_millis(1) + dice.millis(most)
}

fn deed(dice: &mut Dice, nodes: usize, rough: bool) -> Deed {
    let end = if rough { 145 } else { 100 };
    let node = dice.small(nodes);
    let which = dice.small(4);
    match dice.below(end) {
        0..20 => Deed::Launch {
            who: dice.small(4),
            what: dice.pick(&[0, 0, 1, 2]),
            node,
            times: dice.pick(&[1, 1, 1, 2]),
        },
        20..38 => Deed::Open {
            which,
            hangs_up: dice.percent(15).then(|| dice.millis(60)),
        },
        38..40 => Deed::OpenInVain { which },
        40..42 => Deed::Race {
            which,
            node,
            after: dice.millis(45),
        },
        42..44 => Deed::Use { which },
        44..48 => Deed::Close { which },
        48..51 => Deed::Reload {
            which,
            after: dice.millis(3_000),
        },
        51..53 => Deed::End { which, node },
        53..60 => Deed::Expire {
            which,
            node,
            times: dice.pick(&[1, 1, 3]),
            block: dice.percent(30),
        },
        60..62 => Deed::Batch {
            many: 1 + dice.small(5),
            node,
            block: dice.percent(20),
        },
        62..64 => Deed::ExpireSeen { which, node },
        64..65 => Deed::GiveUp { which, node },
        65..68 => Deed::Refresh { node },
        68..72 => Deed::Look { which, node },
        72..74 => Deed::Block {
            who: dice.small(4),
            node,
            blocked: dice.percent(60),
        },
        74..75 => match dice.below(4) {
            0 => Deed::Remove {
                who: dice.small(4),
                node,
            },
            _ => Deed::Block {
                who: dice.small(4),
                node,
                blocked: false,
            },
        },
        75..77 => Deed::AdmitApplication {
            what: dice.small(3),
            node,
            to: dice.pick(&[0, 0, 1, 2]),
        },
        77..79 => Deed::AdmitEnvironment {
            place: dice.small(2),
            node,
            to: dice.pick(&[0, 0, 1, 2]),
        },
        79..88 => Deed::Wait(dice.millis(3_000)),
        // With it, that a tab is closed is nobody's doing but the expire's.
        88..89 => Deed::NeverStops {
            node,
            place: dice.small(2),
            is: dice.percent(70),
        },
        89..98 => Deed::Leap(Duration::from_secs(dice.pick(&[
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
        98..100 => Deed::Finish {
            which,
            crashed: dice.percent(50),
        },
        wrong => trouble(dice, wrong - 100, (node, which)),
    }
}

fn trouble(dice: &mut Dice, kind: u64, (node, which): (usize, usize)) -> Deed {
    let place = dice.small(2);
    match kind {
        0..12 => Deed::Weather(Sky::draw(dice)),
        12..16 => Deed::Crash { node },
        16..24 => Deed::CrashAtWrite {
            node,
            fuse: dice.pick(&[Fuse::BeforeCommit, Fuse::AfterCommit, Fuse::AfterCommit, Fuse::Disk]),
        },
        24..26 => Deed::Restart { node },
        26..30 => Deed::Freeze {
            node,
            time: dice.millis(20_000),
        },
        30..33 => Deed::Deafen {
            node,
            time: dice.millis(20_000),
        },
        33..36 => Deed::Vanish { which },
        36..39 => Deed::Finish {
            which,
            crashed: dice.percent(50),
        },
        39..42 => Deed::Unreachable {
            node,
            place,
            is: dice.percent(50),
        },
        _ => Deed::NeverStops {
            node,
            place,
            is: dice.percent(50),
        },
    }
}
