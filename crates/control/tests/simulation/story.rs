//! The events, read at the end: do they tell the rows, one for each change, and was each allowed and in its time?

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use chrono::TimeDelta;
use session::{
    Actor, EndReason, Event, EventKind, Session, SessionId, Status, Teardown, Timestamp, UserId,
    audit::{Numbered, Place},
};
use store::{EventLog, EventScan};

use super::{answers::Fate, ledger::Noted, rules::Rule, world::World};

/// What the events say of a session so far.
struct Life<'a> {
    row: &'a Session,
    status: Status,
    connected: bool,
    teardown: Teardown,
    started: Timestamp,
    ready: Option<Timestamp>,
    left: Option<Timestamp>,
    gone: bool,
}

impl World {
    /// Reads all events.
    pub async fn read_the_story(&self) {
        let memory = &self.exchange.memory;
        let all = EventScan {
            session: None,
            from: None,
            until: None,
            place: Place::Newest,
            limit: u32::MAX,
        };
        let (Ok(mut events), Ok(verified)) = (memory.scan_events(&all).await, memory.verify_events(&[]).await) else {
            return self.book.broken(Rule::Chain, "the events can't be read");
        };
        if let Some(broken) = verified.broken {
            self.book.broken(Rule::Chain, broken);
        }
        events.sort_by_key(|event| event.id);
        let noted = self.ledger().noted();
        self.lives(&events, &noted);
        self.requests(&events);
    }

    fn lives(&self, events: &[Numbered], noted: &[Noted]) {
        let mut rows = BTreeMap::new();
        for row in noted {
            rows.insert((row.revision, row.id), row.after.as_ref());
        }
        let first: HashMap<_, _> = noted
            .iter()
            .rev()
            .filter_map(|row| Some((row.id, row.after.as_ref()?)))
            .collect();
        let mut lives: HashMap<SessionId, Life<'_>> = HashMap::new();
        let mut told = BTreeSet::new();
        for (at, event) in events.iter().enumerate() {
            let Some(id) = event.event.session_id else { continue };
            let Some(row) = first.get(&id) else {
                self.book
                    .broken(Rule::OneEvent, format_args!("{:?} without a row", event.event));
                continue;
            };
            self.happen(&mut lives, id, row, &event.event);
            told.insert((event.revision, id));
            let last = events.get(at + 1).is_none_or(|next| next.revision != event.revision);
            if last {
                self.compare(&lives, &rows, event.revision);
            }
        }
        for (revision, id) in rows.keys().filter(|key| !told.contains(key)) {
            let name = self.ledger().name(*id);
            self.book.broken(
                Rule::OneEvent,
                format_args!("revision {revision} changed s{name} without an event"),
            );
        }
    }

    /// After all events of a revision: do they tell its rows?
    fn compare(
        &self,
        lives: &HashMap<SessionId, Life<'_>>,
        rows: &BTreeMap<(u64, SessionId), Option<&Session>>,
        revision: u64,
    ) {
        for (id, life) in lives {
            let Some(row) = rows.get(&(revision, *id)) else {
                continue;
            };
            let same = match row {
                None => life.gone,
                Some(row) => {
                    !life.gone
                        && (row.status, row.connected(), row.teardown) == (life.status, life.connected, life.teardown)
                }
            };
            if !same {
                let name = self.ledger().name(*id);
                self.book.broken(
                    Rule::OneEvent,
                    format_args!("revision {revision}: the events of s{name} tell another row than {row:?}"),
                );
            }
        }
    }

