//! Doing the steps. What people ask for goes on by itself, so that it meets what comes after.

use std::{sync::Arc, time::Duration};

use control::{Attachment, Clock, Control};
use session::{
    Role, Session, SessionId, Status,
    batch::{ExpireMany, Selector, Target},
    catalogue::Admission,
    lifecycle::Seen,
    wire::ExpireRequest,
};
use tokio::time::{Instant, advance, sleep, timeout};

use super::{
    answers::{Fate, told},
    furniture::{PLACES, PROGRAMS, STUDENTS},
    steps::Deed,
    tabs::Tab,
    world::World,
};

const ADMISSIONS: [Admission; 3] = [Admission::Open, Admission::Close, Admission::CloseAndEnd];

impl World {
    /// Does one step.
    pub async fn act(self: &Arc<Self>, deed: Deed) {
        self.book.say(format_args!("{deed:?}"));
        match deed {
            Deed::Wait(time) => sleep(time).await,
            Deed::Leap(time) => self.leap(time).await,
            Deed::Launch { who, what, node, times } => {
                for time in 0..times {
                    self.launch(who, what, node);
                    if time + 1 < times {
                        sleep(Duration::from_millis(1)).await;
                    }
                }
            }
            Deed::Open { which, hangs_up } => self.open(which, hangs_up, Duration::ZERO),
            Deed::Race { which, node, after } => {
                self.open(which, None, Duration::ZERO);
                sleep(after).await;
                self.expire(which, node, false);
            }
            Deed::OpenInVain { which } => self.open_in_vain(which),
            Deed::Use { which } => self.used(which),
            Deed::Close { which } => drop(self.close_tab(which)),
            Deed::Reload { which, after } => {
                if let Some(id) = self.close_tab(which) {
                    self.open_session(id, None, after);
                }
            }
            Deed::End { which, node } => self.end_own(which, node),
            Deed::Expire {
                which,
                node,
                times,
                block,
            } => {
                for time in 0..times {
                    self.expire(which, node + time, block);
                }
            }
            Deed::Batch { many, node, block } => self.batch(many, node, block),
            Deed::ExpireSeen { which, node } => self.expire_seen(which, node),
            Deed::GiveUp { which, node } => self.give_up(which, node),
            Deed::Refresh { node } => self.refresh(node),
            Deed::Look { which, node } => self.look(which, node),
            Deed::Block { .. }
            | Deed::Remove { .. }
            | Deed::AdmitApplication { .. }
            | Deed::AdmitEnvironment { .. } => self.administer(deed),
            other => self.trouble(other),
        }
    }

    /// Much time passes, in which nobody could do anything: as when a machine sleeps.
    pub async fn leap(&self, time: Duration) {
        self.weather().disturb_until(Instant::now() + time);
        advance(time).await;
    }

    fn trouble(self: &Arc<Self>, deed: Deed) {
        match deed {
            Deed::Weather(sky) => self.weather().turn(sky),
            Deed::Crash { node } => self.wire(node).cut(),
            Deed::CrashAtWrite { node, fuse } => {
                self.wire(node).arm(fuse);
                self.weather().disturb();
            }
            Deed::Restart { node } => self.restart(node),
            Deed::Freeze { node, time } => {
                let until = Instant::now() + time;
                self.wire(node).freeze(until);
                self.weather().disturb_until(until);
            }
            Deed::Deafen { node, time } => self.wire(node).deafen(Instant::now() + time),
            Deed::Vanish { which } => {
                if let Some(session) = self.recent(which)
                    && let Some(place) = self.place(&session)
                {
                    place.vanish(session.id);
                }
            }
            Deed::Finish { which, crashed } => {
                if let Some(session) = self.recent(which)
                    && let Some(place) = self.place(&session)
                {
                    place.end(session.id, crashed);
                }
            }
            Deed::Unreachable { node, place, is } => {
                self.nodes[node].places[place].1.set_unreachable(is);
                self.weather().disturb();
            }
            Deed::NeverStops { node, place, is } => self.nodes[node].places[place].1.set_never_stops(is),
            _ => {}
        }
    }

    fn recent(&self, back: usize) -> Option<Session> {
        self.ledger().get(self.ledger().recent(back)?)
    }

    fn launch(self: &Arc<Self>, who: usize, what: usize, node: usize) {
        let Some((_, control)) = self.some_node(node) else {
            return;
        };
        let (request, me) = self.person(STUDENTS[who], Role::User);
        self.told(request, Fate::Unknown);
        let world = self.clone();
        tokio::spawn(async move {
            let done = control.launch(&me, PROGRAMS[what]).await;
            world.launched(request, me.user_id, done);
        });
    }

