//! A deterministic simulation of one to three nodes in virtual time, with fault injection.
//!
//! Students, administrators and timers act while nodes crash, the store and the environments fail,
//! and answers are lost. After each step, and again when the faults have stopped, the test checks
//! every rule of docs/spec.md §5 (`rules.rs`). docs/simulation.md describes the clock, the faults, the
//! actions, the invariants, and the replay of a seed.
//!
//! The simulation runs the real `Control` over the memory model of the store. All random choices
//! come from the seed. Only the order in which the runtime wakes several waiters is not: a seed
//! nearly always gives the same run. If a rule is broken, the test prints the seed, the shortest
//! beginning of its steps that still breaks the rule, and the log of that run. Add the seed to
//! [`FAILED_SEEDS`]: the test then runs it first.
//!
//! `CLOUD_DELIVERY_SIMULATIONS=20000` runs that many seeds, `CLOUD_DELIVERY_SIMULATION=7` only seed
//! 7.

#![expect(clippy::unwrap_used, reason = "a test: a panic is how it reports")]

mod actions;
mod answers;
mod crash_switch;
mod event_history;
mod faults;
mod faulty_environment;
mod faulty_store;
mod quiescence;
mod recorder;
mod rng;
mod row_invariants;
mod rules;
mod seed_data;
mod steps;
mod tabs;
mod world;

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::Duration,
};

use parking_lot::Mutex;
use tokio::{runtime::Builder, time::sleep};

use faults::FaultRates;
use rng::Rng;
use rules::Rule;
use steps::Step;
use world::World;

/// Seeds that once broke a rule.
const FAILED_SEEDS: [u64; 1] = [851];
/// The default number of seeds.
const SEEDS: u64 = 2_000;

/// The result of one run.
struct RunResult {
    violation: Option<(Rule, String)>,
    log: String,
    /// The number of steps that ran.
    steps: usize,
}

#[test]
fn no_seed_breaks_a_rule() {
    let seeds = match number("CLOUD_DELIVERY_SIMULATION") {
        Some(only) => vec![only],
        None => {
            let many = number("CLOUD_DELIVERY_SIMULATIONS").unwrap_or(SEEDS);
            FAILED_SEEDS.into_iter().chain(0..many).collect()
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
                    let end = run(*seed, &steps_for(*seed));
                    if end.violation.is_some() {
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
    reason = "the environment sets the number of seeds, as for the torture tests"
)]
fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn node_count(seed: u64) -> usize {
    // Half of all runs have one node, as most installations do.
    match seed % 6 {
        0..3 => 1,
        3..5 => 2,
        _ => 3,
    }
}

fn steps_for(seed: u64) -> Vec<Step> {
    steps::generate(seed, node_count(seed))
}

/// Runs these steps of a seed.
fn run(seed: u64, steps: &[Step]) -> RunResult {
    let runtime = Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        // The runtime's timers count whole milliseconds from here on.
        sleep(Duration::from_millis(1)).await;
        let mut rng = Rng::new(seed, 2);
        let kills_applications = rng.percent(50);
        let down = Duration::from_millis(rng.pick(&[0, 50, 3_000, 20_000]));
        let world = World::new(seed, node_count(seed), FaultRates::CALM).await;
        sleep(Duration::from_secs(1)).await;
        let mut made = 0;
        for step in steps {
            made += 1;
            world.perform(step.action).await;
            sleep(step.pause).await;
            world.reap_crashed_nodes(|_| down, kills_applications);
            world.check_tabs();
            world.check_sessions();
            world.check_sweep_count();
            if world.recorder.violation().is_some() {
                break;
            }
        }
        if world.recorder.violation().is_none() {
            world.quiesce().await;
        }
        RunResult {
            violation: world.recorder.violation(),
            log: world.recorder.log(),
            steps: made,
        }
    })
}

/// The report of a seed that breaks a rule, with the shortest beginning of its steps that still
/// does.
fn report(seed: u64, end: RunResult) -> String {
    let steps = steps_for(seed);
    let rule = end.violation.as_ref().map(|(rule, _)| *rule);
    let (mut shortest, mut size) = (end, steps.len() / 2);
    while size > 0 {
        let fewer = &steps[..shortest.steps.saturating_sub(size)];
        let end = run(seed, fewer);
        if end.violation.as_ref().map(|(rule, _)| *rule) == rule && end.steps < shortest.steps {
            shortest = end;
        } else {
            size /= 2;
        }
    }
    let sentence = rule.map(Rule::sentence).unwrap_or_default();
    let how = shortest.violation.map(|(rule, how)| format!("{rule:?}: {how}"));
    let how = how.unwrap_or_default();
    format!(
        "seed {seed} breaks a rule with its first {} steps.\n{sentence}\n{how}\n\n{}",
        shortest.steps, shortest.log
    )
}
