//! Keeps the list live: one stream of changes for the view in the address.
//!
//! If a stream fails, ends or becomes silent, the page opens another after a growing delay. Until
//! then the rows stay, and a banner warns that they may be outdated. Before each retry the page
//! checks the login, because an ended login is not a lost connection.

use chrono::TimeDelta;
use leptos::{prelude::*, task::spawn_local};
use serde::Deserialize;
use session::{
    Role, Timestamp,
    api::{Delta, SessionList},
};

use super::{model::Model, view_url::ViewUrl};
use crate::{
    api::people::me,
    ui::{
        clock::{Clock, browser_now, later},
        stream::EventStream,
    },
};

/// State of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// Not opened yet, or receiving.
    Fine,
    /// Nothing received for longer than the grace period.
    Lost,
    /// The login has ended.
    SignedOut,
    /// The role no longer allows the page.
    Forbidden,
}

/// The server sends a tick every 5 s; after this many seconds without a message the stream counts
/// as dead.
const SILENCE_SECONDS: i64 = 13;
/// Milliseconds. The page does not report a connection that recovers within this time.
const GRACE_MS: u64 = 2000;

/// After an update, the page pauses for this many times the duration of that update, so that
/// updates leave time for the person's own actions.
const REST: i32 = 15;
/// Maximum pause, so that every change is on screen within a second.
const LONGEST_REST: TimeDelta = TimeDelta::milliseconds(700);

/// The `tick` event.
#[derive(Deserialize)]
struct Tick {
    server_time: Timestamp,
    revision: u64,
    checksum: u32,
}

/// The page's stream of changes.
#[derive(Clone, Copy)]
pub struct Watch {
    /// State of the connection.
    pub link: RwSignal<Link>,
    /// Whether the page waits for another view.
    pub changing: RwSignal<bool>,
    /// Number of checksum mismatches with the server. Each one reloads the list from a snapshot.
    pub divergences: RwSignal<u32>,
    model: Model,
    clock: Clock,
    attempt: RwSignal<u32>,
    failures: StoredValue<u32>,
    heard_at: StoredValue<Timestamp>,
    /// Earliest time of the next update, and the changes that accumulated until then.
    pace: StoredValue<(Timestamp, Option<Delta>)>,
}

impl Watch {
    /// Opens the stream when the page is mounted, follows the address and closes with the page.
    pub fn start(model: Model, url: ViewUrl, clock: Clock) -> Self {
        let watch = Self {
            link: RwSignal::new(Link::Fine),
            changing: RwSignal::new(false),
            divergences: RwSignal::new(0),
            model,
            clock,
            attempt: RwSignal::new(0),
            failures: StoredValue::new(0),
            heard_at: StoredValue::new(Timestamp::UNIX_EPOCH),
            pace: StoredValue::new((Timestamp::UNIX_EPOCH, None)),
        };
        Effect::new(move |before: Option<(String, Option<EventStream>)>| {
            watch.attempt.track();
            let address = format!("/api/v1/sessions/watch{}", super::view_url::search(&url.resolved()));
            let moved = before.as_ref().is_some_and(|(old, _)| *old != address);
            // Close the old stream before opening the new one: its messages belong to another view.
            drop(before);
            if moved {
                watch.changing.set(true);
            }
            watch.heard_at.set_value(browser_now());
            watch.pace.update_value(|(_, waiting)| *waiting = None);
            let names = ["snapshot", "delta", "tick"];
            let stream = EventStream::open(
                &address,
                &names,
                move |name, data| watch.hear(name, data),
                move || watch.lose(),
            );
            if stream.is_none() {
                watch.lose();
            }
            (address, stream)
        });
        Effect::new(move || {
            clock.now();
            let silent = browser_now() - watch.heard_at.get_value();
            if silent.num_seconds() > SILENCE_SECONDS {
                watch.lose();
            }
        });
        Effect::new(move || {
            // An open stream may hide a lost network for a while; a new one fails immediately.
            let offline = window_event_listener(leptos::ev::offline, move |_| watch.retry());
            let online = window_event_listener(leptos::ev::online, move |_| watch.retry());
            on_cleanup(move || {
                offline.remove();
                online.remove();
            });
        });
        watch
    }

    /// Whether actions are likely to reach the server.
    pub fn is_fine(&self) -> bool {
        self.link.get() == Link::Fine
    }

