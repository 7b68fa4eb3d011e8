//! One batch, one transaction: each request is decided on the rows as the requests before it left them.

use std::{collections::HashMap, sync::Arc};

use chrono::TimeDelta;
use session::{
    Actor, ApplicationId, BatchId, Event, EventKind, Origin, Session, SessionId, Status, Teardown, Timestamp, UserId,
    lifecycle::{self, KEPT_SECONDS},
};

use super::{
    Sqlite, Transaction, catalogue,
    catalogue::Launchable,
    events, people,
    rows::{Columns, kept, micros},
    sessions,
};
use crate::{Answer, Committed, LaunchRefusal, Request, Result, User};

/// [`lifecycle::purgeable`], in the words of SQL. `?1` is the latest end, `?2` the limit.
macro_rules! purgeable {
    () => {
        "FROM sessions WHERE teardown IN ('confirmed', 'given_up') AND ended_at <= ?1 ORDER BY ended_at, id LIMIT ?2"
    };
}
pub(super) const PURGE: &str = concat!(
    "DELETE FROM sessions WHERE id IN (SELECT id ",
    purgeable!(),
    ") RETURNING id"
);

/// Most sessions that one request removes.
const PURGE_AT_ONCE: u32 = 1000;

pub(super) async fn write(store: &Sqlite, requests: &[Request]) -> Result<Committed> {
    let mut transaction = store.begin().await?;
    let before = sessions::revision(&mut transaction.connection).await?;
    let mut batch = Batch::begin(&mut transaction, before + 1, requests).await?;
    let mut answers = Vec::with_capacity(requests.len());
    for request in requests {
        answers.push(batch.answer(request).await?);
    }
    batch.flush_events().await?;
    let revision = if batch.written { batch.revision } else { before };
    if revision != before {
        sessions::set_revision(&mut transaction.connection, revision).await?;
    }
    transaction.commit().await?;
    Ok(Committed { revision, answers })
}

/// A word with the connection costs more than the work in SQLite, so what a batch reads by id is read for all at once,
/// and its events are written together.
struct Batch<'a, 'store> {
    transaction: &'a mut Transaction<'store>,
    revision: u64,
    written: bool,
    /// The sessions that the batch steps or launches, as they are by now.
    sessions: HashMap<SessionId, Session>,
    /// Nobody else writes meanwhile: people and the catalogue stay as they are.
    users: HashMap<UserId, User>,
    launchable: HashMap<ApplicationId, Option<Arc<Launchable>>>,
    events: Vec<Event>,
}

impl<'a, 'store> Batch<'a, 'store> {
    async fn begin(transaction: &'a mut Transaction<'store>, revision: u64, requests: &[Request]) -> Result<Self> {
        let (mut session_ids, mut user_ids) = (Vec::new(), Vec::new());
        for request in requests {
            match request {
                Request::Launch { user_id, .. } => user_ids.push(user_id.0),
                Request::Step { session_id, .. } => session_ids.push(session_id.0),
                Request::Batch { .. } | Request::Purge { .. } => {}
            }
        }
        let sessions = sessions::by_ids(&mut transaction.connection, &session_ids).await?;
        let users = people::by_ids(&mut transaction.connection, &user_ids).await?;
        Ok(Self {
            transaction,
            revision,
            written: false,
            sessions: sessions.into_iter().map(|session| (session.id, session)).collect(),
            users: users.into_iter().map(|user| (user.id, user)).collect(),
            launchable: HashMap::new(),
            events: Vec::new(),
        })
    }

    async fn answer(&mut self, request: &Request) -> Result<Answer> {
        match request {
            Request::Launch {
                session_id,
                application_id,
                user_id,
                origin,
                at,
            } => {
                self.launch(*session_id, *application_id, *user_id, origin, kept(*at))
                    .await
            }
            Request::Step {
                session_id,
                command,
                by,
                at,
            } => self.step(*session_id, command, by, kept(*at)).await,
            Request::Batch {
                batch,
                size,
                note,
                by,
                at,
            } => {
                let what = EventKind::BatchExpired {
                    batch: *batch,
                    size: *size,
                    note: note.clone(),
                };
                self.note_batch(*batch, by, kept(*at), what).await
            }
            Request::Purge { at } => self.purge(*at).await,
        }
    }

