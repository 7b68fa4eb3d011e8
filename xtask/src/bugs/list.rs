//! The deliberate bugs: each takes one guard out.

/// A bug, as the changes of the source that make it.
pub struct Bug {
    /// What the code then does wrong.
    pub what: &'static str,
    /// File, the code that is there exactly once, and what stands there instead.
    pub changes: &'static [(&'static str, &'static str, &'static str)],
}

const LIFECYCLE: &str = "crates/session/src/lifecycle.rs";
const CONTROL: &str = "crates/control/src/lib.rs";
const BACKGROUND: &str = "crates/control/src/background.rs";
const TABS: &str = "crates/control/src/tabs.rs";
const NODES: &str = "crates/control/src/nodes.rs";
const REFRESH: &str = "crates/control/src/refresh.rs";
const STORE: &str = "crates/store-testing/src/memory.rs";
const STORE_CLUSTER: &str = "crates/store-testing/src/memory/cluster.rs";
const STORE_BATCH: &str = "crates/store-testing/src/memory/batch.rs";

/// All of them, in the order of SPEC.md §5.
pub const BUGS: &[Bug] = &[
    Bug {
        what: "Expired lets a tab in, and the epoch is not compared",
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
        what: "Ready wakes what is in Error",
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
            (CONTROL, "        streams.close(id, why);\n", "        let _ = why;\n"),
            (BACKGROUND, "self.streams.close(session.id, Close::Expired);", ""),
        ],
    },
    Bug {
        what: "tabs are not closed after another node's commit",
        changes: &[
            (BACKGROUND, "self.streams.close(session.id, why);", "let _ = why;"),
            (BACKGROUND, "self.streams.close(session.id, Close::Expired);", ""),
        ],
    },
    Bug {
        what: "what an answer shows of another node's expire is not taken over",
        changes: &[(
            CONTROL,
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
        what: "a launch beside a Pending session makes a second",
        changes: &[(
            STORE_BATCH,
            "== (user_id, application_id) && session.status.is_live()",
            "== (user_id, application_id) && session.status == Status::Active",
        )],
    },
    Bug {
        what: "a blocked relaunch is let in",
        changes: &[(STORE_BATCH, "&& until > at\n", "&& until < at\n")],
    },
    Bug {
        what: "a closed environment lets launches in",
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
        what: "purge without teardown",
        changes: &[(
            LIFECYCLE,
            "matches!(session.teardown, Teardown::Confirmed | Teardown::GivenUp)\n        && session",
            "session",
        )],
    },
    Bug {
        what: "purge every 10 min only",
        changes: &[(
            BACKGROUND,
            "const PURGE: Duration = Duration::from_secs(15);",
            "const PURGE: Duration = Duration::from_secs(600);",
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
            "const TIMERS: Duration = Duration::from_secs(1);",
            "const TIMERS: Duration = Duration::from_secs(10);",
        )],
    },
    Bug {
        what: "a timer acts on what this node believes, not on what the log says in its turn",
        changes: &[(
            BACKGROUND,
            "self.step(session.id, Command::Due, Actor::System)",
            "self.step(session.id, lifecycle::due(&session, now).unwrap_or(Command::Due), Actor::System)",
        )],
    },
    Bug {
        what: "idle is not minded",
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
        what: "the sweep forgets orphans",
        changes: &[(
            REFRESH,
            "let orphans = running.difference(&live).map(",
            "let orphans = running.difference(&live).take(0).map(",
        )],
    },
    Bug {
        what: "the sweep forgets what is gone",
        changes: &[(
            REFRESH,
            "for session in active.iter().filter(|session| !running.contains(&session.id)) {",
            "for session in active.iter().take(0) {",
        )],
    },
    Bug {
        what: "the sweep forgets what is ready",
        changes: &[(
            REFRESH,
            "session.status == Status::Pending && ready.contains(&session.id)",
            "session.status == Status::Expired && ready.contains(&session.id)",
        )],
    },
    Bug {
        what: "a failed stop is not retried",
        changes: &[(
            BACKGROUND,
            "while !self.closed(id).await {",
            "if !self.closed(id).await {",
        )],
    },
    Bug {
        what: "neither the start of a node nor settling detaches",
        changes: &[
            (
                REFRESH,
                "_ if session.connected() => {",
                "_ if session.end.is_some() => {",
            ),
            (
                NODES,
                "if self.is_left(&session, self.clock.now()) {",
                "if session.end.is_some() {",
            ),
        ],
    },
    Bug {
        what: "a tab that is dropped is not let go of",
        changes: &[(
            TABS,
            "control.disconnect_if_left(id, Command::Detach, by).await;",
            "drop((control, id, by));",
        )],
    },
    Bug {
        what: "a batch that wrote nothing takes the revision",
        changes: &[(
            CONTROL,
            "let own = wrote.then_some(committed.revision);",
            "let own = Some(committed.revision).filter(|_| wrote || !wrote);",
        )],
    },
    Bug {
        what: "the log's tail is not read",
        changes: &[(
            BACKGROUND,
            "self.store.revision().await? > known;",
            "self.store.revision().await? > u64::MAX;",
        )],
    },
];