    fn hear(&self, name: &str, data: &str) {
        self.heard_at.set_value(browser_now());
        self.failures.set_value(0);
        if self.link.get_untracked() != Link::Fine {
            self.link.set(Link::Fine);
        }
        match name {
            "snapshot" => {
                if let Ok(list) = serde_json::from_slice::<SessionList>(data.as_bytes()) {
                    self.pace.update_value(|(_, waiting)| *waiting = None);
                    self.clock.set(list.head.server_time);
                    self.model.show(list);
                    self.changing.set(false);
                }
            }
            "delta" => {
                if let Ok(delta) = serde_json::from_slice::<Delta>(data.as_bytes()) {
                    self.clock.set(delta.head.server_time);
                    self.draw_in_turn(delta);
                }
            }
            _ => {
                if let Ok(tick) = serde_json::from_slice::<Tick>(data.as_bytes()) {
                    self.clock.set(tick.server_time);
                    if self.pace.with_value(|(_, waiting)| waiting.is_none()) {
                        self.check(tick.revision, tick.checksum);
                    }
                }
            }
        }
    }

    /// Applies a change now, or merges it with later ones during the pause.
    fn draw_in_turn(&self, delta: Delta) {
        let watch = *self;
        let (ready_at, waiting) = watch.pace.get_value();
        let left = (ready_at - browser_now()).num_milliseconds();
        match (waiting, u64::try_from(left)) {
            (Some(before), _) => watch.pace.set_value((ready_at, Some(together(before, delta)))),
            (None, Ok(left @ 1..)) => {
                watch.pace.set_value((ready_at, Some(delta)));
                later(left, move || {
                    let waiting = watch.pace.try_update_value(|(_, waiting)| waiting.take());
                    if let Some(delta) = waiting.flatten() {
                        watch.draw(delta);
                    }
                });
            }
            (None, _) => watch.draw(delta),
        }
    }

    fn draw(&self, delta: Delta) {
        let (watch, began) = (*self, browser_now());
        let (revision, checksum) = (delta.head.revision, delta.head.checksum);
        watch.model.apply(delta);
        watch.check(revision, checksum);
        // Deferred, so that the duration includes the rendering.
        later(0, move || {
            let took = browser_now() - began;
            let rest = (took * REST).min(LONGEST_REST);
            watch
                .pace
                .try_update_value(|(ready_at, _)| *ready_at = browser_now() + rest);
        });
    }

    /// Reloads the list if the checksum differs.
    fn check(&self, revision: u64, checksum: u32) {
        if !self.model.agrees(revision, checksum) {
            self.divergences.update(|count| *count += 1);
            leptos::logging::warn!("the list differed from the server's at revision {revision}; it is loaded anew");
            self.retry();
        }
    }

    fn lose(&self) {
        let watch = *self;
        let Some(failures) = watch.failures.try_get_value() else {
            return;
        };
        watch.failures.set_value(failures + 1);
        later(GRACE_MS, move || {
            if watch.failures.try_get_value().is_some_and(|failures| failures > 0)
                && watch.link.try_get_untracked() == Some(Link::Fine)
            {
                watch.link.set(Link::Lost);
            }
        });
        let pause = (500_u64 << failures.min(5)).min(15_000);
        // The silence timeout starts with the next attempt.
        watch.heard_at.set_value(browser_now() + TimeDelta::seconds(15));
        later(pause, move || {
            spawn_local(async move { watch.ask_and_retry(failures + 1).await })
        });
    }

    async fn ask_and_retry(self, failures: u32) {
        // A message arrived, a later failure set its own timer, or the page is gone.
        if self.failures.try_get_value() != Some(failures) {
            return;
        }
        let link = match me().await {
            Ok(me) if me.role < Role::SystemAdmin => Link::Forbidden,
            Err(error) if error.is_signed_out() => Link::SignedOut,
            _ => return self.retry(),
        };
        self.link.try_set(link);
    }

    fn retry(&self) {
        self.attempt.try_update(|attempt| *attempt += 1);
    }
}

/// Merges two consecutive deltas.
fn together(before: Delta, mut after: Delta) -> Delta {
    let mut changed = before.changed;
    changed.append(&mut after.changed);
    Delta {
        head: after.head,
        order: after.order.or(before.order),
        changed,
    }
}
