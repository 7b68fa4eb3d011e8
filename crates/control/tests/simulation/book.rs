//! What a simulation writes down: its time, what happened, and the first rule that was broken.

use std::fmt::Display;

use chrono::TimeDelta;
use control::Clock;
use parking_lot::Mutex;
use session::Timestamp;
use tokio::time::{Duration, Instant};

use super::rules::Rule;

/// Where virtual time begins.
const START: i64 = 1_800_000_000;

/// The book of one simulation; also its clock, which follows the runtime's virtual time.
pub struct Book {
    began: Instant,
    pages: Mutex<Pages>,
}

#[derive(Default)]
struct Pages {
    story: Vec<String>,
    broken: Option<(Rule, String)>,
}

impl Book {
    /// An empty one. Time begins now.
    pub fn new() -> Self {
        Self {
            began: Instant::now(),
            pages: Mutex::default(),
        }
    }

    /// How long the simulation has been going on.
    pub fn passed(&self) -> Duration {
        self.began.elapsed()
    }

    /// Notes what happened.
    pub fn say(&self, what: impl Display) {
        let line = format!("{:>12.3} {what}", self.passed().as_secs_f64());
        self.pages.lock().story.push(line);
    }

    /// Notes that a rule is broken. The first one counts.
    pub fn broken(&self, rule: Rule, how: impl Display) {
        self.say(format_args!("BROKEN {rule:?}: {how}"));
        self.pages.lock().broken.get_or_insert_with(|| (rule, how.to_string()));
    }

    /// The first broken rule.
    pub fn verdict(&self) -> Option<(Rule, String)> {
        self.pages.lock().broken.clone()
    }

    /// All that was noted.
    pub fn story(&self) -> String {
        self.pages.lock().story.join("\n")
    }
}

impl Clock for Book {
    fn now(&self) -> Timestamp {
        let passed = TimeDelta::from_std(self.passed()).unwrap_or_default();
        Timestamp::from_timestamp(START, 0).unwrap_or_default() + passed
    }
}
