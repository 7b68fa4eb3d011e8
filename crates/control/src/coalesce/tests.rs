use super::*;

fn at(seconds: i64) -> Timestamp {
    Timestamp::default() + TimeDelta::seconds(seconds)
}

fn count(repeats: u32) -> NonZeroU32 {
    NonZeroU32::new(repeats).unwrap()
}

#[test]
fn the_first_is_logged_at_once_and_the_rest_once_a_minute() {
    let counts = Coalescer::new(10);
    assert!(counts.is_first("jane", at(0)));
    for second in 1..60 {
        assert!(!counts.is_first("jane", at(second)));
        assert_eq!(counts.take_due(at(second), false).repeated, []);
    }
    assert!(counts.is_first("omar", at(59)));
    assert_eq!(counts.take_due(at(60), false).repeated, [("jane", count(59))]);
    assert!(counts.is_first("jane", at(60)), "a new window");
    assert_eq!(counts.take_due(at(119), false).repeated, [], "omar came once");
    assert!(!counts.is_first("jane", at(119)));
    assert_eq!(
        counts.take_due(at(119), true).repeated,
        [("jane", count(1))],
        "at shutdown"
    );
}

#[test]
fn the_number_of_keys_is_bounded_and_the_overflow_is_counted() {
    let counts = Coalescer::new(1000);
    let logged = (0..1050).filter(|key| counts.is_first(*key, at(0))).count();
    assert_eq!(logged, 1000);
    assert_eq!(counts.take_due(at(60), false).overflow, 50);
    assert!(counts.is_first(1001, at(60)));
}

#[test]
fn an_event_that_is_in_the_log_opens_a_window_for_those_that_follow() {
    let counts = Coalescer::new(10);
    for key in [(1, 'a'), (1, 'b'), (2, 'a')] {
        counts.open(key, at(0));
    }
    assert_eq!(counts.open_keys((1, 'a'), |key| key.0 == 1), [(1, 'a'), (1, 'b')]);
    assert_eq!(counts.open_keys((3, 'a'), |key| key.0 == 3), []);
    assert!(!counts.is_first((1, 'a'), at(1)));
    counts.open((1, 'a'), at(30));
    let due = counts.take_due(at(60), false);
    assert_eq!(due.repeated, [((1, 'a'), count(1))], "opening it again changed nothing");
    assert_eq!(counts.take_due(at(600), true).repeated, []);
}

#[test]
fn a_count_that_cannot_be_written_is_kept() {
    let counts = Coalescer::new(10);
    counts.open("jane", at(0));
    counts.is_first("jane", at(1));
    let [(key, repeats)] = counts.take_due(at(1), true).repeated[..] else {
        panic!("one is due")
    };
    counts.open(key, at(2));
    counts.is_first(key, at(2));
    counts.put_back(key, repeats, at(3));
    assert_eq!(counts.take_due(at(3), false).repeated, [(key, count(2))]);
}
