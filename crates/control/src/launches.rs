//! What keeps one person from filling the log or the machine with launches: a limit of launches a minute, and equal refusals as
//! one event with a count.

use std::{collections::BTreeMap, num::NonZeroU32, sync::Arc, time::Duration};

use chrono::TimeDelta;
use futures::future::join_all;
use governor::{Quota, RateLimiter, middleware::NoOpMiddleware, state::keyed::HashMapStateStore};
use parking_lot::Mutex;
use session::{ApplicationId, Timestamp, UserId, refusal::LaunchRefusal, wire::Me};
use store::WriteRequest;

use crate::{Clock, Control, Error, Result};

/// How long equal refusals are counted before the log gets the count.
const WINDOW: TimeDelta = TimeDelta::seconds(60);
/// How many people the rate limiter keeps before it drops those who have not launched of late.
const PEOPLE: usize = 1000;

/// Equal refusals: of the same person, for the same reason, and of the same application where the reason is about it.
type Key = (UserId, Option<ApplicationId>, LaunchRefusal);

/// An event of a refusal, and the equal ones since.
#[derive(Clone, Copy)]
struct Recorded {
    at: Timestamp,
    more: u32,
}

/// The refusals that the log has, and those that it has yet to get. A person can be refused for few reasons, and by each
/// application that exists: that bounds it.
#[derive(Default)]
pub struct Refusals(Mutex<BTreeMap<Key, Recorded>>);

impl Refusals {
    /// The refusals of a launch that the log has already.
    fn recorded(&self, user: UserId, application: ApplicationId) -> Vec<LaunchRefusal> {
        let refusals = self.0.lock();
        let of = |application: Option<ApplicationId>| {
            let all = refusals.range((user, application, LaunchRefusal::UnknownUser)..);
            all.map(|(key, _)| *key)
                .take_while(move |key| (key.0, key.1) == (user, application))
                .map(|key| key.2)
        };
        of(None).chain(of(Some(application))).collect()
    }

    /// Notes a refusal that is in the log.
    fn written(&self, key: Key, at: Timestamp) {
        self.0.lock().entry(key).or_insert(Recorded { at, more: 0 });
    }

    /// Counts a refusal that is not in the log. False where it is the first of its kind: then it has to be written.
    fn counted(&self, key: Key, at: Timestamp) -> bool {
        let mut refusals = self.0.lock();
        let known = refusals.contains_key(&key);
        let recorded = refusals.entry(key).or_insert(Recorded { at, more: 0 });
        recorded.more = recorded.more.saturating_add(u32::from(known));
        known
    }

    /// Takes the refusals whose minute is over at `now`, with their counts; where `all`, every other one too.
    fn take(&self, now: Timestamp, all: bool) -> Vec<(Key, NonZeroU32)> {
        let mut due = Vec::new();
        self.0.lock().retain(|key, recorded| {
            let over = all || now - recorded.at >= WINDOW;
            if let Some(more) = NonZeroU32::new(recorded.more).filter(|_| over) {
                due.push((*key, more));
            }
            !over
        });
        due
    }

    /// Puts a count back that could not be written. The next look takes it again.
    fn put_back(&self, key: Key, more: NonZeroU32, now: Timestamp) {
        let mut refusals = self.0.lock();
        let at = now - WINDOW;
        let recorded = refusals.entry(key).or_insert(Recorded { at, more: 0 });
        *recorded = Recorded {
            at,
            more: recorded.more.saturating_add(more.get()),
        };
    }
}

type Limiter = RateLimiter<UserId, HashMapStateStore<UserId>, GovernorClock, NoOpMiddleware<Duration>>;

/// Limits how often each person launches. On each node by itself.
pub struct LaunchRate {
    clock: GovernorClock,
    limiter: Option<Limiter>,
}

/// The clock of `control`, as the limiter reads it.
#[derive(Clone)]
struct GovernorClock(Arc<dyn Clock>);

impl governor::clock::Clock for GovernorClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        (self.0.now() - Timestamp::UNIX_EPOCH).to_std().unwrap_or_default()
    }
}

impl LaunchRate {
    /// So many launches a minute, at once or spread over it; `None` = no limit.
    pub fn new(per_minute: Option<NonZeroU32>, clock: Arc<dyn Clock>) -> Self {
        let clock = GovernorClock(clock);
        let limiter = per_minute.map(|most| RateLimiter::hashmap_with_clock(Quota::per_minute(most), clock.clone()));
        Self { clock, limiter }
    }

