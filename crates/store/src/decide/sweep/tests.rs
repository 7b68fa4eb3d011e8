use super::*;

const INTERVAL: TimeDelta = TimeDelta::seconds(30);

fn at(seconds: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + TimeDelta::seconds(seconds)
}

fn decided(last: Option<i64>, now: i64) -> (Claim, bool) {
    let Decided { claim, record } = claim(last.map(at), at(now), INTERVAL);
    (claim, record)
}

#[test]
fn one_sweep_is_granted_per_interval() {
    assert_eq!(decided(None, 0), (Claim::Granted, true));
    assert_eq!(decided(Some(0), 29), (Claim::Wait(at(30)), false));
    assert_eq!(decided(Some(0), 30), (Claim::Granted, true));
}

#[test]
fn a_late_claim_waits_and_a_clock_that_was_set_back_counts_from_now() {
    assert_eq!(decided(Some(100), 90), (Claim::Wait(at(130)), false));
    assert_eq!(decided(Some(100), 71), (Claim::Wait(at(130)), false));
    assert_eq!(decided(Some(100), 70), (Claim::Wait(at(100)), true));
}
