//! Performs the actions. Requests run in the background, so that they overlap with later actions.

use std::{sync::Arc, time::Duration};

use control::{Attachment, Clock, Control};
use session::{
    Role, Session, SessionId,
    api::ExpireRequest,
    batch::{ExpireMany, Selector, Target},
    catalogue::LaunchState,
    lifecycle::Seen,
};
use tokio::time::{Instant, advance, sleep, timeout};

use super::{
    answers::{Outcome, summary},
    seed_data::{APPLICATIONS, ENVIRONMENTS, STUDENTS},
    steps::Action,
    tabs::Tab,
    world::World,
};

const LAUNCH_STATES: [LaunchState; 3] = [LaunchState::Open, LaunchState::Closed, LaunchState::ClosedAndEnded];

impl World {
    /// Performs one action.
    pub async fn perform(self: &Arc<Self>, action: Action) {
        self.recorder.note(format_args!("{action:?}"));
        match action {
            Action::Wait(time) => sleep(time).await,
            Action::FastForward(time) => self.fast_forward(time).await,
            Action::Launch { who, what, node, times } => {
                for time in 0..times {
                    self.launch(who, what, node);
                    if time + 1 < times {
                        sleep(Duration::from_millis(1)).await;
                    }
                }
            }
            Action::Open { which, hangs_up } => self.open(which, hangs_up, Duration::ZERO),
            Action::OpenThenExpire { which, node, after } => {
                self.open(which, None, Duration::ZERO);
                sleep(after).await;
                self.expire(which, node, false);
            }
            Action::OpenAndHangUp { which } => self.open_and_hang_up(which),
            Action::Use { which } => self.use_tab(which),
            Action::Close { which } => drop(self.close_tab(which)),
            Action::Reload { which, after } => {
                if let Some(id) = self.close_tab(which) {
                    self.open_session(id, None, after);
                }
            }
            Action::End { which, node } => self.end_own(which, node),
            Action::Expire {
                which,
                node,
                times,
                block,
            } => {
                for time in 0..times {
                    self.expire(which, node + time, block);
                }
            }
            Action::Batch { many, node, block } => self.batch(many, node, block),
            Action::ExpireSeen { which, node } => self.expire_seen(which, node),
            Action::GiveUp { which, node } => self.give_up(which, node),
            Action::RequestSweep { node } => self.request_sweep(node),
            Action::Read { which, node } => self.read(which, node),
            Action::Block { .. }
            | Action::Remove { .. }
            | Action::SetApplicationLaunches { .. }
            | Action::SetEnvironmentLaunches { .. } => self.administer(action),
            other => self.inject(other),
        }
    }

    /// Moves time forward at once. No task runs in between, as when a machine sleeps.
    pub async fn fast_forward(&self, time: Duration) {
        self.faults().disturb_until(Instant::now() + time);
        advance(time).await;
    }

    fn inject(self: &Arc<Self>, action: Action) {
        match action {
            Action::SetFaults(rates) => self.faults().set(rates),
            Action::Crash { node } => self.switch(node).crash(),
            Action::CrashAtWrite { node, point } => {
                self.switch(node).arm(point);
                self.faults().disturb();
            }
            Action::Restart { node } => self.restart(node),
            Action::Freeze { node, time } => {
                let until = Instant::now() + time;
                self.switch(node).freeze(until);
                self.faults().disturb_until(until);
            }
            Action::DropNotifications { node, time } => {
                self.switch(node).drop_notifications_until(Instant::now() + time)
            }
            Action::KillApplication { which } => {
                if let Some(session) = self.recent(which)
                    && let Some(backend) = self.backend(&session)
                {
                    backend.kill(session.id);
                }
            }
            Action::ExitApplication { which, crashed } => {
                if let Some(session) = self.recent(which)
                    && let Some(backend) = self.backend(&session)
                {
                    backend.exit(session.id, crashed);
                }
            }
            Action::Unreachable { node, environment, is } => {
                self.nodes[node].backends[environment].1.set_unreachable(is);
                self.faults().disturb();
            }
            Action::NeverStops { node, environment, is } => {
                self.nodes[node].backends[environment].1.set_never_stops(is)
            }
            _ => {}
        }
    }

    fn recent(&self, back: usize) -> Option<Session> {
        self.rows().get(self.rows().recent(back)?)
    }

