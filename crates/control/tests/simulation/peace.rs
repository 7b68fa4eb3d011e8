//! The end of a simulation: nothing fails any more and time passes. Then everything must agree with everything.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use chrono::TimeDelta;
use control::{Clock, Control};
use session::{Session, SessionId, Status, Teardown, view::View};
use tokio::time::{Instant, sleep, timeout};

use super::{answers::told, rules::Rule, weather::Sky, world::World};

/// How long a node may take to come up when nothing is wrong.
const UP: Duration = Duration::from_secs(60);

impl World {
    /// Makes peace, and looks whether it is one.
    pub async fn make_peace(self: &Arc<Self>) {
        self.book.say("peace");
        self.weather().turn(Sky::CALM);
        for (number, node) in self.nodes.iter().enumerate() {
            let wire = self.wire(number);
            wire.freeze(Instant::now());
            wire.deafen(Instant::now());
            wire.disarm();
            for (_, place) in &node.places {
                place.set_unreachable(false);
                place.set_never_stops(false);
            }
        }
        let began = Instant::now();
        while !self.all_up() && began.elapsed() < UP {
            self.rest(Duration::from_secs(1)).await;
        }
        // Nobody uses a tab; that an administrator looks at its session is no use.
        self.leap(Duration::from_secs(25)).await;
        self.look_at_everything().await;
        self.leap(Duration::from_secs(20)).await;
        self.rest(Duration::from_millis(3_500)).await;
        // The longest pause between two attempts to close something is a minute.
        for _ in 0..2 {
            self.leap(Duration::from_secs(61)).await;
            self.rest(Duration::from_millis(1_200)).await;
        }
        for number in 0..self.nodes.len() {
            self.leap(Duration::from_secs(31)).await;
            let Some(control) = self.control(number) else {
                self.book
                    .broken(Rule::Replica, format_args!("node {number} does not start"));
                return;
            };
            let (_, me) = self.admin();
            match timeout(UP, control.request_sweep(&me)).await {
                Ok(done) => self.book.say(format_args!("  refresh: {}", told(&done))),
                Err(_) => self
                    .book
                    .broken(Rule::Replica, format_args!("node {number} does not answer")),
            }
            self.rest(Duration::from_millis(300)).await;
        }
        self.rest(Duration::from_millis(4_500)).await;
        self.look_around();
        self.leap(Duration::from_secs(9 * 3600)).await;
        self.rest(Duration::from_millis(1_200)).await;
        // Nearly 48 hours after the last end, and a minute later.
        self.leap(Duration::from_secs(48 * 3600 - 10)).await;
        self.rest(Duration::from_millis(1_200)).await;
        self.leap(Duration::from_secs(70)).await;
        self.rest(Duration::from_millis(1_200)).await;
        self.look_around();
        self.nothing_is_left();
        self.read_the_story().await;
    }

    /// Some time passes, and everything is looked at.
    pub async fn rest(self: &Arc<Self>, time: Duration) {
        sleep(time).await;
        self.bury(|_| Duration::ZERO, false);
        self.look_at_tabs();
        self.look_at_sessions();
        self.count_sweeps();
    }

    async fn look_at_everything(&self) {
        let (_, me) = self.admin();
        for number in 0..self.nodes.len() {
            let Some(control) = self.control(number) else { continue };
            for row in self.ledger().all() {
                // One that is just being stopped does not answer.
                let _ = timeout(Duration::from_secs(1), control.session_details(&me, row.id)).await;
            }
        }
    }

    fn look_around(&self) {
        let rows = self.ledger().all();
        for number in 0..self.nodes.len() {
            match self.control(number) {
                Some(control) => self.shows_the_log(number, &control, &rows),
                None => self.book.broken(Rule::Replica, format_args!("node {number} is not up")),
            }
        }
        for row in &rows {
            self.agrees(row);
        }
        for (number, node) in self.nodes.iter().enumerate() {
            for (_, place) in &node.places {
                for id in place.running().keys() {
                    let row = rows.iter().find(|row| row.id == *id);
                    if row.is_none_or(|row| !row.status.is_live() || self.host(row) != number) {
                        let name = self.ledger().name(*id);
                        self.book
                            .broken(Rule::NoOrphan, format_args!("s{name} runs on node {number}: {row:?}"));
                    }
                }
            }
        }
    }

    fn agrees(&self, row: &Session) {
        let name = self.ledger().name(row.id);
        let running = self.place(row).and_then(|place| place.running().get(&row.id).copied());
        let ghost = match row.status {
            Status::Active => running != Some(true),
            Status::Pending => running == Some(true),
            Status::Error | Status::Expired => false,
        };
        if ghost {
            self.book.broken(
                Rule::NoGhost,
                format_args!("s{name} is {:?}, and its application: ready={running:?}", row.status),
            );
        }
        if row.teardown == Teardown::Wanted {
            self.book
                .broken(Rule::Teardown, format_args!("s{name} is still not closed: {row:?}"));
        }
    }

    fn shows_the_log(&self, number: usize, control: &Control, rows: &[Session]) {
        let (_, me) = self.admin();
        let versions: BTreeMap<SessionId, u64> = rows.iter().map(|row| (row.id, row.version)).collect();
        let shown = control.export(&me, &View::default()).unwrap_or_default();
        let shown: BTreeMap<_, _> = shown.iter().map(|row| (row.id, row.version)).collect();
        if shown != versions {
            self.book.broken(
                Rule::Replica,
                format_args!("node {number} shows {shown:?}, the log says {versions:?}"),
            );
        }
        self.look_at_list(number, control);
    }

    /// 48 hours and a minute after everything has ended.
    fn nothing_is_left(&self) {
        let long_ago = self.book.now() - TimeDelta::hours(48) - TimeDelta::seconds(60);
        for row in self.ledger().all() {
            if row.end.as_ref().is_some_and(|end| end.at < long_ago) {
                let name = self.ledger().name(row.id);
                self.book
                    .broken(Rule::PurgeLate, format_args!("s{name} is still there: {row:?}"));
            }
        }
    }
}
