//! Keeps one person from flooding the machine or the log with launches: a limit of launches a
//! minute, and one event with a count for equal refusals.

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use futures::future::join_all;
use governor::{Quota, RateLimiter, middleware::NoOpMiddleware, state::keyed::HashMapStateStore};
use session::{ApplicationId, Timestamp, UserId, api::Me, refusal::LaunchRefusal, regional::Regional};
use store::WriteRequest;

use crate::{Clock, Control, Error, Result, coalesce::Coalescer};

/// The request of a launch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Launch {
    /// The application.
    pub application_id: ApplicationId,
    /// The settings of the user's browser.
    pub regional: Regional,
}

/// A launch without regional settings: the application has those of its environment.
impl From<ApplicationId> for Launch {
    fn from(application_id: ApplicationId) -> Self {
        Self {
            application_id,
            regional: Regional::default(),
        }
    }
}

/// People in the rate limiter. Beyond this number it drops those who have not launched recently.
const MAX_PEOPLE: usize = 1000;

/// Refusals are equal if they have the same person, the same reason, and the same application. The
/// application is `None` if the reason does not depend on it.
pub type RefusalKey = (UserId, Option<ApplicationId>, LaunchRefusal);

type Limiter = RateLimiter<UserId, HashMapStateStore<UserId>, GovernorClock, NoOpMiddleware<Duration>>;

/// Limits the launches a minute of each person. Each node counts for itself.
pub struct LaunchRate {
    clock: GovernorClock,
    limiter: Option<Limiter>,
}

/// The clock of `control`, for the crate `governor`.
#[derive(Clone)]
struct GovernorClock(Arc<dyn Clock>);

impl governor::clock::Clock for GovernorClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        (self.0.now() - Timestamp::UNIX_EPOCH).to_std().unwrap_or_default()
    }
}

impl LaunchRate {
    /// Allows this many launches a minute, in a burst or evenly; `None` = no limit.
    pub fn new(per_minute: Option<NonZeroU32>, clock: Arc<dyn Clock>) -> Self {
        let clock = GovernorClock(clock);
        let limiter = per_minute.map(|most| RateLimiter::hashmap_with_clock(Quota::per_minute(most), clock.clone()));
        Self { clock, limiter }
    }

    /// Counts a launch. The error is the number of seconds until the next launch is allowed.
    fn check(&self, user: UserId) -> std::result::Result<(), u32> {
        let Some(limiter) = &self.limiter else { return Ok(()) };
        if limiter.len() >= MAX_PEOPLE {
            limiter.retain_recent();
        }
        limiter.check_key(&user).map_err(|not_until| {
            let wait = not_until.wait_time_from(governor::clock::Clock::now(&self.clock));
            u32::try_from(wait.as_millis().div_ceil(1000))
                .unwrap_or(u32::MAX)
                .max(1)
        })
    }
}

/// The reasons for which the log already has a refusal of this launch within the last minute.
fn recorded(refusals: &Coalescer<RefusalKey>, user: UserId, application: ApplicationId) -> Vec<LaunchRefusal> {
    let of = |application: Option<ApplicationId>| {
        // The first reason in order.
        let first = (user, application, LaunchRefusal::UnknownUser);
        refusals.open_keys(first, |key| (key.0, key.1) == (user, application))
    };
    let keys = of(None).into_iter().chain(of(Some(application)));
    keys.map(|(.., refusal)| refusal).collect()
}

impl Control {
    /// Refuses a launch of a person who launches too often.
    pub(crate) async fn check_launch_rate(&self, me: &Me, application: ApplicationId) -> Result<()> {
        let Err(seconds) = self.launch_rate.check(me.user_id) else {
            return Ok(());
        };
        self.refuse_launch(me, application, LaunchRefusal::TooManyLaunches)
            .await?;
        Err(Error::TooManyLaunches(seconds))
    }

    /// Records a refusal that is no decision of the store, and returns it as an error. Equal refusals
    /// within a minute are counted.
    pub(crate) async fn refuse_launch(
        &self,
        me: &Me,
        application: ApplicationId,
        refusal: LaunchRefusal,
    ) -> Result<Error> {
        let at = self.clock.now();
        let key = (me.user_id, (!refusal.is_of_user()).then_some(application), refusal);
        if self.refusals.is_first(key, at) {
            let first = WriteRequest::RecordRefusal {
                user_id: me.user_id,
                application_id: Some(application),
                refusal,
                more: None,
                origin: me.origin.clone(),
                at,
            };
            if let Err(error) = self.writer.submit(first).await {
                self.refusals.put_back(key, NonZeroU32::MIN, at);
                return Err(error.into());
            }
        }
        Ok(Error::Denied(refusal))
    }

    /// The reasons for which a refusal of this launch need not be written again. The store refuses
    /// a launch inside its transaction, so the caller must say beforehand which refusals the log
    /// has.
    pub(crate) fn recorded_refusals(&self, me: &Me, application: ApplicationId) -> Vec<LaunchRefusal> {
        recorded(&self.refusals, me.user_id, application)
    }

    /// Counts a refused launch. The log has the refusal, unless it is one of `recorded`.
    pub(crate) fn count_refusal(
        &self,
        me: &Me,
        application: ApplicationId,
        refusal: LaunchRefusal,
        recorded: &[LaunchRefusal],
    ) {
        let key = (me.user_id, (!refusal.is_of_user()).then_some(application), refusal);
        let now = self.clock.now();
        if recorded.contains(&refusal) {
            self.refusals.is_first(key, now);
        } else {
            self.refusals.open(key, now);
        }
    }

    /// Writes the counts of equal refusals whose minute is over. Runs by timer; public so that a
    /// test need not wait for it.
    pub async fn record_refusals(&self) -> Result<()> {
        self.write_refusals(false).await
    }

    /// Writes the counts of equal refusals; those of open windows too if `all` is set.
    pub(crate) async fn write_refusals(&self, all: bool) -> Result<()> {
        let at = self.clock.now();
        let due = self.refusals.take_due(at, all).repeated;
        let written = due.into_iter().map(|(key, repeats)| async move {
            let (user_id, application_id, refusal) = key;
            let request = WriteRequest::RecordRefusal {
                user_id,
                application_id,
                refusal,
                more: Some(repeats),
                origin: None,
                at,
            };
            let written = self.writer.submit(request).await.map(drop);
            written.inspect_err(|_| self.refusals.put_back(key, repeats, at))
        });
        Ok(join_all(written).await.into_iter().collect::<store::Result<()>>()?)
    }
}

#[cfg(test)]
mod tests;