    fn launch(self: &Arc<Self>, who: usize, what: usize, node: usize) {
        let Some((_, control)) = self.running_node(node) else {
            return;
        };
        let (request, me) = self.request_by(STUDENTS[who], Role::User);
        self.record_outcome(request, Outcome::Unknown);
        let world = self.clone();
        tokio::spawn(async move {
            let done = control.launch(&me, APPLICATIONS[what]).await;
            world.launched(request, me.user_id, done);
        });
    }

    fn open(self: &Arc<Self>, which: usize, hangs_up: Option<Duration>, after: Duration) {
        if let Some(id) = self.rows().recent(which) {
            self.open_session(id, hangs_up, after);
        }
    }

    fn open_session(self: &Arc<Self>, id: SessionId, hangs_up: Option<Duration>, after: Duration) {
        let world = self.clone();
        tokio::spawn(async move {
            sleep(after).await;
            let asked_at = world.recorder.now();
            let limit = hangs_up.unwrap_or(Duration::from_secs(60));
            if let Some((node, incarnation, attachment)) = world.attach(id, limit).await {
                let used_at = world.recorder.now();
                let tab = Tab {
                    id,
                    node,
                    incarnation,
                    attachment,
                    used_at,
                };
                world.add_tab(tab, asked_at);
            }
        });
    }

    /// Opens a tab that is gone when the attach ends, so that the attachment is dropped at once.
    fn open_and_hang_up(self: &Arc<Self>, which: usize) {
        let Some(id) = self.rows().recent(which) else { return };
        let world = self.clone();
        tokio::spawn(async move { drop(world.attach(id, Duration::from_secs(60)).await) });
    }

    async fn attach(&self, id: SessionId, limit: Duration) -> Option<(usize, u32, Attachment)> {
        let session = self.rows().get(id)?;
        let (request, me) = self.request_by(session.user_id, Role::User);
        let node = self.host(&session);
        let (control, incarnation) = (self.control(node)?, self.incarnation(node)?);
        let name = self.rows().name(id);
        let attached = timeout(limit, control.attach(&me, id)).await;
        match attached {
            Ok(Ok((attachment, _stream))) => {
                self.recorder
                    .note(format_args!("  {request} tab of s{name} is attached"));
                Some((node, incarnation, attachment))
            }
            Ok(Err(error)) => {
                self.recorder.note(format_args!("  {request} tab of s{name}: {error}"));
                None
            }
            Err(_) => {
                self.recorder.note(format_args!("  {request} tab of s{name} hung up"));
                None
            }
        }
    }

    fn end_own(self: &Arc<Self>, which: usize, node: usize) {
        let Some(session) = self.recent(which) else { return };
        let Some((node, control)) = self.running_node(node) else {
            return;
        };
        let (request, me) = self.request_by(session.user_id, Role::User);
        self.record_outcome(request, Outcome::Unknown);
        let world = self.clone();
        tokio::spawn(async move {
            let done = control.end_own(&me, session.id).await;
            world.ended(request, node, session.id, &done);
        });
    }

    fn expire(self: &Arc<Self>, which: usize, node: usize, block: bool) {
        let Some(id) = self.rows().recent(which) else { return };
        let Some((node, control)) = self.running_node(node) else {
            return;
        };
        let (request, me) = self.admin_request();
        self.record_outcome(request, Outcome::Unknown);
        let world = self.clone();
        let request_body = ExpireRequest {
            block_relaunch: block,
            ..ExpireRequest::default()
        };
        tokio::spawn(async move {
            let done = control.expire(&me, id, request_body).await;
            world.ended(request, node, id, &done);
        });
    }

    /// Expires a session with the state that the list showed. The request may be refused because
    /// the session has changed.
    fn expire_seen(self: &Arc<Self>, which: usize, node: usize) {
        let Some(id) = self.rows().recent(which) else { return };
        let Some((node, control)) = self.running_node(node) else {
            return;
        };
        let (request, me) = self.admin_request();
        self.record_outcome(request, Outcome::Unknown);
        let Ok(row) = control.session(&me, id) else { return };
        let world = self.clone();
        let request_body = ExpireRequest {
            seen: Some(Seen {
                status: row.status,
                connected: row.connected,
            }),
            ..ExpireRequest::default()
        };
        tokio::spawn(async move {
            if control.expire(&me, id, request_body).await.is_ok() {
                world.record_outcome(request, Outcome::Done);
                world.expire_answered(node, id);
            }
        });
    }

