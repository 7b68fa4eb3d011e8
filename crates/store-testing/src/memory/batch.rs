//! The decisions of a batch, request by request.

use std::{num::NonZeroU32, sync::Arc};

use session::{
    Actor, ApplicationId, EndReason, Event, EventKind, Origin, Session, SessionId, Status, Teardown, Timestamp, UserId,
    lifecycle,
};
use store::{LaunchRefusal, Result, Start, StoreError, WriteOutcome, WriteRequest, values::truncate_to_micros};

use super::{State, event, people};

pub(super) fn decide(state: &mut State, events: &mut Vec<Event>, request: &WriteRequest) -> Result<WriteOutcome> {
    match request {
        WriteRequest::Launch { .. } => launch(state, events, request),
        WriteRequest::RecordRefusal {
            user_id,
            application_id,
            refusal,
            more,
            origin,
            at,
        } => {
            let what = EventKind::LaunchRefused {
                application: application_id.map_or_else(|| "".into(), |id| name_of(state, id)),
                reason: refusal.sentence().as_ref().into(),
                more: *more,
            };
            events.push(event(&author(state, *user_id, origin.as_ref()), *at, what));
            Ok(WriteOutcome::Noted)
        }
        WriteRequest::Step {
            session_id,
            command,
            by,
            at,
        } => step(state, events, *session_id, command, (by, *at)),
        WriteRequest::Batch {
            batch,
            size,
            note,
            by,
            at,
        } => {
            let same = |what: &EventKind| matches!(what, EventKind::BatchExpired { batch: of, .. } if of == batch);
            let earlier = state.events.iter().map(|stored| &*stored.event).chain(&*events);
            if !earlier.into_iter().any(|event| same(&event.what)) {
                let what = EventKind::BatchExpired {
                    batch: *batch,
                    size: *size,
                    note: note.clone(),
                };
                events.push(event(by, *at, what));
            }
            Ok(WriteOutcome::Noted)
        }
        WriteRequest::Purge { at } => Ok(WriteOutcome::Purged(purge(state, events, *at))),
    }
}

/// A [`WriteRequest::Launch`].
fn launch(state: &mut State, events: &mut Vec<Event>, request: &WriteRequest) -> Result<WriteOutcome> {
    let WriteRequest::Launch {
        session_id,
        application_id,
        user_id,
        node,
        origin,
        most,
        recorded,
        at,
    } = request
    else {
        return Ok(WriteOutcome::NotFound);
    };
    let by = author(state, *user_id, origin.as_ref());
    let at = truncate_to_micros(*at);
    let mut denied = |state: &State, refusal| {
        let what = EventKind::LaunchRefused {
            application: name_of(state, *application_id),
            reason: LaunchRefusal::sentence(refusal).as_ref().into(),
            more: None,
        };
        if !recorded.contains(&refusal) {
            events.push(event(&by, at, what));
        }
        Ok(WriteOutcome::Denied(refusal))
    };
    if let Err(refusal) = allowed(state, *user_id, *application_id) {
        return denied(state, refusal);
    }
    if let Some(session) = live_of(state, *user_id, *application_id) {
        return Ok(WriteOutcome::Resumed(session.clone()));
    }
    if let Err(refusal) = room(state, *user_id, *application_id, *most, at) {
        return denied(state, refusal);
    }
    if state.sessions.contains_key(session_id) {
        return Err(StoreError::AlreadyExists(session_id.to_string()));
    }
    let (session, start) = pending(state, (*session_id, *user_id, *application_id), node, at);
    state.sessions.insert(*session_id, session.clone());
    let own = people::own(state, *user_id, *application_id);
    own.used_at = Some(own.used_at.map_or(at, |earlier| earlier.max(at)));
    events.push(Event {
        session_id: Some(*session_id),
        ..event(&by, at, EventKind::Launched)
    });
    Ok(WriteOutcome::Launched(session, start))
}

fn author(state: &State, user_id: UserId, origin: Option<&Origin>) -> Actor {
    state.users.get(&user_id).map_or(Actor::System, |user| Actor::Person {
        user_id,
        username: user.username.clone(),
        origin: origin.cloned(),
    })
}

fn name_of(state: &State, id: ApplicationId) -> Arc<str> {
    let known = state.applications.get(&id);
    known.map_or_else(|| id.to_string().into(), |known| known.name.clone())
}

fn allowed(state: &State, user_id: UserId, application_id: ApplicationId) -> std::result::Result<(), LaunchRefusal> {
    let user = state.users.get(&user_id).ok_or(LaunchRefusal::UnknownUser)?;
    if user.blocked {
        return Err(LaunchRefusal::UserBlocked);
    }
    let application = state
        .applications
        .get(&application_id)
        .ok_or(LaunchRefusal::UnknownApplication)?;
    if !application.open {
        return Err(LaunchRefusal::ApplicationClosed);
    }
    if !state.environments[&application.environment_id].open {
        return Err(LaunchRefusal::EnvironmentClosed);
    }
    Ok(())
}

