//! What the passing of time does to a session, and what its tab is told of it. The clock is moved by hand.

use chrono::TimeDelta;
use control::{Attachment, Close};
use session::{
    EventKind, Status, Teardown, Timestamp,
    lifecycle::Timer,
    notice::{Notice, Warning},
    wire::ExpireRequest,
};
use tokio::time::timeout;

use crate::house::{House, PATIENCE};

/// The next notice, when the timers have looked.
async fn told(tab: &mut Attachment) -> Notice {
    let told = timeout(PATIENCE, tab.notices.recv()).await;
    told.ok()
        .flatten()
        .unwrap_or_else(|| panic!("the tab was told nothing"))
}

fn warning(at: Timestamp, timer: Timer, minutes: u32, server_time: Timestamp) -> Notice {
    let warning = Warning { at, timer, minutes };
    Notice::Warning { server_time, warning }
}

#[tokio::test]
async fn a_tab_that_nobody_uses_is_warned_closed_and_can_be_opened_again() {
    let house = House::new().await;
    let id = house.active().await;
    let (mut tab, _bytes) = house.open(id).await;
    let start = house.control.now();
    assert_eq!(
        told(&mut tab).await,
        Notice::Limits {
            server_time: start,
            valid_until: house.row(id).valid_until,
            idle_seconds: Some(30 * 60),
            disconnected_seconds: Some(15 * 60),
        }
    );
    let closes = start + TimeDelta::minutes(30);
    for (passed, minutes) in [(15, 15), (10, 5), (4, 1)] {
        house.pass(TimeDelta::minutes(passed));
        assert_eq!(
            told(&mut tab).await,
            warning(closes, Timer::Idle, minutes, house.control.now())
        );
    }
    // A key press, and everything is as it was.
    tab.last_use.touch();
    assert_eq!(told(&mut tab).await, Notice::Calm);

    house.pass(TimeDelta::minutes(30));
    assert_eq!(timeout(PATIENCE, &mut tab.closed).await.unwrap(), Ok(Close::Idle));
    let row = house.shows(id, |row| !row.connected).await;
    assert_eq!(row.status, Status::Active, "the session goes on");
    drop(tab);
    let (_tab, _bytes) = house.open(id).await;
    assert!(house.row(id).connected);
    let kinds: Vec<_> = house.store.events(id).await.unwrap();
    let idle = kinds.iter().filter(|event| event.what == EventKind::Idle).count();
    assert_eq!(idle, 1);
}

#[tokio::test]
async fn a_tab_is_warned_before_the_allowed_time_is_over() {
    let house = House::new().await;
    let id = house.active().await;
    let (mut tab, _bytes) = house.open(id).await;
    let valid_until = house.row(id).valid_until;
    told(&mut tab).await;
    let before = |minutes| valid_until - house.control.now() - TimeDelta::minutes(minutes);
    house.pass(before(16));
    tab.last_use.touch();
    for minutes in [15, 5, 1] {
        house.pass(before(minutes.into()));
        tab.last_use.touch();
        assert_eq!(
            told(&mut tab).await,
            warning(valid_until, Timer::ValidUntil, minutes, house.control.now())
        );
    }
    house.pass(before(0));
    assert_eq!(timeout(PATIENCE, &mut tab.closed).await.unwrap(), Ok(Close::Expired));
}

#[tokio::test]
async fn a_tab_that_is_used_stays_open_for_as_long_as_it_is() {
    let house = House::new().await;
    let id = house.active().await;
    let (mut tab, _bytes) = house.open(id).await;
    for _ in 0..8 {
        house.pass(TimeDelta::minutes(29));
        tab.last_use.touch();
        house
            .control
            .list(&house.admin, &session::view::View::default())
            .unwrap();
    }
    assert!(tab.closed.try_recv().is_err());
    assert!(house.row(id).connected);
}

#[tokio::test]
async fn what_the_environment_never_closes_is_given_up_by_an_administrator_and_then_purged() {
    let house = House::new().await;
    let id = house.active().await;
    house.environment.fail_stops(u32::MAX);
    house
        .control
        .expire(&house.admin, id, ExpireRequest::default())
        .await
        .unwrap();
    house.pass(TimeDelta::hours(49));
    house.control.purge_now().await.unwrap();
    assert_eq!(house.row(id).teardown, Teardown::Wanted, "it stays until it is closed");

    let given_up = house.control.give_up_cleanup(&house.admin, id).await.unwrap();
    assert_eq!(given_up.teardown, Teardown::GivenUp);
    house.control.purge_now().await.unwrap();
    assert!(house.control.session(&house.admin, id).is_err(), "purged");
    let last = house.store.events(id).await.unwrap();
    let last: Vec<_> = last.iter().rev().take(2).map(|event| event.what.code()).collect();
    assert_eq!(last, ["purged", "teardown_given_up"]);
}
