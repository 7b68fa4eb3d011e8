//! Checks all events at the end: each change has its event, the events replay to the rows, and each
//! was allowed and on time.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use chrono::TimeDelta;
use session::{
    Actor, EndReason, Event, EventKind, Session, SessionId, Status, Teardown, Timestamp, UserId,
    audit::{Numbered, Place},
};
use store::{EventLog, EventScan};

use super::{answers::Outcome, row_invariants::RowVersion, rules::Rule, world::World};

/// The state of a session after the events so far.
struct History<'a> {
    row: &'a Session,
    status: Status,
    connected: bool,
    teardown: Teardown,
    started: Timestamp,
    ready: Option<Timestamp>,
    left: Option<Timestamp>,
    purged: bool,
}

impl World {
    /// Reads and checks all events.
    pub async fn check_event_history(&self) {
        let memory = &self.shared.memory;
        let all = EventScan {
            session: None,
            from: None,
            until: None,
            place: Place::Newest,
            limit: u32::MAX,
        };
        let (Ok(mut events), Ok(verified)) = (memory.scan_events(&all).await, memory.verify_events(&[]).await) else {
            return self.recorder.violated(Rule::Chain, "the events can't be read");
        };
        if let Some(broken) = verified.broken {
            self.recorder.violated(Rule::Chain, broken);
        }
        events.sort_by_key(|event| event.id);
        let versions = self.rows().versions();
        self.check_histories(&events, &versions);
        self.check_requests(&events);
    }

    fn check_histories(&self, events: &[Numbered], versions: &[RowVersion]) {
        let mut rows = BTreeMap::new();
        for row in versions {
            rows.insert((row.revision, row.id), row.after.as_ref());
        }
        let first: HashMap<_, _> = versions
            .iter()
            .rev()
            .filter_map(|row| Some((row.id, row.after.as_ref()?)))
            .collect();
        let mut histories: HashMap<SessionId, History<'_>> = HashMap::new();
        let mut with_event = BTreeSet::new();
        for (at, event) in events.iter().enumerate() {
            let Some(id) = event.event.session_id else { continue };
            let Some(row) = first.get(&id) else {
                self.recorder
                    .violated(Rule::OneEvent, format_args!("{:?} without a row", event.event));
                continue;
            };
            self.replay(&mut histories, id, row, &event.event);
            with_event.insert((event.revision, id));
            let last = events.get(at + 1).is_none_or(|next| next.revision != event.revision);
            if last {
                self.compare(&histories, &rows, event.revision);
            }
        }
        for (revision, id) in rows.keys().filter(|key| !with_event.contains(key)) {
            let name = self.rows().name(*id);
            self.recorder.violated(
                Rule::OneEvent,
                format_args!("revision {revision} changed s{name} without an event"),
            );
        }
    }

    /// After all events of a revision: do they replay to its rows?
    fn compare(
        &self,
        histories: &HashMap<SessionId, History<'_>>,
        rows: &BTreeMap<(u64, SessionId), Option<&Session>>,
        revision: u64,
    ) {
        for (id, history) in histories {
            let Some(row) = rows.get(&(revision, *id)) else {
                continue;
            };
            let same = match row {
                None => history.purged,
                Some(row) => {
                    !history.purged
                        && (row.status, row.connected(), row.teardown)
                            == (history.status, history.connected, history.teardown)
                }
            };
            if !same {
                let name = self.rows().name(*id);
                self.recorder.violated(
                    Rule::OneEvent,
                    format_args!("revision {revision}: the events of s{name} do not replay to {row:?}"),
                );
            }
        }
    }

