//! A session's own tab: what it may show, and the stream behind it.

use std::sync::Arc;

use environments::Duplex;
use session::{
    Actor, SessionId, Status,
    lifecycle::Command,
    notice::{self, Notice},
    wire::{Me, SessionView},
};
use tokio::{
    runtime::Handle,
    sync::{mpsc, oneshot},
};
use tokio_util::task::task_tracker::TaskTrackerToken;

use crate::{
    Close, Control, Error, Result,
    authority::actor,
    close_reason,
    streams::{LastUse, Registered, TabKey},
};

/// What the tab of a session shows.
#[derive(Debug)]
pub enum Tab {
    /// The application, or that it is starting.
    Live(SessionView),
    /// That it has ended, or is in Error: nothing opens it again.
    Over(SessionView),
}

/// A tab that is let in, and the word to close. Dropping it says that its stream has ended, whoever ended it.
pub struct Attachment {
    /// The session.
    pub session_id: SessionId,
    /// Says why the tab must close. Look at it before each forward.
    pub closed: oneshot::Receiver<Close>,
    /// What the tab is to be told.
    pub notices: mpsc::UnboundedReceiver<Notice>,
    /// To be called whenever somebody uses the tab.
    pub last_use: LastUse,
    _leaving: Leaving,
    /// While it lives, somebody has yet to tell the tab why it closes.
    _told: TaskTrackerToken,
}

/// What follows when a tab's stream has ended: also where a client hung up before anybody could take the attachment. Unless
/// another tab, or the same one reloaded, has the session open when the grace is over, it is no longer connected.
struct Leaving {
    control: Arc<Control>,
    session_id: SessionId,
    key: TabKey,
    me: Me,
}

impl Drop for Leaving {
    fn drop(&mut self) {
        if !self.control.streams.remove(self.session_id, self.key) {
            return;
        }
        // Without a runtime the process is ending: at its next start no tab is open.
        let Ok(runtime) = Handle::try_current() else { return };
        let (control, id, by) = (self.control.clone(), self.session_id, actor(&self.me));
        runtime.spawn(async move {
            tokio::time::sleep(control.options.reload_grace).await;
            control.disconnect_if_left(id, Command::Detach, by).await;
        });
    }
}

impl Control {
    /// What the session's tab shows to its user.
    pub async fn tab(&self, me: &Me, id: SessionId) -> Result<Tab> {
        let session = self.found(me, id).await?;
        let view = SessionView::from(&*session);
        Ok(if session.status.is_live() {
            Tab::Live(view)
        } else {
            Tab::Over(view)
        })
    }

    /// Opens a session in a tab, with the application's bytes. Its owner only. One that is starting is waited for. A tab
    /// that had it open is told to close.
    pub async fn attach(self: &Arc<Self>, me: &Me, id: SessionId) -> Result<(Attachment, Box<dyn Duplex>)> {
        self.found(me, id).await?;
        let login = self.login(me)?;
        self.started(id).await;
        self.let_in()?;
        let session = self.owned(me, id)?;
        if session.status != Status::Active {
            let view = Box::new(SessionView::from(&*session));
            return Err(if session.status == Status::Expired {
                Error::Ended(view)
            } else {
                Error::Status(view)
            });
        }
        if !self.mine(&session) {
            return Err(Error::NodeAway(session.node.clone()));
        }
        let environment = self.environments.get(&session.environment_id);
        let environment = environment.ok_or_else(|| Error::Environment("it can't be reached from here".into()))?;
        let stream = environment
            .connect(id)
            .await
            .map_err(|error| Error::Environment(error.to_string()))?;

        // Check, register, commit (which checks the epoch), check again: whatever an expire overtakes, it finds the tab.
        let Registered {
            key,
            closed,
            notices,
            last_use,
        } = self.streams.register(id, self.clock.clone(), login.clone());
        let attachment = Attachment {
            session_id: id,
            closed,
            notices,
            last_use,
            _leaving: Leaving {
                control: self.clone(),
                session_id: id,
                key,
                me: me.clone(),
            },
            _told: self.tabs.token(),
        };
        let attached = self
            .step(
                id,
                Command::Attach {
                    epoch: session.access_epoch,
                },
                actor(me),
            )
            .await;
        if let Err(error) = attached {
            self.streams.remove(id, key);
            return Err(error);
        }
        if let Some(why) = self.replica.get(id).and_then(|session| close_reason(&session)) {
            self.streams.close(id, why);
        }
        if login.is_some_and(|login| login.ended.is_cancelled()) {
            self.streams.close(id, Close::SignedOut);
            self.disconnect_if_left(id, Command::Detach, actor(me)).await;
        }
        // It may have come in between.
        if let Err(refused) = self.let_in() {
            let lost = matches!(refused, Error::Lost);
            self.streams
                .close(id, if lost { Close::LogLost } else { Close::Restart });
        }
        let limits = Notice::Limits {
            server_time: self.clock.now(),
            valid_until: session.valid_until,
            idle_seconds: session.policy.idle_seconds.map(std::num::NonZeroU32::get),
        };
        self.streams.tell(id, limits);
        Ok((attachment, stream))
    }

    /// Returns when the session is no longer Pending: its start timer sees to it that this comes.
    async fn started(&self, id: SessionId) {
        let mut changes = self.replica.subscribe();
        while self
            .replica
            .get(id)
            .is_some_and(|session| session.status == Status::Pending)
        {
            tokio::select! {
                changed = changes.changed() => if changed.is_err() { return },
                () = self.draining.cancelled() => return,
            }
        }
    }

    /// Warns the tabs whose time is nearly over, and closes those that nobody has used for too long.
    pub(crate) async fn mind_tabs(&self) -> Result<()> {
        let now = self.clock.now();
        for tab in self.streams.all() {
            let Some(session) = self.replica.get(tab.id) else {
                continue;
            };
            if notice::idle_at(&session, tab.used_at).is_none_or(|at| now < at) {
                self.streams.warn(tab, notice::warning(&session, tab.used_at, now), now);
            } else if self.streams.close_unused(tab, Close::Idle) {
                self.disconnect_if_left(tab.id, Command::Idle, Actor::System).await;
            }
        }
        Ok(())
    }

    /// Records that no tab has the session open any more, unless one has.
    pub(crate) async fn disconnect_if_left(&self, id: SessionId, command: Command, by: Actor) {
        if self.streams.open(id) {
            return;
        }
        let detached = self.step(id, command, by.clone()).await;
        let settled = match detached {
            // A tab that came between the look and the commit was counted as connected before it, and is so again.
            Ok(session) if self.streams.open(id) => {
                self.step(
                    id,
                    Command::Attach {
                        epoch: session.access_epoch,
                    },
                    by,
                )
                .await
            }
            other => other,
        };
        if let Err(error) = settled {
            tracing::warn!(session = %id, %error, "a tab that left could not be recorded");
        }
    }
}
