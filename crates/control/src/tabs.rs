//! The tab of a session: its content, and the stream behind it.

use std::{num::NonZeroU32, sync::Arc};

use environments::{Duplex, Environment, Prints, Windows};
use session::{
    Actor, Session, SessionId, Status, Transfer,
    api::{Me, SessionView},
    lifecycle::Command,
    notice::{self, Notice, SoundState},
    windows::WindowAction,
};
use tokio::{
    runtime::Handle,
    sync::{mpsc, oneshot},
};
use tokio_util::task::task_tracker::TaskTrackerToken;

use crate::{
    Close, Control, Error, Result,
    authorization::actor,
    commit::close_reason,
    sound,
    tab_registry::{LastUse, Registered, TabKey},
};

/// The content of a session's tab.
#[derive(Debug)]
pub enum Tab {
    /// The session is Pending or Active: the tab shows the application, or that it is starting.
    Live(SessionView),
    /// The session is Expired or in Error: the tab shows that, and nothing opens the session again.
    Over(SessionView),
}

/// An attached tab and the channel that closes it. Dropping it detaches the tab.
pub struct Attachment {
    /// The session that the tab has open.
    pub session_id: SessionId,
    /// Receives the reason for which the tab must close. The relay checks it before each forward.
    pub closed: oneshot::Receiver<Close>,
    /// Receives the notices for the tab.
    pub notices: mpsc::UnboundedReceiver<Notice>,
    /// The relay touches it with each use of the tab by a person.
    pub last_use: LastUse,
    /// The directions of the clipboard, for the relay to enforce.
    pub clipboard: Transfer,
    /// The windows of the application; `None` if the environment knows none.
    pub windows: Option<Windows>,
    /// The prints of the application; `None` if the environment has no printer.
    pub prints: Option<Prints>,
    /// True if the user may download them.
    pub prints_leave: bool,
    /// Acts on the windows.
    pub desk: Desk,
    _detach: DetachOnDrop,
    /// The shutdown waits for this token: the relay still has to send the reason for the close.
    _token: TaskTrackerToken,
}

/// The windows of one session, for its attached tab. An action is no change of the session, so the
/// log has no event for it.
#[derive(Clone)]
pub struct Desk {
    environment: Arc<dyn Environment>,
    session_id: SessionId,
}

impl Desk {
    /// Asks for the titles again; the tab's list follows.
    pub fn refresh_titles(&self) {
        self.environment.refresh_titles(self.session_id);
    }

    /// Activates or closes a window. Does nothing if it is gone.
    pub fn act_on_window(&self, window: u32, action: WindowAction) {
        self.environment.act_on_window(self.session_id, window, action);
    }
}

/// Detaches the tab when its stream has ended, or when its client hung up during the attach. The
/// session counts as disconnected unless a tab has it open after the grace period, such as the same
/// tab after a reload.
struct DetachOnDrop {
    control: Arc<Control>,
    session_id: SessionId,
    key: TabKey,
    me: Me,
}

impl Drop for DetachOnDrop {
    fn drop(&mut self) {
        if !self.control.tabs.remove(self.session_id, self.key) {
            return;
        }
        // Without a runtime the process is ending. The recovery at its next start detaches every
        // tab.
        let Ok(runtime) = Handle::try_current() else { return };
        let (control, id, by) = (self.control.clone(), self.session_id, actor(&self.me));
        runtime.spawn(async move {
            tokio::time::sleep(control.options.reload_grace).await;
            control.detach_if_unattended(id, Command::Detach, by).await;
        });
    }
}

impl Control {
    /// The content of the session's tab, for the owner of the session.
    pub async fn tab(&self, me: &Me, id: SessionId) -> Result<Tab> {
        let session = self.own_session_fresh(me, id).await?;
        let view = SessionView::from(&*session);
        Ok(if session.status.is_live() {
            Tab::Live(view)
        } else {
            Tab::Over(view)
        })
    }

