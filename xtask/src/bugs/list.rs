//! The deliberate bugs. Each removes one guard from the code.

/// A bug, and the changes to the source that make it.
pub struct Bug {
    /// The wrong behaviour, for the table in docs/simulation.md.
    pub what: &'static str,
    /// For each change: the file, the code, which must be there exactly once, and its replacement.
    pub changes: &'static [(&'static str, &'static str, &'static str)],
}

const LIFECYCLE: &str = "crates/session/src/lifecycle.rs";
const COMMIT: &str = "crates/control/src/commit.rs";
const BACKGROUND: &str = "crates/control/src/background.rs";
const TABS: &str = "crates/control/src/tabs.rs";
const NODES: &str = "crates/control/src/nodes.rs";
const SWEEP: &str = "crates/control/src/sweep/reconcile.rs";
const STORE: &str = "crates/store-testing/src/memory.rs";
const STORE_CLUSTER: &str = "crates/store-testing/src/memory/cluster.rs";
const STORE_BATCH: &str = "crates/store-testing/src/memory/batch.rs";

/// All of them, in the order of docs/spec.md §5.
pub const BUGS: &[Bug] = &[
    Bug {
        what: "Expired accepts an attach, and the epoch is not compared",
        changes: &[
            (
                LIFECYCLE,
                "(Expired, Verb::Attach) => Refused(\"The session has ended.\"),",
                "(Expired, Verb::Attach) => To(Expired),",
            ),
            (
                LIFECYCLE,
                "epoch } if epoch != session.access_epoch",
                "epoch } if epoch > u32::MAX - 1",
            ),
        ],
    },
    Bug {
        what: "an expire does not raise the access epoch",
        changes: &[(LIFECYCLE, "next.access_epoch += 1;", "")],
    },
    Bug {
        what: "an expire leaves “connected” as it is",
        changes: &[(
            LIFECYCLE,
            "disconnect(&mut next, now);\n            next.access_epoch",
            "next.access_epoch",
        )],
    },
    Bug {
        what: "an expire leaves “valid until” as it is",
        changes: &[(LIFECYCLE, "next.valid_until = next.valid_until.min(now);", "")],
    },
    Bug {
        what: "Ready revives a session in Error",
        changes: &[
            (
                LIFECYCLE,
                "(Active | Error | Expired, Verb::Ready)",
                "(Active | Expired, Verb::Ready)",
            ),
            (
                LIFECYCLE,
                "(Pending, Verb::Ready) => To(Active)",
                "(Pending | Error, Verb::Ready) => To(Active)",
            ),
        ],
    },
    Bug {
        what: "tabs are not closed after a commit",
        changes: &[
            (COMMIT, "        tabs.close(id, why);\n", "        let _ = why;\n"),
            (BACKGROUND, "self.tabs.close(session.id, Close::Expired);", ""),
        ],
    },
    Bug {
        what: "tabs are not closed after another node's commit",
        changes: &[
            (BACKGROUND, "self.tabs.close(session.id, why);", "let _ = why;"),
            (BACKGROUND, "self.tabs.close(session.id, Close::Expired);", ""),
        ],
    },
    Bug {
        what: "another node's expire, seen in an answer, is not published",
        changes: &[(
            COMMIT,
            "WriteOutcome::Resumed(session)\n            | WriteOutcome::Refused(_, session) => {\n                shown.push(session.clone());",
            "WriteOutcome::Resumed(session)\n            | WriteOutcome::Refused(_, session) => {\n                let _ = session;",
        )],
    },
    Bug {
        what: "one seat too many",
        changes: &[(
            STORE_BATCH,
            "live.count() >= seats as usize",
            "live.count() > seats as usize",
        )],
    },
    Bug {
        what: "a launch beside a Pending session adds a second one",
        changes: &[(
            STORE_BATCH,
            "== (user_id, application_id) && session.status.is_live()",
            "== (user_id, application_id) && session.status == Status::Active",
        )],
    },
    Bug {
        what: "a blocked relaunch is accepted",
        changes: &[(STORE_BATCH, "&& until > at\n", "&& until < at\n")],
    },
    Bug {
        what: "a closed environment accepts launches",
        changes: &[(
            STORE_BATCH,
            "if !state.environments[&application.environment_id].open {",
            "if false {",
        )],
    },
    Bug {
        what: "a refused launch leaves no event",
        changes: &[(
            STORE_BATCH,
            "events.push(event(&by, at, what));\n        }\n        Ok(WriteOutcome::Denied(refusal))",
            "let _ = what;\n        }\n        Ok(WriteOutcome::Denied(refusal))",
        )],
    },
    Bug {
        what: "an event is not chained to the one before",
        changes: &[(
            STORE,
            "let hash = chained(self.revision, &event)?(&self.head());",
            "let hash = chained(self.revision, &event)?(&chain::START);",
        )],
    },
    Bug {
        what: "a purge without a confirmed teardown",
        changes: &[(
            LIFECYCLE,
            "matches!(session.teardown, Teardown::Confirmed | Teardown::GivenUp)\n        && session",
            "session",
        )],
    },
    Bug {
        what: "a purge every 10 min only",
        changes: &[(
            BACKGROUND,
            "const PURGE_INTERVAL: Duration = Duration::from_secs(15);",
            "const PURGE_INTERVAL: Duration = Duration::from_secs(600);",
        )],
    },
    Bug {
        what: "a timer 2 s early",
        changes: &[(
            LIFECYCLE,
            ".filter(|(at, _)| *at <= now)",
            ".filter(|(at, _)| *at <= now + TimeDelta::seconds(2))",
        )],
    },
    Bug {
        what: "timers every 10 s only",
        changes: &[(
            BACKGROUND,
            "const TIMER_INTERVAL: Duration = Duration::from_secs(1);",
            "const TIMER_INTERVAL: Duration = Duration::from_secs(10);",
        )],
    },
    Bug {
        what: "a timer acts on the replica, not on the row in its transaction",
        changes: &[(
            BACKGROUND,
            "self.apply(session.id, Command::Due, Actor::System)",
            "self.apply(session.id, lifecycle::due(&session, now).unwrap_or(Command::Due), Actor::System)",
        )],
    },
    Bug {
        what: "idle tabs are not closed",
        changes: &[(TABS, ".is_none_or(|at| now < at)", ".is_none_or(|_| true)")],
    },
    Bug {
        what: "every claim of a sweep is granted",
        changes: &[(
            STORE_CLUSTER,
            "Some(last) if now < last + interval && last < now + interval => {",
            "Some(last) if now < last + interval && last > now + interval => {",
        )],
    },
    Bug {
        what: "the sweep does not stop orphans",
        changes: &[(
            SWEEP,
            "let orphans = running.difference(&live).map(",
            "let orphans = running.difference(&live).take(0).map(",
        )],
    },
    Bug {
        what: "the sweep does not notice ended applications",
        changes: &[(
            SWEEP,
            "for session in active.iter().filter(|session| !running.contains(&session.id)) {",
            "for session in active.iter().take(0) {",
        )],
    },
    Bug {
        what: "the sweep does not notice ready applications",
        changes: &[(
            SWEEP,
            "session.status == Status::Pending && ready.contains(&session.id)",
            "session.status == Status::Expired && ready.contains(&session.id)",
        )],
    },
    Bug {
        what: "a failed stop is not retried",
        changes: &[(
            BACKGROUND,
            "while !self.try_close(id).await {",
            "if !self.try_close(id).await {",
        )],
    },
    Bug {
        what: "neither the start of a node nor the reconciliation of tabs detaches",
        changes: &[
            (
                SWEEP,
                "_ if session.connected() => {",
                "_ if session.end.is_some() => {",
            ),
            (
                NODES,
                "if self.is_unattended(&session, self.clock.now()) {",
                "if session.end.is_some() {",
            ),
        ],
    },
    Bug {
        what: "a dropped tab is not detached",
        changes: &[(
            TABS,
            "control.detach_if_unattended(id, Command::Detach, by).await;",
            "drop((control, id, by));",
        )],
    },
    Bug {
        what: "a batch that wrote nothing takes the revision",
        changes: &[(
            COMMIT,
            "let own = wrote.then_some(committed.revision);",
            "let own = Some(committed.revision).filter(|_| wrote || !wrote);",
        )],
    },
    Bug {
        what: "the log is not polled",
        changes: &[(
            BACKGROUND,
            "self.store.revision().await? > known;",
            "self.store.revision().await? > u64::MAX;",
        )],
    },
];
