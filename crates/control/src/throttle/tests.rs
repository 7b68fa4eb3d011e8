use super::*;

fn start() -> Timestamp {
    chrono::DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

fn pair(name: &str, address: &str) -> Pair {
    Pair::new(name, network(address.parse().unwrap()))
}

#[test]
fn the_sixth_failure_waits_and_each_one_more_twice_as_long() {
    let throttle = Throttle::new();
    let mut now = start();
    let jane = pair("jane", "10.0.0.1");
    for _ in 0..4 {
        throttle.begin(&jane, now);
        assert_eq!(throttle.wait(&jane, now), None);
    }
    for seconds in [1, 2, 4, 8] {
        throttle.begin(&jane, now);
        assert_eq!(throttle.wait(&jane, now), Some(seconds));
        assert_eq!(
            throttle.wait(&pair("omar", "10.0.0.1"), now),
            None,
            "a neighbour is not delayed"
        );
        assert_eq!(
            throttle.wait(&pair("jane", "10.0.0.2"), now),
            None,
            "nor jane elsewhere"
        );
        now += TimeDelta::seconds(i64::from(seconds));
        assert_eq!(throttle.wait(&jane, now), None);
    }
    throttle.succeeded(&jane);
    throttle.begin(&jane, now);
    assert_eq!(throttle.wait(&jane, now), None);
}

#[test]
fn a_name_has_no_case_and_unlocking_it_forgets_its_failures_on_all_networks() {
    let throttle = Throttle::new();
    for address in ["10.0.0.1", "10.0.0.2"] {
        for _ in 0..9 {
            throttle.begin(&pair("JANE", address), start());
        }
        assert!(throttle.wait(&pair("jane", address), start()).is_some());
    }
    throttle.unlock("Jane");
    for address in ["10.0.0.1", "10.0.0.2"] {
        assert_eq!(throttle.wait(&pair("jane", address), start()), None);
    }
}

#[test]
fn a_network_that_tries_many_names_is_slowed_and_recovers() {
    let throttle = Throttle::new();
    let mut now = start();
    for number in 0..100 {
        assert_eq!(throttle.wait(&pair(&format!("name{number}"), "10.0.0.1"), now), None);
        throttle.begin(&pair(&format!("name{number}"), "10.0.0.1"), now);
    }
    assert_eq!(throttle.wait(&pair("jane", "10.0.0.1"), now), Some(1));
    assert_eq!(throttle.wait(&pair("jane", "10.0.0.2"), now), None);
    now += TimeDelta::seconds(1);
    assert_eq!(throttle.wait(&pair("jane", "10.0.0.1"), now), None);
    throttle.begin(&pair("jane", "10.0.0.1"), now);
    throttle.succeeded(&pair("jane", "10.0.0.1"));
    assert_eq!(
        throttle.wait(&pair("omar", "10.0.0.1"), now),
        None,
        "a success costs nothing"
    );
}

#[test]
fn an_ipv6_customer_is_one_network_and_a_mapped_ipv4_address_is_itself() {
    let of = |address: &str| network(address.parse().unwrap());
    assert_eq!(&*of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
    assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::1"));
    assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
    assert_eq!(&*of("::ffff:192.0.2.7"), "192.0.2.7");
}

#[test]
fn memory_is_bounded() {
    let throttle = Throttle::new();
    for number in 0..CAPACITY.get() + 100 {
        throttle.begin(&pair(&format!("name{number}"), "10.0.0.1"), start());
    }
    assert_eq!(throttle.pairs.lock().len(), CAPACITY.get());
}
