//! Expiring many sessions: the selection, and its parts one after the other. A batch is not atomic:
//! each session has its own outcome and its own event, and the batch has one event.

use futures::future::join_all;
use session::{
    BatchId, EndReason, Role, Session, SessionId,
    api::{Me, Problem, SessionView},
    batch::{Chosen, ExpireMany, MAX_CHOSEN, MAX_PART, Outcome, Selection, Selector, Target},
    lifecycle::{Command, Seen, Verb, Verdict, verdict},
};
use store::{WriteOutcome, WriteRequest};

use crate::{
    Control, Error, Result,
    authorization::{actor, require},
    sessions::note,
};

impl Control {
    /// The sessions that a selector matches now, with the state that the administrator sees before
    /// the decision.
    pub async fn selection(&self, me: &Me, selector: &Selector) -> Result<Selection> {
        require(me, Role::SystemAdmin)?;
        let (found, missing) = match selector {
            Selector::Ids(ids) => {
                // Another node may have just launched the session. Otherwise it was purged.
                if ids.iter().any(|id| self.replica.get(*id).is_none()) {
                    self.catch_up().await?;
                }
                let found: Vec<_> = ids.iter().filter_map(|id| self.replica.get(*id)).collect();
                let missing = ids.len() - found.len();
                (found, missing)
            }
            Selector::Matching(view) => (self.replica.all(view)?, 0),
        };
        let sessions: Vec<_> = found
            .iter()
            .filter(|session| can_end(session))
            .map(|s| chosen(s))
            .collect();
        if sessions.len() > MAX_CHOSEN {
            return Err(Error::TooMany(sessions.len()));
        }
        let ended = found.len() - sessions.len() + missing;
        Ok(Selection {
            batch: BatchId(self.new_id()),
            sessions,
            ended: u32::try_from(ended).unwrap_or(u32::MAX),
        })
    }

    /// Expires a part of a batch. Returns one outcome for each session, in order.
    pub async fn expire_many(&self, me: &Me, request: ExpireMany) -> Result<Vec<Outcome>> {
        require(me, Role::SystemAdmin)?;
        if request.sessions.len() > MAX_PART {
            return Err(Error::Malformed(format!(
                "A part of a batch has at most {MAX_PART} sessions, not {}.",
                request.sessions.len()
            )));
        }
        let note = note(request.reason.as_deref())?;
        let noted = WriteRequest::Batch {
            batch: request.batch,
            size: request.size,
            note: note.clone(),
            by: actor(me),
            at: self.clock.now(),
        };
        match self.writer.submit(noted).await? {
            WriteOutcome::Noted => {}
            other => return Err(Error::Internal(format!("the store answered {other:?} to a batch"))),
        }
        let expire = async |Target { id, seen }: &Target| {
            let command = Command::Expire {
                reason: EndReason::Admin,
                note: note.clone(),
                seen: *seen,
                batch: Some(request.batch),
                block: request.block_relaunch,
            };
            self.apply(*id, command, actor(me)).await
        };
        // Concurrently, so that they share transactions.
        let done = join_all(request.sessions.iter().map(expire)).await;
        self.close_on_hosts(done.iter().flatten()).await;
        let ids = request.sessions.iter().map(|target| target.id);
        Ok(ids.zip(done).map(|(id, done)| outcome(id, done)).collect())
    }
}

fn can_end(session: &Session) -> bool {
    matches!(verdict(session.status, Verb::Expire), Verdict::To(_))
}

fn chosen(session: &Session) -> Chosen {
    Chosen {
        id: session.id,
        username: session.username.clone(),
        environment: session.environment.clone(),
        application: session.application.clone(),
        seen: Seen {
            status: session.status,
            connected: session.connected(),
        },
    }
}

fn outcome(id: SessionId, done: Result<Session>) -> Outcome {
    match done {
        Ok(session) => Outcome {
            id,
            session: Some(SessionView::from(&session)),
            problem: None,
        },
        Err(error) => Outcome {
            id,
            session: None,
            problem: Some(Problem::from(error)),
        },
    }
}
