//! Sessions: list, launch, expire.

use std::sync::Arc;

use environments::{EnvironmentError, Home, Owner, StartSpec};
use session::{
    Actor, EndReason, HomeKind, Role, Session, SessionId, Teardown,
    api::{ExpireRequest, Head, MAX_NOTE_CHARS, Me, SessionDetails, SessionList, SessionView},
    checksum,
    lifecycle::{self, Command, Refusal},
    regional::Regional,
    timeline,
    view::View,
};
use store::{Start, StoreError, WriteOutcome, WriteRequest};

use crate::{
    Control, Error, Result,
    authorization::{actor, require},
    background::MIN_RETRY_DELAY,
    launches::Launch,
};

impl Control {
    /// A page of the list: one snapshot of the replica.
    pub fn list(&self, me: &Me, view: &View) -> Result<SessionList> {
        require(me, Role::SystemAdmin)?;
        self.list_of(view)
    }

    /// A page of the list for a caller that has checked the role before.
    pub(crate) fn list_of(&self, view: &View) -> Result<SessionList> {
        let page = self.replica.page(view)?;
        let sweeps = self.sweep_status();
        let head = Head {
            revision: page.revision,
            as_of: sweeps.as_of,
            server_time: self.clock.now(),
            next_refresh_at: sweeps.next_at,
            total: page.total,
            all: page.all,
            counts: page.counts,
            offset: page.offset,
            next_cursor: page.next_cursor,
            previous_cursor: page.previous_cursor,
            checksum: checksum::of(&page.items),
            stale: sweeps.stale,
        };
        Ok(SessionList {
            head,
            items: page.items,
        })
    }

    /// One session, for a System Admin and for its own user.
    pub fn session(&self, me: &Me, id: SessionId) -> Result<SessionView> {
        self.session_visible_to(me, id)
            .map(|session| SessionView::from(&*session))
    }

    /// One session with its history and its next deadline. A purged session still has its history.
    pub async fn session_details(&self, me: &Me, id: SessionId) -> Result<SessionDetails> {
        require(me, Role::SystemAdmin)?;
        let events = self.store.events(id).await?;
        // Another node may have changed the session since. Reading the log after the events keeps
        // the row at least as new as they are.
        if self.replica.get(id).is_none_or(|session| !self.hosts(&session)) {
            self.catch_up().await?;
        }
        let session = self.replica.get(id);
        if session.is_none() && events.is_empty() {
            return Err(Error::NoSession(id));
        }
        Ok(SessionDetails {
            cleanup_overdue: session.as_deref().is_some_and(|session| {
                let ended_at = session.end.as_ref().map(|end| end.at);
                session.teardown == Teardown::Wanted && lifecycle::is_overdue(ended_at, self.clock.now())
            }),
            session: session.as_deref().map(SessionView::from),
            events: timeline::of(&events),
        })
    }

    /// All sessions of a view over all its pages, in its order: one snapshot.
    pub fn export(&self, me: &Me, view: &View) -> Result<Vec<Arc<Session>>> {
        require(me, Role::SystemAdmin)?;
        Ok(self.replica.all(view)?)
    }

    /// Launches an application, or resumes the user's live session of it. Returns when the launch
    /// is on the disk. The start continues in the background, even if the client hangs up. A session
    /// that is resumed keeps the regional settings of its launch.
    pub async fn launch(self: &Arc<Self>, me: &Me, launch: impl Into<Launch>) -> Result<SessionView> {
        let (control, me, launch) = (self.clone(), me.clone(), launch.into());
        let launched = tokio::spawn(async move { control.launch_detached(&me, launch).await });
        launched.await.map_err(|error| Error::Internal(error.to_string()))?
    }

    /// Expires a session: ends access to it at once, in every status. For a session that has ended
    /// before, the result has the time and the actor of that end.
    pub async fn expire(&self, me: &Me, id: SessionId, request: ExpireRequest) -> Result<SessionView> {
        require(me, Role::SystemAdmin)?;
        let command = Command::Expire {
            reason: EndReason::Admin,
            note: note(request.reason.as_deref())?,
            seen: request.seen,
            batch: None,
            block: request.block_relaunch,
        };
        self.end(id, command, actor(me)).await
    }

