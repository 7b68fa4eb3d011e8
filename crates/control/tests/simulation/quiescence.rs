//! The end of a run: the faults stop and time passes. Then the log, the replicas, the environments
//! and the tabs must agree.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use chrono::TimeDelta;
use control::{Clock, Control};
use session::{Session, SessionId, Status, Teardown, view::View};
use tokio::time::{Instant, sleep, timeout};

use super::{answers::summary, faults::FaultRates, rules::Rule, world::World};

/// A node must start within this time when there are no faults.
const START_TIMEOUT: Duration = Duration::from_secs(60);

impl World {
    /// Stops the faults, lets time pass, and checks that everything agrees.
    pub async fn quiesce(self: &Arc<Self>) {
        self.recorder.note("quiescence");
        self.faults().set(FaultRates::CALM);
        for (number, node) in self.nodes.iter().enumerate() {
            let switch = self.switch(number);
            switch.freeze(Instant::now());
            switch.drop_notifications_until(Instant::now());
            switch.disarm();
            for (_, backend) in &node.backends {
                backend.set_unreachable(false);
                backend.set_never_stops(false);
            }
        }
        let began = Instant::now();
        while !self.all_up() && began.elapsed() < START_TIMEOUT {
            self.idle(Duration::from_secs(1)).await;
        }
        // No person uses a tab. An administrator who reads the details of a session does not count
        // as use.
        self.fast_forward(Duration::from_secs(25)).await;
        self.read_everything().await;
        self.fast_forward(Duration::from_secs(20)).await;
        self.idle(Duration::from_millis(3_500)).await;
        // The longest delay between two attempts to stop an application is a minute.
        for _ in 0..2 {
            self.fast_forward(Duration::from_secs(61)).await;
            self.idle(Duration::from_millis(1_200)).await;
        }
        for number in 0..self.nodes.len() {
            self.fast_forward(Duration::from_secs(31)).await;
            let Some(control) = self.control(number) else {
                self.recorder
                    .violated(Rule::Replica, format_args!("node {number} does not start"));
                return;
            };
            let (_, me) = self.admin_request();
            match timeout(START_TIMEOUT, control.request_sweep(&me)).await {
                Ok(done) => self.recorder.note(format_args!("  refresh: {}", summary(&done))),
                Err(_) => self
                    .recorder
                    .violated(Rule::Replica, format_args!("node {number} does not answer")),
            }
            self.idle(Duration::from_millis(300)).await;
        }
        self.idle(Duration::from_millis(4_500)).await;
        self.check_agreement();
        self.fast_forward(Duration::from_secs(9 * 3600)).await;
        self.idle(Duration::from_millis(1_200)).await;
        // Nearly 48 hours after the last end, then a minute later.
        self.fast_forward(Duration::from_secs(48 * 3600 - 10)).await;
        self.idle(Duration::from_millis(1_200)).await;
        self.fast_forward(Duration::from_secs(70)).await;
        self.idle(Duration::from_millis(1_200)).await;
        self.check_agreement();
        self.check_all_purged();
        self.check_event_history().await;
    }

    /// Lets time pass, then checks the invariants that always hold.
    pub async fn idle(self: &Arc<Self>, time: Duration) {
        sleep(time).await;
        self.reap_crashed_nodes(|_| Duration::ZERO, false);
        self.check_tabs();
        self.check_sessions();
        self.check_sweep_count();
    }

    async fn read_everything(&self) {
        let (_, me) = self.admin_request();
        for number in 0..self.nodes.len() {
            let Some(control) = self.control(number) else { continue };
            for row in self.rows().all() {
                // A node that is shutting down does not answer.
                let _ = timeout(Duration::from_secs(1), control.session_details(&me, row.id)).await;
            }
        }
    }

    fn check_agreement(&self) {
        let rows = self.rows().all();
        for number in 0..self.nodes.len() {
            match self.control(number) {
                Some(control) => self.check_replica(number, &control, &rows),
                None => self
                    .recorder
                    .violated(Rule::Replica, format_args!("node {number} is not up")),
            }
        }
        for row in &rows {
            self.check_session_agrees(row);
        }
        for (number, node) in self.nodes.iter().enumerate() {
            for (_, backend) in &node.backends {
                for id in backend.running().keys() {
                    let row = rows.iter().find(|row| row.id == *id);
                    if row.is_none_or(|row| !row.status.is_live() || self.host(row) != number) {
                        let name = self.rows().name(*id);
                        self.recorder
                            .violated(Rule::NoOrphan, format_args!("s{name} runs on node {number}: {row:?}"));
                    }
                }
            }
        }
    }

    fn check_session_agrees(&self, row: &Session) {
        let name = self.rows().name(row.id);
        let running = self
            .backend(row)
            .and_then(|backend| backend.running().get(&row.id).copied());
        let ghost = match row.status {
            Status::Active => running != Some(true),
            Status::Pending => running == Some(true),
            Status::Error | Status::Expired => false,
        };
        if ghost {
            self.recorder.violated(
                Rule::NoGhost,
                format_args!("s{name} is {:?}, and its application: ready={running:?}", row.status),
            );
        }
        if row.teardown == Teardown::Wanted {
            self.recorder
                .violated(Rule::Teardown, format_args!("s{name} is still not closed: {row:?}"));
        }
    }

    fn check_replica(&self, number: usize, control: &Control, rows: &[Session]) {
        let (_, me) = self.admin_request();
        let versions: BTreeMap<SessionId, u64> = rows.iter().map(|row| (row.id, row.version)).collect();
        let shown = control.export(&me, &View::default()).unwrap_or_default();
        let shown: BTreeMap<_, _> = shown.iter().map(|row| (row.id, row.version)).collect();
        if shown != versions {
            self.recorder.violated(
                Rule::Replica,
                format_args!("node {number} shows {shown:?}, the log says {versions:?}"),
            );
        }
        self.check_list(number, control);
    }

    /// Checks that the purge removed every session 48 hours and a minute after its end.
    fn check_all_purged(&self) {
        let long_ago = self.recorder.now() - TimeDelta::hours(48) - TimeDelta::seconds(60);
        for row in self.rows().all() {
            if row.end.as_ref().is_some_and(|end| end.at < long_ago) {
                let name = self.rows().name(row.id);
                self.recorder
                    .violated(Rule::PurgeLate, format_args!("s{name} is still there: {row:?}"));
            }
        }
    }
}