    /// Attaches a tab to a session and returns the byte stream of the application. For the owner of
    /// the session only. Waits while the session is starting. Closes an older tab of the session.
    pub async fn attach(self: &Arc<Self>, me: &Me, id: SessionId) -> Result<(Attachment, Box<dyn Duplex>)> {
        self.own_session_fresh(me, id).await?;
        let login = self.login(me)?;
        self.wait_until_started(id).await;
        self.ensure_accepting()?;
        let session = self.own_session(me, id)?;
        if session.status != Status::Active {
            let view = Box::new(SessionView::from(&*session));
            return Err(if session.status == Status::Expired {
                Error::Ended(view)
            } else {
                Error::Status(view)
            });
        }
        if !self.hosts(&session) {
            return Err(Error::NodeAway(session.node.clone()));
        }
        let environment = self.environments.get(&session.environment_id);
        let environment = environment
            .cloned()
            .ok_or_else(|| Error::Environment("this server can't reach it".into()))?;
        let stream = environment
            .connect(id)
            .await
            .map_err(|error| Error::Environment(error.to_string()))?;

        let sound = sound::state(&session, &*environment);

        // Check, register, commit (which checks the epoch), check again. So an expire at any moment
        // in between finds the tab.
        let Registered {
            key,
            closed,
            notices,
            last_use,
        } = self.tabs.register(id, self.clock.clone(), login.clone());
        let attachment = Attachment {
            session_id: id,
            closed,
            notices,
            last_use,
            clipboard: session.policy.clipboard,
            windows: environment.windows(id),
            prints: environment.prints(id),
            prints_leave: self.prints_leave(me, &session),
            desk: Desk {
                environment,
                session_id: id,
            },
            _detach: DetachOnDrop {
                control: self.clone(),
                session_id: id,
                key,
                me: me.clone(),
            },
            _token: self.tab_tracker.token(),
        };
        let epoch = session.access_epoch;
        if let Err(error) = self.apply(id, Command::Attach { epoch }, actor(me)).await {
            self.tabs.remove(id, key);
            return Err(error);
        }
        if let Some(why) = self.replica.get(id).and_then(|session| close_reason(&session)) {
            self.tabs.close(id, why);
        }
        if login.is_some_and(|login| login.ended.is_cancelled()) {
            self.tabs.close(id, Close::SignedOut);
            self.detach_if_unattended(id, Command::Detach, actor(me)).await;
        }
        // A shutdown may have begun during the commit.
        if let Err(refused) = self.ensure_accepting() {
            let lost = matches!(refused, Error::Lost);
            self.tabs.close(id, if lost { Close::LogLost } else { Close::Restart });
        }
        self.tabs.notify(id, self.limits_of_tab(me, &session, sound));
        Ok((attachment, stream))
    }

    /// The first notice to a tab.
    fn limits_of_tab(&self, me: &Me, session: &Session, sound: SoundState) -> Notice {
        Notice::Limits {
            server_time: self.clock.now(),
            valid_until: session.valid_until,
            idle_seconds: session.policy.idle_seconds.map(NonZeroU32::get),
            disconnected_seconds: session.policy.disconnected_seconds.map(NonZeroU32::get),
            clipboard: session.policy.clipboard,
            sound,
            files: self.permitted(me, session.environment_id),
        }
    }

    /// Returns when the session is no longer Pending. The start timer guarantees that this happens.
    async fn wait_until_started(&self, id: SessionId) {
        let mut changes = self.replica.subscribe();
        while self
            .replica
            .get(id)
            .is_some_and(|session| session.status == Status::Pending)
        {
            tokio::select! {
                changed = changes.changed() => if changed.is_err() { return },
                () = self.shutdown.cancelled() => return,
            }
        }
    }

    /// Closes the tabs that have been idle for too long, and warns those that will be closed soon.
    pub(crate) async fn expire_idle_tabs(&self) -> Result<()> {
        let now = self.clock.now();
        for tab in self.tabs.all() {
            let Some(session) = self.replica.get(tab.id) else {
                continue;
            };
            if notice::idle_at(&session, tab.used_at).is_none_or(|at| now < at) {
                self.tabs.warn(tab, notice::warning(&session, tab.used_at, now), now);
            } else if self.tabs.close_unused(tab, Close::Idle) {
                self.detach_if_unattended(tab.id, Command::Idle, Actor::System).await;
            }
        }
        Ok(())
    }

    /// Records that no tab has the session open any more, unless one has.
    pub(crate) async fn detach_if_unattended(&self, id: SessionId, command: Command, by: Actor) {
        if self.tabs.is_open(id) {
            return;
        }
        let detached = self.apply(id, command, by.clone()).await;
        let settled = match detached {
            // A tab attached between the check and the commit. The commit detached it, so attach it
            // again.
            Ok(session) if self.tabs.is_open(id) => {
                let epoch = session.access_epoch;
                self.apply(id, Command::Attach { epoch }, by).await
            }
            other => other,
        };
        if let Err(error) = settled {
            tracing::warn!(session = %id, %error, "could not record that a tab is closed; will retry within seconds");
        }
    }
}