    /// Gives up the cleanup of an ended session in its environment, so that the row can be purged.
    /// The administrator removes the leftovers.
    pub async fn give_up_cleanup(&self, me: &Me, id: SessionId) -> Result<SessionView> {
        require(me, Role::SystemAdmin)?;
        self.apply(id, Command::GiveUp, actor(me))
            .await
            .map(|session| SessionView::from(&session))
    }

    /// Ends a session for its own user.
    pub async fn end_own(&self, me: &Me, id: SessionId) -> Result<SessionView> {
        self.own_session_fresh(me, id).await?;
        self.end(id, Command::expire(EndReason::User), actor(me)).await
    }

    /// Ends a session: commit, close its tab on its host, answer.
    async fn end(&self, id: SessionId, command: Command, by: Actor) -> Result<SessionView> {
        let session = self.apply(id, command, by).await?;
        self.close_on_hosts([&session]).await;
        Ok(SessionView::from(&session))
    }

    /// A session, if this person may see it.
    pub(crate) fn session_visible_to(&self, me: &Me, id: SessionId) -> Result<Arc<Session>> {
        if me.role == Role::SystemAdmin {
            return self.replica.get(id).ok_or(Error::NoSession(id));
        }
        self.own_session(me, id)
    }

    /// Catches up with the log if the session is unknown here or hosted elsewhere: its host may
    /// have changed it since, and we must not show older state than the tab has already seen.
    pub async fn refresh_from_log(&self, id: SessionId) -> Result<()> {
        let is_current = |session: Arc<Session>| !session.status.is_live() || self.hosts(&session);
        if !self.replica.get(id).is_some_and(is_current) {
            self.catch_up().await?;
        }
        Ok(())
    }

    /// The session of this person, after [`Control::refresh_from_log`].
    pub(crate) async fn own_session_fresh(&self, me: &Me, id: SessionId) -> Result<Arc<Session>> {
        self.refresh_from_log(id).await?;
        self.own_session(me, id)
    }

    /// The session of this person. A session of another person counts as unknown.
    pub(crate) fn own_session(&self, me: &Me, id: SessionId) -> Result<Arc<Session>> {
        let session = self.replica.get(id).filter(|session| session.user_id == me.user_id);
        session.ok_or(Error::NoSession(id))
    }

    /// Commits one command and returns the session after it.
    pub(crate) async fn apply(&self, id: SessionId, command: Command, by: Actor) -> Result<Session> {
        let request = WriteRequest::Step {
            session_id: id,
            command,
            by,
            at: self.clock.now(),
        };
        match self.writer.submit(request).await? {
            WriteOutcome::Stepped { session, .. } => Ok(session),
            WriteOutcome::Refused(refusal, session) => Err(refused(refusal, &session)),
            WriteOutcome::NotFound => Err(Error::NoSession(id)),
            other => Err(Error::Internal(format!("the store answered {other:?} to a command"))),
        }
    }

    /// Commits a correction that this server found to be needed. A failure is logged only, because
    /// the task that found it runs again.
    pub(crate) async fn apply_or_warn(&self, id: SessionId, command: Command) {
        if let Err(error) = self.apply(id, command, Actor::System).await {
            tracing::warn!(session = %id, %error, "could not correct a session in the log; the next check retries");
        }
    }

    /// Commits a signal of an environment. The environment sends a signal only once, so this
    /// retries while the log can't be written: otherwise an application that became ready would
    /// count as starting until its time limit.
    pub(crate) async fn apply_with_retry(&self, id: SessionId, command: Command) {
        while let Err(error) = self.apply(id, command.clone(), Actor::Environment).await {
            let retry = matches!(
                error,
                Error::Store(
                    StoreError::Unreachable(_) | StoreError::OutcomeUnknown | StoreError::Busy | StoreError::Full
                )
            );
            if !retry {
                tracing::warn!(session = %id, %error, "could not record a signal from the environment; dropped it");
                return;
            }
            tracing::warn!(session = %id, %error, "could not record a signal from the environment; will retry");
            tokio::time::sleep(MIN_RETRY_DELAY).await;
        }
    }