    fn open(self: &Arc<Self>, which: usize, hangs_up: Option<Duration>, after: Duration) {
        if let Some(id) = self.ledger().recent(which) {
            self.open_session(id, hangs_up, after);
        }
    }

    fn open_session(self: &Arc<Self>, id: SessionId, hangs_up: Option<Duration>, after: Duration) {
        let world = self.clone();
        tokio::spawn(async move {
            sleep(after).await;
            let asked_at = world.book.now();
            let patience = hangs_up.unwrap_or(Duration::from_secs(60));
            if let Some((node, life, attachment)) = world.attach(id, patience).await {
                let used_at = world.book.now();
                let tab = Tab {
                    id,
                    node,
                    life,
                    attachment,
                    used_at,
                };
                world.opened(tab, asked_at);
            }
        });
    }

    /// The tab of whom is gone when the server has just let it in: nobody is left who could give the attachment back.
    fn open_in_vain(self: &Arc<Self>, which: usize) {
        let Some(id) = self.ledger().recent(which) else { return };
        let world = self.clone();
        tokio::spawn(async move { drop(world.attach(id, Duration::from_secs(60)).await) });
    }

    async fn attach(&self, id: SessionId, patience: Duration) -> Option<(usize, u32, Attachment)> {
        let session = self.ledger().get(id)?;
        let (request, me) = self.person(session.user_id, Role::User);
        let node = self.host(&session);
        let (control, life) = (self.control(node)?, self.life(node)?);
        let name = self.ledger().name(id);
        let attached = timeout(patience, control.attach(&me, id)).await;
        match attached {
            Ok(Ok((attachment, _stream))) => {
                self.book.say(format_args!("  {request} tab of s{name} is let in"));
                Some((node, life, attachment))
            }
            Ok(Err(error)) => {
                self.book.say(format_args!("  {request} tab of s{name}: {error}"));
                None
            }
            Err(_) => {
                self.book.say(format_args!("  {request} tab of s{name} hung up"));
                None
            }
        }
    }

    fn end_own(self: &Arc<Self>, which: usize, node: usize) {
        let Some(session) = self.recent(which) else { return };
        let Some((node, control)) = self.some_node(node) else {
            return;
        };
        let (request, me) = self.person(session.user_id, Role::User);
        self.told(request, Fate::Unknown);
        let world = self.clone();
        tokio::spawn(async move {
            let done = control.end_own(&me, session.id).await;
            world.ended(request, node, session.id, &done);
        });
    }

    fn expire(self: &Arc<Self>, which: usize, node: usize, block: bool) {
        let Some(id) = self.ledger().recent(which) else { return };
        let Some((node, control)) = self.some_node(node) else {
            return;
        };
        let (request, me) = self.admin();
        self.told(request, Fate::Unknown);
        let world = self.clone();
        let wish = ExpireRequest {
            block_relaunch: block,
            ..ExpireRequest::default()
        };
        tokio::spawn(async move {
            let done = control.expire(&me, id, wish).await;
            world.ended(request, node, id, &done);
        });
    }

    /// With what stood in the list of a node: it may be refused because that has changed.
    fn expire_seen(self: &Arc<Self>, which: usize, node: usize) {
        let Some(id) = self.ledger().recent(which) else { return };
        let Some((node, control)) = self.some_node(node) else {
            return;
        };
        let (request, me) = self.admin();
        self.told(request, Fate::Unknown);
        let Ok(row) = control.session(&me, id) else { return };
        let world = self.clone();
        let wish = ExpireRequest {
            seen: Some(Seen {
                status: row.status,
                connected: row.connected,
            }),
            ..ExpireRequest::default()
        };
        tokio::spawn(async move {
            if control.expire(&me, id, wish).await.is_ok() {
                world.told(request, Fate::Done);
                world.is_ended(node, id);
            }
        });
    }

    fn batch(self: &Arc<Self>, many: usize, node: usize, block: bool) {
        let Some((node, control)) = self.some_node(node) else {
            return;
        };
        let (request, me) = self.admin();
        self.told(request, Fate::Unknown);
        let ids = (0..many).filter_map(|back| self.ledger().recent(back)).collect();
        let world = self.clone();
        tokio::spawn(async move {
            let Ok(selection) = control.selection(&me, &Selector::Ids(ids)).await else {
                return;
            };
            let targets = selection.sessions.iter().map(|chosen| Target {
                id: chosen.id,
                seen: None,
            });
            let wish = ExpireMany {
                batch: selection.batch,
                size: u32::try_from(selection.sessions.len()).unwrap_or(u32::MAX),
                reason: None,
                block_relaunch: block,
                sessions: targets.collect(),
            };
            let Ok(outcomes) = control.expire_many(&me, wish).await else {
                return;
            };
            for outcome in outcomes.iter().filter(|outcome| outcome.session.is_some()) {
                world.is_ended(node, outcome.id);
            }
        });
    }