    fn happen<'a>(&self, lives: &mut HashMap<SessionId, Life<'a>>, id: SessionId, row: &'a Session, event: &Event) {
        let name = self.ledger().name(id);
        if event.what == EventKind::Launched {
            let life = Life {
                row,
                status: Status::Pending,
                connected: false,
                teardown: Teardown::NotNeeded,
                started: event.at,
                ready: None,
                left: None,
                gone: false,
            };
            if lives.insert(id, life).is_some() {
                self.book
                    .broken(Rule::OneEvent, format_args!("s{name} was launched twice"));
            }
            return;
        }
        let Some(life) = lives.get_mut(&id) else {
            return self
                .book
                .broken(Rule::OneEvent, format_args!("{event:?} before the launch"));
        };
        self.in_time(life, id, event);
        if let Err(rule) = life.take(event) {
            self.book.broken(
                rule,
                format_args!("s{name}, {:?} connected={}: {event:?}", life.status, life.connected),
            );
        }
    }

    /// Did time do it, and was it the time?
    fn in_time(&self, life: &Life<'_>, id: SessionId, event: &Event) {
        let policy = &life.row.policy;
        let after = |from: Option<Timestamp>, limit: session::policy::Limit| {
            Some(from? + TimeDelta::seconds(limit?.get().into()))
        };
        let start = matches!(&event.what, EventKind::Failed { error } if error.contains("not ready in time"));
        let (due, in_place) = match &event.what {
            EventKind::Failed { .. } if start => (
                after(Some(life.started), policy.start_seconds),
                life.status == Status::Pending,
            ),
            EventKind::Idle => {
                let uses = self.uses.lock();
                let used = uses
                    .get(&id)
                    .into_iter()
                    .flatten()
                    .filter(|(_, latest)| *latest <= event.at);
                let used = used.map(|(earliest, _)| *earliest).max();
                (after(used, policy.idle_seconds), life.connected)
            }
            EventKind::Expired { reason, .. } => match reason {
                EndReason::ValidUntil => (after(Some(life.started), policy.total_seconds), true),
                EndReason::NeverConnected => (
                    after(life.ready, policy.never_connected_seconds),
                    !life.connected && life.left.is_none(),
                ),
                EndReason::Disconnected => (after(life.left, policy.disconnected_seconds), !life.connected),
                _ => return,
            },
            _ => return,
        };
        let name = self.ledger().name(id);
        if !in_place {
            self.book.broken(
                Rule::TimerOutOfPlace,
                format_args!("s{name}, {:?} connected={}: {event:?}", life.status, life.connected),
            );
        }
        // Of a tab that hung up it is not known when it was used.
        let early = due.map_or(event.what != EventKind::Idle, |due| event.at < due);
        if early {
            self.book
                .broken(Rule::TimerEarly, format_args!("s{name}, due {due:?}: {event:?}"));
        }
    }

    /// What was written of each request, against what who made it was told.
    fn requests(&self, events: &[Numbered]) {
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
        let fates = self.fates.lock();
        // Equal refusals within a minute are one event, and a count that a crash may lose.
        let refused_to: HashSet<Option<UserId>> = events
            .iter()
            .filter(|event| matches!(event.event.what, EventKind::LaunchRefused { .. }))
            .map(|event| match &event.event.actor {
                Actor::Person { user_id, .. } => Some(*user_id),
                Actor::Anonymous { .. } | Actor::System | Actor::Environment => None,
            })
            .collect();
        for (request, fate) in &*fates {
            let events = written.get(request).map_or(&[][..], Vec::as_slice);
            let count = |is: fn(&EventKind) -> bool| events.iter().filter(|event| is(&event.what)).count();
            let launched = count(|what| *what == EventKind::Launched);
            let refused = count(|what| matches!(what, EventKind::LaunchRefused { .. }));
            let rule = match fate {
                Fate::Nothing if !events.is_empty() => Some(Rule::AtMostOnce),
                Fate::Denied(by) if launched > 0 || refused > 1 || !refused_to.contains(&Some(*by)) => {
                    Some(Rule::RefusalKept)
                }
                Fate::DeniedToNobody if !refused_to.contains(&None) => Some(Rule::RefusalKept),
                Fate::Launched(_) if refused > 0 => Some(Rule::RefusalKept),
                Fate::Launched(id) if events.iter().any(|event| event.session_id != Some(*id)) => {
                    Some(Rule::AtMostOnce)
                }
                _ if launched + refused > 1 => Some(Rule::AtMostOnce),
                _ => None,
            };
            if let Some(rule) = rule {
                self.book
                    .broken(rule, format_args!("request {request}, told {fate:?}: {events:?}"));
            }
        }
    }
}

impl Life<'_> {
    /// Only these edges exist.
    fn take(&mut self, event: &Event) -> Result<(), Rule> {
        use Status::{Active, Error, Expired, Pending};
        if self.gone {
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
                self.leave(event.at);
                self.status = Error;
            }
            (EventKind::Connected, Active) if !self.connected => self.connected = true,
            (EventKind::Connected, _) => return Err(Rule::ConnectedIsActive),
            (EventKind::Disconnected | EventKind::Idle, Active) if self.connected => self.leave(event.at),
            (EventKind::Expired { .. }, Pending | Active | Error) => {
                self.leave(event.at);
                self.status = Expired;
                self.teardown = Teardown::Wanted;
            }
            (EventKind::TornDown, Expired) if self.teardown != Teardown::Confirmed => {
                self.teardown = Teardown::Confirmed;
            }
            (EventKind::TeardownGivenUp, Expired) if self.teardown == Teardown::Wanted => {
                self.teardown = Teardown::GivenUp;
            }
            (EventKind::Purged, Expired) => self.gone = true,
            _ => return Err(Rule::Edges),
        }
        Ok(())
    }

    fn leave(&mut self, at: Timestamp) {
        if std::mem::take(&mut self.connected) {
            self.left = Some(at);
        }
    }
}
