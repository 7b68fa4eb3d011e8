use chrono::TimeDelta;

use super::*;
use crate::ManualClock;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
}

fn key(user: u128, application: Option<u128>) -> RefusalKey {
    let application = application.map(ApplicationId::numbered);
    let refusal = application.map_or(LaunchRefusal::UserBlocked, |_| LaunchRefusal::NoSeat);
    (UserId::numbered(user), application, refusal)
}

#[test]
fn a_recorded_refusal_is_found_for_its_application_and_its_person() {
    let refusals = Coalescer::new(usize::MAX);
    for key in [key(1, Some(1)), key(1, Some(2)), key(1, None), key(2, None)] {
        refusals.open(key, at(0));
    }
    let found = |user, application| recorded(&refusals, UserId::numbered(user), ApplicationId::numbered(application));
    assert_eq!(found(1, 1), [LaunchRefusal::UserBlocked, LaunchRefusal::NoSeat]);
    assert_eq!(found(1, 3), [LaunchRefusal::UserBlocked]);
    assert_eq!(found(3, 1), []);
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
    assert_eq!(rate.check(UserId::numbered(2)), Ok(()), "another person is not limited");
    clock.advance(TimeDelta::seconds(3));
    assert_eq!(rate.check(jane), Ok(()));
    assert_eq!(rate.check(jane), Err(3));
    for number in 10..10_000 {
        clock.advance(TimeDelta::seconds(1));
        assert_eq!(rate.check(UserId::numbered(number)), Ok(()));
    }
    let kept = rate.limiter.as_ref().unwrap().len();
    assert!(kept <= MAX_PEOPLE, "{kept} people are kept");
    let off = LaunchRate::new(None, clock);
    assert!((0..1000).all(|_| off.check(jane) == Ok(())));
}