    fn give_up(self: &Arc<Self>, which: usize, node: usize) {
        let Some(id) = self.ledger().recent(which) else { return };
        let Some((_, control)) = self.some_node(node) else {
            return;
        };
        let (_, me) = self.admin();
        let world = self.clone();
        tokio::spawn(async move {
            let done = control.give_up_cleanup(&me, id).await;
            world.book.say(format_args!("  give up: {}", told(&done)));
        });
    }

    fn refresh(self: &Arc<Self>, node: usize) {
        let Some((_, control)) = self.some_node(node) else {
            return;
        };
        let (_, me) = self.admin();
        let world = self.clone();
        tokio::spawn(async move {
            let done = control.request_sweep(&me).await;
            world.book.say(format_args!("  refresh: {}", told(&done)));
        });
    }

    /// Looks at everything, and uses nothing by that.
    fn look(self: &Arc<Self>, which: usize, node: usize) {
        let Some((node, control)) = self.some_node(node) else {
            return;
        };
        self.look_at_list(node, &control);
        let Some(id) = self.ledger().recent(which) else { return };
        let (_, me) = self.admin();
        tokio::spawn(async move {
            // Whether it is found is not what matters here.
            let _ = control.session(&me, id);
            let _ = control.session_details(&me, id).await;
            let _ = control.environments(&me).await;
        });
    }

    fn administer(self: &Arc<Self>, deed: Deed) {
        let (Deed::Block { node, .. }
        | Deed::Remove { node, .. }
        | Deed::AdmitApplication { node, .. }
        | Deed::AdmitEnvironment { node, .. }) = deed
        else {
            return;
        };
        let Some((_, control)) = self.some_node(node) else {
            return;
        };
        let world = self.clone();
        tokio::spawn(async move { world.administered(&control, deed).await });
    }

    async fn administered(&self, control: &Arc<Control>, deed: Deed) {
        let (request, me) = self.admin();
        self.told(request, Fate::Unknown);
        // The last word counts: whoever comes after may have opened it again.
        let done = match deed {
            Deed::Block { who, blocked, .. } => {
                let name = super::furniture::name(STUDENTS[who]);
                control.block_user(&me, &name, blocked).await
            }
            Deed::Remove { who, .. } => {
                let name = super::furniture::name(STUDENTS[who]);
                control.remove_user(&me, &name).await
            }
            Deed::AdmitApplication { what, to, .. } => control
                .set_application_launches(&me, PROGRAMS[what], ADMISSIONS[to])
                .await
                .map(drop),
            Deed::AdmitEnvironment { place, to, .. } => control
                .set_environment_launches(&me, PLACES[place], ADMISSIONS[to])
                .await
                .map(drop),
            _ => return,
        };
        self.book.say(format_args!("  {request} {deed:?}: {}", told(&done)));
        match done {
            Ok(()) => {
                self.told(request, Fate::Done);
                self.end_with_cause(deed);
            }
            Err(error) => self.told(request, Fate::of(&error)),
        }
    }

    /// Those that may no longer go on have ended, unless their cause has come back meanwhile and they are newer than that.
    fn end_with_cause(&self, deed: Deed) {
        let now = self.book.now();
        let old = |session: &Session| session.started_at + chrono::TimeDelta::seconds(60) < now;
        let pending = |session: &Session| session.status != Status::Expired && old(session);
        match deed {
            Deed::Block { who, blocked: true, .. } | Deed::Remove { who, .. } => {
                self.cause_is_gone("their user is blocked", |session| {
                    session.user_id == STUDENTS[who] && pending(session)
                });
            }
            Deed::AdmitApplication { what, to: 2, .. } => {
                self.cause_is_gone("the application is withdrawn", |session| {
                    session.application_id == PROGRAMS[what] && pending(session)
                });
            }
            Deed::AdmitEnvironment { place, to: 2, .. } => {
                self.cause_is_gone("the environment is closed", |session| {
                    session.environment_id == PLACES[place] && pending(session)
                });
            }
            _ => {}
        }
    }
}