    fn replay<'a>(
        &self,
        histories: &mut HashMap<SessionId, History<'a>>,
        id: SessionId,
        row: &'a Session,
        event: &Event,
    ) {
        let name = self.rows().name(id);
        if event.what == EventKind::Launched {
            let history = History {
                row,
                status: Status::Pending,
                connected: false,
                teardown: Teardown::NotNeeded,
                started: event.at,
                ready: None,
                left: None,
                purged: false,
            };
            if histories.insert(id, history).is_some() {
                self.recorder
                    .violated(Rule::OneEvent, format_args!("s{name} was launched twice"));
            }
            return;
        }
        let Some(history) = histories.get_mut(&id) else {
            return self
                .recorder
                .violated(Rule::OneEvent, format_args!("{event:?} before the launch"));
        };
        self.check_time(history, id, event);
        if let Err(rule) = history.apply(event) {
            self.recorder.violated(
                rule,
                format_args!(
                    "s{name}, {:?} connected={}: {event:?}",
                    history.status, history.connected
                ),
            );
        }
    }

    /// Checks an event of a timer: was it due?
    fn check_time(&self, history: &History<'_>, id: SessionId, event: &Event) {
        let policy = &history.row.policy;
        let after = |from: Option<Timestamp>, limit: session::policy::Limit| {
            Some(from? + TimeDelta::seconds(limit?.get().into()))
        };
        let start = matches!(&event.what, EventKind::Failed { error } if error.contains("not ready in time"));
        let (due, in_place) = match &event.what {
            EventKind::Failed { .. } if start => (
                after(Some(history.started), policy.start_seconds),
                history.status == Status::Pending,
            ),
            EventKind::Idle => {
                let uses = self.uses.lock();
                let used = uses
                    .get(&id)
                    .into_iter()
                    .flatten()
                    .filter(|(_, latest)| *latest <= event.at);
                let used = used.map(|(earliest, _)| *earliest).max();
                (after(used, policy.idle_seconds), history.connected)
            }
            EventKind::Expired { reason, .. } => match reason {
                EndReason::ValidUntil => (after(Some(history.started), policy.total_seconds), true),
                EndReason::NeverConnected => (
                    after(history.ready, policy.never_connected_seconds),
                    !history.connected && history.left.is_none(),
                ),
                EndReason::Disconnected => (after(history.left, policy.disconnected_seconds), !history.connected),
                _ => return,
            },
            _ => return,
        };
        let name = self.rows().name(id);
        if !in_place {
            self.recorder.violated(
                Rule::TimerOutOfPlace,
                format_args!(
                    "s{name}, {:?} connected={}: {event:?}",
                    history.status, history.connected
                ),
            );
        }
        // The last use of a tab that hung up is unknown.
        let early = due.map_or(event.what != EventKind::Idle, |due| event.at < due);
        if early {
            self.recorder
                .violated(Rule::TimerEarly, format_args!("s{name}, due {due:?}: {event:?}"));
        }
    }

    /// Compares the events of each request with its answer.
    fn check_requests(&self, events: &[Numbered]) {
        let mut written: HashMap<u32, Vec<&Event>> = HashMap::new();
        for event in events {
            if let Actor::Person {
                origin: Some(origin), ..
            } = &event.event.actor
                && let Ok(request) = origin.request_id.parse()
            {
                written.entry(request).or_default().push(&event.event);
            }
        }
        let outcomes = self.outcomes.lock();
        // Equal refusals within a minute are one event and a count, which a crash may lose.
        let refused_to: HashSet<Option<UserId>> = events
            .iter()
            .filter(|event| matches!(event.event.what, EventKind::LaunchRefused { .. }))
            .map(|event| match &event.event.actor {
                Actor::Person { user_id, .. } => Some(*user_id),
                Actor::Anonymous { .. } | Actor::System | Actor::Environment => None,
            })
            .collect();
        for (request, outcome) in &*outcomes {
            let events = written.get(request).map_or(&[][..], Vec::as_slice);
            let count = |is: fn(&EventKind) -> bool| events.iter().filter(|event| is(&event.what)).count();
            let launched = count(|what| *what == EventKind::Launched);
            let refused = count(|what| matches!(what, EventKind::LaunchRefused { .. }));
            let rule = match outcome {
                Outcome::NothingWritten if !events.is_empty() => Some(Rule::AtMostOnce),
                Outcome::Denied(by) if launched > 0 || refused > 1 || !refused_to.contains(&Some(*by)) => {
                    Some(Rule::RefusalKept)
                }
                Outcome::DeniedUnknownUser if !refused_to.contains(&None) => Some(Rule::RefusalKept),
                Outcome::Launched(_) if refused > 0 => Some(Rule::RefusalKept),
                Outcome::Launched(id) if events.iter().any(|event| event.session_id != Some(*id)) => {
                    Some(Rule::AtMostOnce)
                }
                _ if launched + refused > 1 => Some(Rule::AtMostOnce),
                _ => None,
            };
            if let Some(rule) = rule {
                self.recorder.violated(
                    rule,
                    format_args!("request {request}, answered {outcome:?}: {events:?}"),
                );
            }
        }
    }
}

impl History<'_> {
    /// Applies an event. Only these transitions are allowed.
    fn apply(&mut self, event: &Event) -> Result<(), Rule> {
        use Status::{Active, Error, Expired, Pending};
        if self.purged {
            return Err(Rule::OneEvent);
        }
        let closing = matches!(
            event.what,
            EventKind::TornDown | EventKind::TeardownGivenUp | EventKind::Purged
        );
        if self.status == Expired && !closing {
            return Err(Rule::ExpiredIsFinal);
        }
        match (&event.what, self.status) {
            (EventKind::Ready, Pending) => {
                self.status = Active;
                self.ready = Some(event.at);
            }
            (EventKind::Failed { .. }, Pending | Active) => {
                self.disconnect(event.at);
                self.status = Error;
            }
            (EventKind::Connected, Active) if !self.connected => self.connected = true,
            (EventKind::Connected, _) => return Err(Rule::ConnectedIsActive),
            (EventKind::Disconnected | EventKind::Idle, Active) if self.connected => self.disconnect(event.at),
            (EventKind::Expired { .. }, Pending | Active | Error) => {
                self.disconnect(event.at);
                self.status = Expired;
                self.teardown = Teardown::Wanted;
            }
            (EventKind::TornDown, Expired) if self.teardown != Teardown::Confirmed => {
                self.teardown = Teardown::Confirmed;
            }
            (EventKind::TeardownGivenUp, Expired) if self.teardown == Teardown::Wanted => {
                self.teardown = Teardown::GivenUp;
            }
            (EventKind::Purged, Expired) => self.purged = true,
            _ => return Err(Rule::Edges),
        }
        Ok(())
    }

    fn disconnect(&mut self, at: Timestamp) {
        if std::mem::take(&mut self.connected) {
            self.left = Some(at);
        }
    }
}
