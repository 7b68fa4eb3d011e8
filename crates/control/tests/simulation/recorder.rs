//! The recorder of a run: its virtual time, its log, and the first broken rule.

use std::fmt::Display;

use chrono::TimeDelta;
use control::Clock;
use parking_lot::Mutex;
use session::Timestamp;
use tokio::time::{Duration, Instant};

use super::rules::Rule;

/// The start of virtual time, in seconds since the epoch.
const START: i64 = 1_800_000_000;

/// The recorder of one run. It is also the clock, which follows the runtime's virtual time.
pub struct Recorder {
    began: Instant,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    log: Vec<String>,
    violation: Option<(Rule, String)>,
}

impl Recorder {
    /// An empty log. Virtual time begins now.
    pub fn new() -> Self {
        Self {
            began: Instant::now(),
            state: Mutex::default(),
        }
    }

    /// The virtual time since the start.
    pub fn passed(&self) -> Duration {
        self.began.elapsed()
    }

    /// Adds a line to the log.
    pub fn note(&self, what: impl Display) {
        let line = format!("{:>12.3} {what}", self.passed().as_secs_f64());
        self.state.lock().log.push(line);
    }

    /// Records a broken rule. Only the first one is reported.
    pub fn violated(&self, rule: Rule, how: impl Display) {
        self.note(format_args!("BROKEN {rule:?}: {how}"));
        self.state
            .lock()
            .violation
            .get_or_insert_with(|| (rule, how.to_string()));
    }

    /// The first broken rule.
    pub fn violation(&self) -> Option<(Rule, String)> {
        self.state.lock().violation.clone()
    }

    /// The whole log.
    pub fn log(&self) -> String {
        self.state.lock().log.join("\n")
    }
}

impl Clock for Recorder {
    fn now(&self) -> Timestamp {
        let passed = TimeDelta::from_std(self.passed()).unwrap_or_default();
        Timestamp::from_timestamp(START, 0).unwrap_or_default() + passed
    }
}
