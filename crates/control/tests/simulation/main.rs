//! Whole lives of sessions in virtual time: students, administrators and time itself do what they do while nodes crash, the
//! store and the environments fail and answers are lost. After each step, and when peace is made at the end, every rule of
//! docs/spec.md §5 is looked at (`rules.rs` lists them).
//!
//! What runs is the real `Control` over the model of the store. All chance comes from the seed, but for the order in which the
//! runtime wakes those who wait for the same news: a seed tells nearly always the same story. Where a rule is broken, the test prints the seed, the shortest beginning of its steps that still breaks it, and
//! what happened. Put that seed into [`FAILED`]: it is played first ever after.
//!
//! `CLOUD_DELIVERY_SIMULATIONS=20000` plays so many seeds, `CLOUD_DELIVERY_SIMULATION=7` only that one.

#![expect(clippy::unwrap_used, reason = "a test: a panic is how it reports")]

mod acts;
mod answers;
mod book;
mod dice;
mod furniture;
mod ledger;
mod line;
mod peace;
mod place;
mod rules;
mod steps;
mod story;
mod tabs;
mod weather;
mod wire;
mod world;

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::Duration,
};

use parking_lot::Mutex;
use tokio::{runtime::Builder, time::sleep};

use dice::Dice;
use rules::Rule;
use steps::Step;
use weather::Sky;
use world::World;

/// Seeds that once found something.
const FAILED: [u64; 0] = [];
/// Seeds of a run.
const SEEDS: u64 = 2_000;

/// How a simulation ended.
struct End {
    broken: Option<(Rule, String)>,
    story: String,
    /// How many steps were made.
    steps: usize,
}

#[test]
fn no_seed_breaks_a_rule() {
    let seeds = match number("CLOUD_DELIVERY_SIMULATION") {
        Some(only) => vec![only],
        None => {
            let many = number("CLOUD_DELIVERY_SIMULATIONS").unwrap_or(SEEDS);
            FAILED.into_iter().chain(0..many).collect()
        }
    };
    let (next, first) = (AtomicUsize::new(0), Mutex::new(None));
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let turn = next.fetch_add(1, Ordering::Relaxed);
                    let Some(seed) = seeds.get(turn).filter(|_| first.lock().is_none()) else {
                        return;
                    };
                    let end = play(*seed, &steps_of(*seed));
                    if end.broken.is_some() {
                        first.lock().get_or_insert((*seed, end));
                    }
                }
            });
        }
    });
    if let Some((seed, end)) = first.into_inner() {
        panic!("{}", report(seed, end));
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long it plays is said from outside, as with the torture"
)]
fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn nodes_of(seed: u64) -> usize {
    // Half of all worlds have one node, as most houses do.
    match seed % 6 {
        0..3 => 1,
        3..5 => 2,
        _ => 3,
    }
}

fn steps_of(seed: u64) -> Vec<Step> {
    steps::draw(seed, nodes_of(seed))
}

/// Plays these steps of a seed.
fn play(seed: u64, steps: &[Step]) -> End {
    let runtime = Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        // Time is counted in whole milliseconds from here on.
        sleep(Duration::from_millis(1)).await;
        let mut dice = Dice::new(seed, 2);
        let takes_all = dice.percent(50);
        let down = Duration::from_millis(dice.pick(&[0, 50, 3_000, 20_000]));
        let world = World::new(seed, nodes_of(seed), Sky::CALM).await;
        sleep(Duration::from_secs(1)).await;
        let mut made = 0;
        for step in steps {
            made += 1;
            world.act(step.deed).await;
            sleep(step.pause).await;
            world.bury(|_| down, takes_all);
            world.look_at_tabs();
            world.look_at_sessions();
            world.count_sweeps();
            if world.book.verdict().is_some() {
                break;
            }
        }
        if world.book.verdict().is_none() {
            world.make_peace().await;
        }
        End {
            broken: world.book.verdict(),
            story: world.book.story(),
            steps: made,
        }
    })
}

/// What is printed of a seed that breaks a rule: with the shortest beginning of its steps that does.
fn report(seed: u64, end: End) -> String {
    let steps = steps_of(seed);
    let rule = end.broken.as_ref().map(|(rule, _)| *rule);
    let (mut shortest, mut size) = (end, steps.len() / 2);
    while size > 0 {
        let fewer = &steps[..shortest.steps.saturating_sub(size)];
        let end = play(seed, fewer);
        if end.broken.as_ref().map(|(rule, _)| *rule) == rule && end.steps < shortest.steps {
            shortest = end;
        } else {
            size /= 2;
        }
    }
    let law = rule.map(Rule::law).unwrap_or_default();
    let how = shortest.broken.map(|(rule, how)| format!("{rule:?}: {how}"));
    let how = how.unwrap_or_default();
    format!(
        "seed {seed} breaks a rule with its first {} steps.\n{law}\n{how}\n\n{}",
        shortest.steps, shortest.story
    )
}