    fn batch(self: &Arc<Self>, many: usize, node: usize, block: bool) {
        let Some((node, control)) = self.running_node(node) else {
            return;
        };
        let (request, me) = self.admin_request();
        self.record_outcome(request, Outcome::Unknown);
        let ids = (0..many).filter_map(|back| self.rows().recent(back)).collect();
        let world = self.clone();
        tokio::spawn(async move {
            let Ok(selection) = control.selection(&me, &Selector::Ids(ids)).await else {
                return;
            };
            let targets = selection.sessions.iter().map(|chosen| Target {
                id: chosen.id,
                seen: None,
            });
            let request_body = ExpireMany {
                batch: selection.batch,
                size: u32::try_from(selection.sessions.len()).unwrap_or(u32::MAX),
                reason: None,
                block_relaunch: block,
                sessions: targets.collect(),
            };
            let Ok(outcomes) = control.expire_many(&me, request_body).await else {
                return;
            };
            for outcome in outcomes.iter().filter(|outcome| outcome.session.is_some()) {
                world.expire_answered(node, outcome.id);
            }
        });
    }

    fn give_up(self: &Arc<Self>, which: usize, node: usize) {
        let Some(id) = self.rows().recent(which) else { return };
        let Some((_, control)) = self.running_node(node) else {
            return;
        };
        let (_, me) = self.admin_request();
        let world = self.clone();
        tokio::spawn(async move {
            let done = control.give_up_cleanup(&me, id).await;
            world.recorder.note(format_args!("  give up: {}", summary(&done)));
        });
    }

    fn request_sweep(self: &Arc<Self>, node: usize) {
        let Some((_, control)) = self.running_node(node) else {
            return;
        };
        let (_, me) = self.admin_request();
        let world = self.clone();
        tokio::spawn(async move {
            let done = control.request_sweep(&me).await;
            world.recorder.note(format_args!("  refresh: {}", summary(&done)));
        });
    }

    /// Reads lists and details. That does not count as use of a tab.
    fn read(self: &Arc<Self>, which: usize, node: usize) {
        let Some((node, control)) = self.running_node(node) else {
            return;
        };
        self.check_list(node, &control);
        let Some(id) = self.rows().recent(which) else { return };
        let (_, me) = self.admin_request();
        tokio::spawn(async move {
            // The results do not matter here.
            let _ = control.session(&me, id);
            let _ = control.session_details(&me, id).await;
            let _ = control.environments(&me).await;
        });
    }

    fn administer(self: &Arc<Self>, action: Action) {
        let (Action::Block { node, .. }
        | Action::Remove { node, .. }
        | Action::SetApplicationLaunches { node, .. }
        | Action::SetEnvironmentLaunches { node, .. }) = action
        else {
            return;
        };
        let Some((_, control)) = self.running_node(node) else {
            return;
        };
        let world = self.clone();
        tokio::spawn(async move { world.administer_now(&control, action).await });
    }

    async fn administer_now(&self, control: &Arc<Control>, action: Action) {
        let (request, me) = self.admin_request();
        self.record_outcome(request, Outcome::Unknown);
        let done = match action {
            Action::Block { who, blocked, .. } => {
                let name = super::seed_data::name(STUDENTS[who]);
                control.block_user(&me, &name, blocked).await
            }
            Action::Remove { who, .. } => {
                let name = super::seed_data::name(STUDENTS[who]);
                control.remove_user(&me, &name).await
            }
            Action::SetApplicationLaunches { what, to, .. } => control
                .set_application_launches(&me, APPLICATIONS[what], LAUNCH_STATES[to])
                .await
                .map(drop),
            Action::SetEnvironmentLaunches { environment, to, .. } => control
                .set_environment_launches(&me, ENVIRONMENTS[environment], LAUNCH_STATES[to])
                .await
                .map(drop),
            _ => return,
        };
        self.recorder
            .note(format_args!("  {request} {action:?}: {}", summary(&done)));
        match done {
            Ok(()) => {
                self.record_outcome(request, Outcome::Done);
                self.check_cause_removed(action);
            }
            Err(error) => self.record_outcome(request, Outcome::of(&error)),
        }
    }
}