    async fn launch_detached(self: Arc<Self>, me: &Me, launch: Launch) -> Result<SessionView> {
        let Launch {
            application_id,
            regional,
        } = launch;
        self.check_launch_rate(me, application_id).await?;
        self.check_home(me, application_id).await?;
        let session_id = SessionId(self.new_id());
        let at = self.clock.now();
        let recorded = self.recorded_refusals(me, application_id);
        let request = WriteRequest::Launch {
            session_id,
            application_id,
            user_id: me.user_id,
            node: self.options.node.clone(),
            origin: me.origin.clone(),
            most: self.options.live_sessions_per_user,
            recorded: recorded.clone(),
            at,
        };
        match self.writer.submit(request).await? {
            WriteOutcome::Launched(session, start) => {
                self.own.forget(me.user_id);
                let view = SessionView::from(&session);
                tokio::spawn(async move { self.start_in_environment(&session, start, regional).await });
                Ok(view)
            }
            WriteOutcome::Resumed(session) => Ok(SessionView::from(&session)),
            WriteOutcome::Denied(refusal) => {
                self.count_refusal(me, application_id, refusal, &recorded);
                Err(Error::Denied(refusal))
            }
            other => Err(Error::Internal(format!("the store answered {other:?} to a launch"))),
        }
    }

    /// Starts a launched session in its environment, which sends a signal when it is ready. If the
    /// environment refuses, the session becomes Error.
    async fn start_in_environment(&self, session: &Session, start: Start, regional: Regional) {
        let started = match self.environments.get(&session.environment_id) {
            Some(environment) => {
                environment
                    .start(StartSpec {
                        session_id: session.id,
                        command: start.command,
                        allow_user_namespaces: session.policy.allow_user_namespaces,
                        home: match session.home {
                            Some(HomeKind::Kept) => Home::Kept(Owner {
                                user_id: session.user_id,
                                number: start.user_number,
                            }),
                            Some(HomeKind::Scratch) | None => Home::Scratch,
                        },
                        sound: session.policy.sound,
                        regional,
                    })
                    .await
            }
            None => Err(EnvironmentError::Failed(
                "this server can't reach the environment".into(),
            )),
        };
        // The session may have ended before the environment had it. Then the stop at its end found
        // nothing to stop.
        if self.replica.get(session.id).is_none_or(|now| !now.status.is_live()) {
            self.stop_in_environment(session).await;
        }
        if let Err(error) = started {
            let command = Command::Fail(format!("The application could not be started: {error}.").into());
            self.apply_with_retry(session.id, command).await;
        }
    }

    /// Has the environment stop a session that is no longer live. If that fails, the next sweep
    /// stops it.
    pub(crate) async fn stop_in_environment(&self, session: &Session) {
        if let Some(environment) = self.environments.get(&session.environment_id)
            && let Err(error) = environment.stop(session.id).await
        {
            tracing::warn!(session = %session.id, %error, "could not stop a session that is no longer live; the next sweep retries");
        }
    }
}

/// Trims the reason that an administrator wrote for the user. A blank reason counts as none.
pub(crate) fn note(reason: Option<&str>) -> Result<Option<Arc<str>>> {
    let note = reason.map(str::trim).filter(|note| !note.is_empty());
    match note.map_or(0, |note| note.chars().count()) {
        chars if chars > MAX_NOTE_CHARS => Err(Error::NoteTooLong(chars)),
        _ => Ok(note.map(Into::into)),
    }
}

fn refused(refusal: Refusal, session: &Session) -> Error {
    let view = Box::new(SessionView::from(session));
    match refusal {
        Refusal::Changed => Error::Changed(view),
        Refusal::OldEpoch => Error::Ended(view),
        Refusal::Status {
            status: session::Status::Expired,
        } => Error::Ended(view),
        Refusal::Status { .. } => Error::Status(view),
    }
}
