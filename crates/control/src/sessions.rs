//! Sessions: launch, look at, expire.

use std::sync::Arc;

use environments::{EnvironmentError, StartSpec};
use session::{
    Actor, ApplicationId, EndReason, Role, Session, SessionId, Teardown, checksum,
    lifecycle::{self, Command, Refusal},
    timeline,
    view::View,
    wire::{ExpireRequest, Head, MAX_NOTE_CHARS, Me, MyApplication, SessionDetails, SessionList, SessionView},
};
use store::{Answer, Application, Request};

use crate::{
    Control, Error, Result,
    authority::{actor, require},
};

impl Control {
    /// A page of the list: one snapshot, from memory.
    pub fn list(&self, me: &Me, view: &View) -> Result<SessionList> {
        require(me, Role::SystemAdmin)?;
        self.list_of(view)
    }

    /// The same for whoever was let in before.
    pub(crate) fn list_of(&self, view: &View) -> Result<SessionList> {
        let page = self.replica.page(view).map_err(Error::Malformed)?;
        let sweeps = self.sweeps();
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

    /// One session: a System Admin's to see, and its own user's.
    pub fn session(&self, me: &Me, id: SessionId) -> Result<SessionView> {
        self.visible(me, id).map(|session| SessionView::from(&*session))
    }

    /// One session with its history and what time will do to it. Also of one that was purged: its events stay.
    pub async fn session_details(&self, me: &Me, id: SessionId) -> Result<SessionDetails> {
        require(me, Role::SystemAdmin)?;
        let events = self.store.events(id).await?;
        // What another node may have written is read after them, so that the row is no older.
        if self.replica.get(id).is_none_or(|session| !self.mine(&session)) {
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

    /// Every session that a view shows, on whatever page, in its order: one snapshot.
    pub fn export(&self, me: &Me, view: &View) -> Result<Vec<Arc<Session>>> {
        require(me, Role::SystemAdmin)?;
        self.replica.all(view).map_err(Error::Malformed)
    }

    /// What a user can launch, with their live sessions; from memory. What another process wrote is in it within a second.
    pub async fn my_applications(&self, me: &Me) -> Result<Vec<MyApplication>> {
        Ok(self.applications_of(me, &self.cached_applications().await?))
    }

    /// The same, read from the database: for programs, which may have been told of an application a moment ago.
    pub async fn my_applications_now(&self, me: &Me) -> Result<Vec<MyApplication>> {
        Ok(self.applications_of(me, &self.store.applications().await?))
    }

    fn applications_of(&self, me: &Me, applications: &[Application]) -> Vec<MyApplication> {
        let live = self.replica.live_of(me.user_id);
        let mine = applications
            .iter()
            .filter(|application| application.open || live.contains_key(&application.id));
        mine.map(|application| MyApplication {
            session: live.get(&application.id).map(|session| SessionView::from(&**session)),
            id: application.id,
            name: application.name.clone(),
            launch_text: application.launch_text.clone(),
        })
        .collect()
    }

    /// Launches an application, or resumes the user's live session of it. Answers as soon as the launch is on the disk;
    /// the start goes on by itself, also when the client hangs up.
    pub async fn launch(self: &Arc<Self>, me: &Me, application_id: ApplicationId) -> Result<SessionView> {
        let (control, me) = (self.clone(), me.clone());
        let launched = tokio::spawn(async move { control.launch_to_the_end(&me, application_id).await });
        launched.await.map_err(|error| Error::Internal(error.to_string()))?
    }

    /// Ends access to a session at once. In every status; one that has ended says when and by whom.
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

    /// No longer waits for the environment to close an ended session: what may be left there is the administrator's to
    /// remove. The row can then be purged.
    pub async fn give_up_cleanup(&self, me: &Me, id: SessionId) -> Result<SessionView> {
        require(me, Role::SystemAdmin)?;
        self.step(id, Command::GiveUp, actor(me))
            .await
            .map(|session| SessionView::from(&session))
    }

    /// Ends one's own session.
    pub async fn end_own(&self, me: &Me, id: SessionId) -> Result<SessionView> {
        self.found(me, id).await?;
        self.end(id, Command::expire(EndReason::User), actor(me)).await
    }

    /// Ends a session: commit, close its tab on whichever node, answer.
    async fn end(&self, id: SessionId, command: Command, by: Actor) -> Result<SessionView> {
        let session = self.step(id, command, by).await?;
        self.closed_elsewhere([&session]).await;
        Ok(SessionView::from(&session))
    }

    /// A session that this person may know of.
    pub(crate) fn visible(&self, me: &Me, id: SessionId) -> Result<Arc<Session>> {
        if me.role == Role::SystemAdmin {
            return self.replica.get(id).ok_or(Error::NoSession(id));
        }
        self.owned(me, id)
    }

    /// Looks into the log for a session that is not known here, or that another node runs: that may just have launched it, or closed
    /// its tab, and this node must not show less than the tab was told.
    pub async fn refresh_from_log(&self, id: SessionId) -> Result<()> {
        let settled = |session: Arc<Session>| !session.status.is_live() || self.mine(&session);
        if !self.replica.get(id).is_some_and(settled) {
            self.catch_up().await?;
        }
        Ok(())
    }

    /// A person's own session, as the log has it where another node runs it.
    pub(crate) async fn found(&self, me: &Me, id: SessionId) -> Result<Arc<Session>> {
        self.refresh_from_log(id).await?;
        self.owned(me, id)
    }

    /// A person's own session. Somebody else's is as unknown as none at all.
    pub(crate) fn owned(&self, me: &Me, id: SessionId) -> Result<Arc<Session>> {
        let found = self.replica.get(id).filter(|session| session.user_id == me.user_id);
        found.ok_or(Error::NoSession(id))
    }

    /// Commits one command and answers the session as it then is.
    pub(crate) async fn step(&self, id: SessionId, command: Command, by: Actor) -> Result<Session> {
        let request = Request::Step {
            session_id: id,
            command,
            by,
            at: self.clock.now(),
        };
        match self.writer.submit(request).await? {
            Answer::Stepped { session, .. } => Ok(session),
            Answer::Refused(refusal, session) => Err(refused(refusal, &session)),
            Answer::Unknown => Err(Error::NoSession(id)),
            other => Err(Error::Internal(format!("the store answered {other:?} to a step"))),
        }
    }

    async fn launch_to_the_end(self: Arc<Self>, me: &Me, application_id: ApplicationId) -> Result<SessionView> {
        self.check_launch_rate(me, application_id).await?;
        let session_id = SessionId(self.new_id());
        let at = self.clock.now();
        let recorded = self.recorded_refusals(me, application_id);
        let request = Request::Launch {
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
            Answer::Launched(session, command) => {
                let view = SessionView::from(&session);
                tokio::spawn(async move { self.start_in_environment(&session, command).await });
                Ok(view)
            }
            Answer::Resumed(session) => Ok(SessionView::from(&session)),
            Answer::Denied(refusal) => {
                self.note_refusal(me, application_id, refusal, &recorded);
                Err(Error::Denied(refusal))
            }
            other => Err(Error::Internal(format!("the store answered {other:?} to a launch"))),
        }
    }

    /// Hands a launched session to its environment. What follows comes as a signal; a refusal is the session's Error.
    async fn start_in_environment(&self, session: &Session, command: Vec<String>) {
        let started = match self.environments.get(&session.environment_id) {
            Some(environment) => {
                environment
                    .start(StartSpec {
                        session_id: session.id,
                        command,
                        allow_user_namespaces: session.policy.allow_user_namespaces,
                    })
                    .await
            }
            None => Err(EnvironmentError::Failed(
                "this server can't reach the environment".into(),
            )),
        };
        // It may have been ended before the environment knew of it: then the environment was asked to stop nothing.
        if self.replica.get(session.id).is_none_or(|now| !now.status.is_live()) {
            self.stop_in_environment(session).await;
        }
        if let Err(error) = started {
            let command = Command::Fail(format!("The application could not be started: {error}.").into());
            self.record(session.id, command).await;
        }
    }

    /// Has the environment drop what no longer counts as live. Where that fails, the next sweep does it.
    pub(crate) async fn stop_in_environment(&self, session: &Session) {
        if let Some(environment) = self.environments.get(&session.environment_id)
            && let Err(error) = environment.stop(session.id).await
        {
            tracing::warn!(session = %session.id, %error, "what is left of a session is not closed yet");
        }
    }
}

/// What an administrator wrote, as it is kept: blank is nothing.
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
