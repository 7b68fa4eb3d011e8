//! The limits of time of a session, and the notices to its tab. The test moves the clock.

use chrono::TimeDelta;
use control::{Attachment, Close};
use session::{
    EventKind, Status, Teardown, Timestamp,
    api::ExpireRequest,
    lifecycle::Timer,
    notice::{Notice, Warning},
};
use tokio::time::timeout;

use crate::fixture::{Fixture, PATIENCE};

/// The next notice.
async fn next_notice(tab: &mut Attachment) -> Notice {
    let notice = timeout(PATIENCE, tab.notices.recv()).await;
    notice.ok().flatten().unwrap_or_else(|| panic!("the tab got no notice"))
}

fn warning(at: Timestamp, timer: Timer, minutes: u32, server_time: Timestamp) -> Notice {
    let warning = Warning { at, timer, minutes };
    Notice::Warning { server_time, warning }
}

#[tokio::test]
async fn an_idle_tab_is_warned_and_closed_and_can_be_opened_again() {
    let fixture = Fixture::new().await;
    let id = fixture.active().await;
    let (mut tab, _bytes) = fixture.open(id).await;
    let start = fixture.control.now();
    assert_eq!(
        next_notice(&mut tab).await,
        Notice::Limits {
            server_time: start,
            valid_until: fixture.row(id).valid_until,
            idle_seconds: Some(30 * 60),
            disconnected_seconds: Some(15 * 60),
            clipboard: session::Transfer::Both,
            sound: session::notice::SoundState::Missing,
            files: session::Transfer::Both,
        }
    );
    let closes = start + TimeDelta::minutes(30);
    for (passed, minutes) in [(15, 15), (10, 5), (4, 1)] {
        fixture.advance(TimeDelta::minutes(passed));
        assert_eq!(
            next_notice(&mut tab).await,
            warning(closes, Timer::Idle, minutes, fixture.control.now())
        );
    }
    // A key press resets the limit.
    tab.last_use.touch();
    assert_eq!(next_notice(&mut tab).await, Notice::Calm);

    fixture.advance(TimeDelta::minutes(30));
    assert_eq!(timeout(PATIENCE, &mut tab.closed).await.unwrap(), Ok(Close::Idle));
    let row = fixture.wait_for(id, |row| !row.connected).await;
    assert_eq!(row.status, Status::Active, "the session goes on");
    drop(tab);
    let (_tab, _bytes) = fixture.open(id).await;
    assert!(fixture.row(id).connected);
    let kinds: Vec<_> = fixture.store.events(id).await.unwrap();
    let idle = kinds.iter().filter(|event| event.what == EventKind::Idle).count();
    assert_eq!(idle, 1);
}

#[tokio::test]
async fn a_tab_is_warned_before_the_allowed_time_is_over() {
    let fixture = Fixture::new().await;
    let id = fixture.active().await;
    let (mut tab, _bytes) = fixture.open(id).await;
    let valid_until = fixture.row(id).valid_until;
    next_notice(&mut tab).await;
    let before = |minutes| valid_until - fixture.control.now() - TimeDelta::minutes(minutes);
    fixture.advance(before(16));
    tab.last_use.touch();
    for minutes in [15, 5, 1] {
        fixture.advance(before(minutes.into()));
        tab.last_use.touch();
        assert_eq!(
            next_notice(&mut tab).await,
            warning(valid_until, Timer::ValidUntil, minutes, fixture.control.now())
        );
    }
    fixture.advance(before(0));
    assert_eq!(timeout(PATIENCE, &mut tab.closed).await.unwrap(), Ok(Close::Expired));
}

#[tokio::test]
async fn a_tab_that_is_used_stays_open_for_as_long_as_it_is() {
    let fixture = Fixture::new().await;
    let id = fixture.active().await;
    let (mut tab, _bytes) = fixture.open(id).await;
    for _ in 0..8 {
        fixture.advance(TimeDelta::minutes(29));
        tab.last_use.touch();
        fixture
            .control
            .list(&fixture.admin, &session::view::View::default())
            .unwrap();
    }
    assert!(tab.closed.try_recv().is_err());
    assert!(fixture.row(id).connected);
}

#[tokio::test]
async fn a_session_that_the_environment_never_closes_is_given_up_and_then_purged() {
    let fixture = Fixture::new().await;
    let id = fixture.active().await;
    fixture.environment.fail_stops(u32::MAX);
    fixture
        .control
        .expire(&fixture.admin, id, ExpireRequest::default())
        .await
        .unwrap();
    fixture.advance(TimeDelta::hours(49));
    fixture.control.purge_now().await.unwrap();
    assert_eq!(
        fixture.row(id).teardown,
        Teardown::Wanted,
        "it stays until it is closed"
    );

    let given_up = fixture.control.give_up_cleanup(&fixture.admin, id).await.unwrap();
    assert_eq!(given_up.teardown, Teardown::GivenUp);
    fixture.control.purge_now().await.unwrap();
    assert!(fixture.control.session(&fixture.admin, id).is_err(), "purged");
    let last = fixture.store.events(id).await.unwrap();
    let last: Vec<_> = last.iter().rev().take(2).map(|event| event.what.code()).collect();
    assert_eq!(last, ["purged", "teardown_given_up"]);
}