fn room(
    state: &State,
    user_id: UserId,
    application_id: ApplicationId,
    most: Option<NonZeroU32>,
    at: Timestamp,
) -> std::result::Result<(), LaunchRefusal> {
    let mine = state
        .sessions
        .values()
        .filter(|session| (session.user_id, session.application_id) == (user_id, application_id));
    if let Some(until) = mine.filter_map(|session| session.blocked_until).max()
        && until > at
    {
        return Err(LaunchRefusal::RelaunchBlocked(until));
    }
    let held = state
        .sessions
        .values()
        .filter(|session| session.user_id == user_id && session.status.is_live());
    if most.is_some_and(|most| held.count() >= most.get() as usize) {
        return Err(LaunchRefusal::TooManySessions);
    }
    let live = state
        .sessions
        .values()
        .filter(|session| session.application_id == application_id && session.status.is_live());
    match state.applications[&application_id].seats {
        Some(seats) if live.count() >= seats as usize => Err(LaunchRefusal::NoSeat),
        _ => Ok(()),
    }
}

/// The user's live session of an application; the newest if there are several.
fn live_of(state: &State, user_id: UserId, application_id: ApplicationId) -> Option<&Session> {
    let mine = state.sessions.values().filter(|session| {
        (session.user_id, session.application_id) == (user_id, application_id) && session.status.is_live()
    });
    mine.max_by_key(|session| (session.started_at, session.id))
}

fn pending(
    state: &State,
    (id, user_id, application_id): (SessionId, UserId, ApplicationId),
    node: &Arc<str>,
    started_at: Timestamp,
) -> (Session, Start) {
    let application = &state.applications[&application_id];
    let environment = &state.environments[&application.environment_id];
    let session = Session {
        id,
        environment_id: application.environment_id,
        environment: environment.name.clone(),
        application_id,
        application: application.name.clone(),
        user_id,
        username: state.users[&user_id].username.clone(),
        status: Status::Pending,
        access_epoch: 0,
        started_at,
        ready_at: None,
        valid_until: application.policy.valid_until(started_at),
        connected_since: None,
        disconnected_at: None,
        end: None,
        error: None,
        teardown: Teardown::NotNeeded,
        blocked_until: None,
        policy: application.policy,
        home: environment.homes.map(|homes| homes.kind),
        node: node.clone(),
        version: state.next(),
    };
    let start = Start {
        command: application.command.clone(),
        user_number: state.users[&user_id].number,
    };
    (session, start)
}

pub(super) fn step(
    state: &mut State,
    events: &mut Vec<Event>,
    id: SessionId,
    command: &lifecycle::Command,
    (by, at): (&Actor, Timestamp),
) -> Result<WriteOutcome> {
    let Some(before) = state.sessions.get(&id) else {
        return Ok(WriteOutcome::NotFound);
    };
    let done = match lifecycle::step(before, command.clone(), by, truncate_to_micros(at)) {
        Err(refusal) => return Ok(WriteOutcome::Refused(refusal, before.clone())),
        Ok(done) => done,
    };
    let Some(what) = done.event else {
        return Ok(WriteOutcome::Stepped {
            session: done.session,
            changed: false,
        });
    };
    let session = Session {
        version: state.next(),
        ..done.session
    };
    state.sessions.insert(id, session.clone());
    events.push(Event {
        session_id: Some(id),
        ..event(by, at, what)
    });
    Ok(WriteOutcome::Stepped { session, changed: true })
}

/// Ends those of the sessions `these` that have not ended.
pub(super) fn end(
    state: &mut State,
    events: &mut Vec<Event>,
    reason: EndReason,
    by_at: (&Actor, Timestamp),
    these: impl Fn(&Session) -> bool,
) -> Result<()> {
    let ids: Vec<_> = state
        .sessions
        .values()
        .filter(|session| session.end.is_none() && these(session))
        .map(|session| session.id)
        .collect();
    for id in ids {
        step(state, events, id, &lifecycle::Command::expire(reason), by_at)?;
    }
    Ok(())
}

fn purge(state: &mut State, events: &mut Vec<Event>, at: Timestamp) -> Vec<SessionId> {
    let mut due: Vec<_> = state
        .sessions
        .values()
        .filter(|session| lifecycle::purgeable(session, at))
        .map(|session| (session.end.as_ref().map(|end| end.at), session.id))
        .collect();
    // A thousand at a time, those that ended first.
    due.sort_unstable();
    due.truncate(1000);
    let mut ids: Vec<_> = due.into_iter().map(|(_, id)| id).collect();
    ids.sort_unstable();
    for id in &ids {
        state.sessions.remove(id);
        events.push(Event {
            session_id: Some(*id),
            ..event(&Actor::System, at, EventKind::Purged)
        });
    }
    ids
}