    async fn launch(
        &mut self,
        id: SessionId,
        application_id: ApplicationId,
        user_id: UserId,
        origin: &Option<Origin>,
        at: Timestamp,
    ) -> Result<Answer> {
        let user = self.users.get(&user_id).cloned();
        let actor = user.as_ref().map_or(Actor::System, |user| Actor::Person {
            user_id,
            username: user.username.clone(),
            origin: origin.clone(),
        });
        let found = self.launchable(application_id).await?;
        let name = found.as_ref().map_or_else(
            || application_id.to_string().into(),
            |found| found.application.name.clone(),
        );

        let refusal = match (&user, &found) {
            (None, _) => LaunchRefusal::UnknownUser,
            (Some(user), _) if user.blocked => LaunchRefusal::UserBlocked,
            (_, None) => LaunchRefusal::UnknownApplication,
            (_, Some(found)) if !found.application.open => LaunchRefusal::ApplicationClosed,
            (_, Some(found)) if !found.environment.open => LaunchRefusal::EnvironmentClosed,
            (Some(user), Some(found)) => {
                let connection = &mut self.transaction.connection;
                if let Some(session) = sessions::live(connection, user_id, application_id).await? {
                    return Ok(Answer::Resumed(session));
                }
                let free = match found.application.seats {
                    Some(seats) => sessions::seat_free(connection, application_id, seats).await?,
                    None => true,
                };
                let blocked = sessions::blocked(connection, user_id, application_id, at).await?;
                if free && blocked.is_none() {
                    let session = pending(id, found, user_id, user.username.clone(), at, self.revision);
                    sessions::insert(connection, self.revision, std::slice::from_ref(&session)).await?;
                    self.sessions.insert(id, session.clone());
                    self.log(at, Some(id), actor, EventKind::Launched);
                    return Ok(Answer::Launched(session, found.application.command.clone()));
                }
                blocked.map_or(LaunchRefusal::NoSeat, LaunchRefusal::RelaunchBlocked)
            }
        };
        let what = EventKind::LaunchRefused {
            application: name,
            reason: refusal.sentence().as_ref().into(),
        };
        self.log(at, None, actor, what);
        Ok(Answer::Denied(refusal))
    }

    async fn step(&mut self, id: SessionId, command: &lifecycle::Command, by: &Actor, at: Timestamp) -> Result<Answer> {
        let Some(session) = self.sessions.get(&id) else {
            return Ok(Answer::Unknown);
        };
        match lifecycle::step(session, command.clone(), by, at) {
            Err(refusal) => Ok(Answer::Refused(refusal, session.clone())),
            Ok(lifecycle::Transition { session, event: None }) => Ok(Answer::Stepped {
                session,
                changed: false,
            }),
            Ok(lifecycle::Transition {
                mut session,
                event: Some(what),
            }) => {
                session.version = self.revision;
                sessions::update(&mut self.transaction.connection, &session).await?;
                self.sessions.insert(id, session.clone());
                self.log(at, Some(id), by.clone(), what);
                Ok(Answer::Stepped { session, changed: true })
            }
        }
    }

    async fn note_batch(&mut self, id: BatchId, by: &Actor, at: Timestamp, what: EventKind) -> Result<Answer> {
        self.flush_events().await?;
        if events::batch(&mut self.transaction.connection, id).await?.is_none() {
            self.log(at, None, by.clone(), what);
        }
        Ok(Answer::Noted)
    }

    async fn purge(&mut self, at: Timestamp) -> Result<Answer> {
        let latest_end = micros(at - TimeDelta::seconds(KEPT_SECONDS));
        let rows = sqlx::query(PURGE)
            .bind(latest_end)
            .bind(PURGE_AT_ONCE)
            .fetch_all(&mut self.transaction.connection)
            .await?;
        let ids = rows
            .iter()
            .map(|row| Ok(SessionId(Columns::of(row).id()?)))
            .collect::<Result<Vec<_>>>()?;
        for id in &ids {
            self.sessions.remove(id);
            self.log(at, Some(*id), Actor::System, EventKind::Purged);
        }
        Ok(Answer::Purged(ids))
    }

    async fn launchable(&mut self, id: ApplicationId) -> Result<Option<Arc<Launchable>>> {
        if let Some(known) = self.launchable.get(&id) {
            return Ok(known.clone());
        }
        let found = catalogue::launchable(&mut self.transaction.connection, id)
            .await?
            .map(Arc::new);
        self.launchable.insert(id, found.clone());
        Ok(found)
    }

    fn log(&mut self, at: Timestamp, session_id: Option<SessionId>, actor: Actor, what: EventKind) {
        self.written = true;
        self.events.push(Event {
            at,
            session_id,
            actor,
            what,
        });
    }

    async fn flush_events(&mut self) -> Result<()> {
        events::insert(&mut self.transaction.connection, self.revision, &self.events).await?;
        self.events.clear();
        Ok(())
    }
}

fn pending(
    id: SessionId,
    of: &Launchable,
    user_id: UserId,
    username: Arc<str>,
    started_at: Timestamp,
    version: u64,
) -> Session {
    let Launchable {
        application,
        environment,
    } = of;
    Session {
        id,
        environment_id: environment.id,
        environment: environment.name.clone(),
        application_id: application.id,
        application: application.name.clone(),
        user_id,
        username,
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
        version,
    }
}