    /// Counts a launch; where it is one too many, says in how many seconds the next is possible.
    fn check(&self, user: UserId) -> std::result::Result<(), u32> {
        let Some(limiter) = &self.limiter else { return Ok(()) };
        if limiter.len() >= PEOPLE {
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

impl Control {
    /// Refuses a launch of somebody who launches too often.
    pub(crate) async fn check_launch_rate(&self, me: &Me, application: ApplicationId) -> Result<()> {
        let Err(seconds) = self.launch_rate.check(me.user_id) else {
            return Ok(());
        };
        let (at, refusal) = (self.clock.now(), LaunchRefusal::TooManyLaunches);
        if !self.refusals.counted((me.user_id, None, refusal), at) {
            let first = WriteRequest::RecordRefusal {
                user_id: me.user_id,
                application_id: Some(application),
                refusal,
                more: None,
                origin: me.origin.clone(),
                at,
            };
            if let Err(error) = self.writer.submit(first).await {
                let uncounted = (me.user_id, None, refusal);
                self.refusals.put_back(uncounted, NonZeroU32::MIN, at);
                return Err(error.into());
            }
        }
        Err(Error::TooManyLaunches(seconds))
    }

    /// The refusals of a launch that need not be written again.
    pub(crate) fn recorded_refusals(&self, me: &Me, application: ApplicationId) -> Vec<LaunchRefusal> {
        self.refusals.recorded(me.user_id, application)
    }

    /// Notes that a launch was refused, which the log has unless it is one of `recorded`.
    pub(crate) fn note_refusal(
        &self,
        me: &Me,
        application: ApplicationId,
        refusal: LaunchRefusal,
        recorded: &[LaunchRefusal],
    ) {
        let key = (me.user_id, (!refusal.is_of_user()).then_some(application), refusal);
        if recorded.contains(&refusal) {
            self.refusals.counted(key, self.clock.now());
        } else {
            self.refusals.written(key, self.clock.now());
        }
    }

    /// Writes how many more equal launches were refused in each minute that is over. The timer does it; a test need not wait for it.
    pub async fn record_refusals(&self) -> Result<()> {
        self.write_refusals(false).await
    }

    /// The same at once, whether or not the minute is over.
    pub(crate) async fn write_refusals(&self, all: bool) -> Result<()> {
        let at = self.clock.now();
        let written = self.refusals.take(at, all).into_iter().map(|(key, more)| async move {
            let (user_id, application_id, refusal) = key;
            let request = WriteRequest::RecordRefusal {
                user_id,
                application_id,
                refusal,
                more: Some(more),
                origin: None,
                at,
            };
            let written = self.writer.submit(request).await.map(drop);
            written.inspect_err(|_| self.refusals.put_back(key, more, at))
        });
        Ok(join_all(written).await.into_iter().collect::<store::Result<()>>()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ManualClock;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
    }

    fn key(user: u128, application: Option<u128>) -> Key {
        let application = application.map(ApplicationId::numbered);
        let refusal = application.map_or(LaunchRefusal::UserBlocked, |_| LaunchRefusal::NoSeat);
        (UserId::numbered(user), application, refusal)
    }

    #[test]
    fn a_minute_of_equal_refusals_is_one_count() {
        let refusals = Refusals::default();
        refusals.written(key(1, Some(1)), at(0));
        for second in 0..59 {
            assert!(refusals.counted(key(1, Some(1)), at(second)));
        }
        assert!(
            !refusals.counted(key(1, None), at(59)),
            "another reason is another event"
        );
        assert!(!refusals.counted(key(2, Some(1)), at(59)), "and so is another person");
        assert_eq!(refusals.take(at(59), false), []);
        assert_eq!(
            refusals.take(at(60), false),
            [(key(1, Some(1)), NonZeroU32::new(59).unwrap())]
        );
        assert_eq!(refusals.take(at(600), false), [], "the others were alone");
        assert!(refusals.0.lock().is_empty());
    }

    #[test]
    fn what_is_recorded_is_found_for_its_application_and_its_person() {
        let refusals = Refusals::default();
        for key in [key(1, Some(1)), key(1, Some(2)), key(1, None), key(2, None)] {
            refusals.written(key, at(0));
        }
        let found = |user, application| refusals.recorded(UserId::numbered(user), ApplicationId::numbered(application));
        assert_eq!(found(1, 1), [LaunchRefusal::UserBlocked, LaunchRefusal::NoSeat]);
        assert_eq!(found(1, 3), [LaunchRefusal::UserBlocked]);
        assert_eq!(found(3, 1), []);
    }

    #[test]
    fn a_count_that_cannot_be_written_is_kept() {
        let refusals = Refusals::default();
        refusals.written(key(1, None), at(0));
        refusals.counted(key(1, None), at(1));
        let [(key, more)] = refusals.take(at(1), true)[..] else {
            panic!("one is due")
        };
        refusals.counted(key, at(2));
        refusals.counted(key, at(2));
        refusals.put_back(key, more, at(3));
        assert_eq!(refusals.take(at(3), false), [(key, NonZeroU32::new(2).unwrap())]);
    }

    #[test]
    fn launches_are_limited_for_each_person_and_the_memory_for_all() {
        let clock = Arc::new(ManualClock::new(at(0)));
        let rate = LaunchRate::new(NonZeroU32::new(20), clock.clone());
        let jane = UserId::numbered(1);
        for _ in 0..20 {
            assert_eq!(rate.check(jane), Ok(()));
        }
        assert_eq!(rate.check(jane), Err(3), "twenty a minute are one each 3 s");
        assert_eq!(rate.check(UserId::numbered(2)), Ok(()), "somebody else is not limited");
        clock.advance(TimeDelta::seconds(3));
        assert_eq!(rate.check(jane), Ok(()));
        assert_eq!(rate.check(jane), Err(3));
        for number in 10..10_000 {
            clock.advance(TimeDelta::seconds(1));
            assert_eq!(rate.check(UserId::numbered(number)), Ok(()));
        }
        let kept = rate.limiter.as_ref().unwrap().len();
        assert!(kept <= PEOPLE, "{kept} people are kept");
        let off = LaunchRate::new(None, clock);
        assert!((0..1000).all(|_| off.check(jane) == Ok(())));
    }
}
