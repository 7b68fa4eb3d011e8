//! Sign-in: the delay after wrong guesses, and the accounts and networks that it affects.
#![expect(clippy::unwrap_used, reason = "a step that fails is a failed test")]

use chrono::TimeDelta;
use control::Error;
use session::{EventKind, audit::Place, event::SignInFailure};
use store::EventScan;

use crate::fixture::{Fixture, HOME, PASSWORD, client};

const ELSEWHERE: &str = "192.0.2.7";

async fn guess(fixture: &Fixture, name: &str, address: &str) -> Error {
    let refused = fixture.control.sign_in(name, "wrong", &client(address)).await;
    refused.unwrap_err()
}

/// The causes of failed sign-ins, with the account and the count, oldest first.
async fn failures(fixture: &Fixture) -> Vec<(Option<String>, SignInFailure, u32)> {
    let scan = EventScan {
        session: None,
        from: None,
        until: None,
        place: Place::Newest,
        limit: 10_000,
    };
    let events = fixture.store.scan_events(&scan).await.unwrap().into_iter().rev();
    let failed = events.filter_map(|numbered| match numbered.event.what {
        EventKind::SignInFailed { username, cause, count } => {
            Some((username.map(|name| name.to_string()), cause, count))
        }
        _ => None,
    });
    failed.collect()
}

#[tokio::test]
async fn wrong_user_and_wrong_password_look_the_same_and_guessing_is_slowed() {
    let fixture = Fixture::new().await;
    for name in ["student", "nobody"] {
        for _ in 0..5 {
            assert!(matches!(guess(&fixture, name, ELSEWHERE).await, Error::Credentials));
        }
        assert!(matches!(guess(&fixture, name, ELSEWHERE).await, Error::Throttled(1)));
    }
    let slowed = fixture.control.sign_in("student", PASSWORD, &client(ELSEWHERE)).await;
    assert!(
        matches!(slowed, Err(Error::Throttled(_))),
        "even with the right password"
    );
    fixture.advance(TimeDelta::seconds(1));
    assert!(
        fixture
            .control
            .sign_in("STUDENT", PASSWORD, &client(ELSEWHERE))
            .await
            .is_ok(),
        "names are case-insensitive"
    );
}

#[tokio::test]
async fn an_account_cannot_be_kept_out_from_other_addresses() {
    let fixture = Fixture::new().await;
    for _ in 0..14 {
        guess(&fixture, "student", ELSEWHERE).await;
    }
    for address in ["192.0.2.8", "2001:db8::1", HOME] {
        let signed_in = fixture.control.sign_in("student", PASSWORD, &client(address)).await;
        assert!(signed_in.is_ok(), "{address}: {signed_in:?}");
    }
}

#[tokio::test]
async fn a_guesser_at_the_same_address_never_delays_a_person_who_signed_in_there_before() {
    let fixture = Fixture::new().await;
    for number in 0..300 {
        guess(&fixture, &format!("name{number}"), HOME).await;
    }
    for _ in 0..20 {
        guess(&fixture, "admin", HOME).await;
    }
    assert!(matches!(guess(&fixture, "stranger", HOME).await, Error::Throttled(_)));
    for name in ["admin", "student"] {
        let signed_in = fixture.control.sign_in(name, PASSWORD, &client(HOME)).await;
        assert!(signed_in.is_ok(), "{name}: {signed_in:?}");
    }
    let fixture = fixture.restart().await;
    for _ in 0..20 {
        guess(&fixture, "student", HOME).await;
    }
    let signed_in = fixture.control.sign_in("student", PASSWORD, &client(HOME)).await;
    assert!(signed_in.is_ok(), "a restart keeps the networks: {signed_in:?}");
}

#[tokio::test]
async fn unlocking_an_account_forgets_its_failures() {
    let fixture = Fixture::new().await;
    for _ in 0..9 {
        guess(&fixture, "student", ELSEWHERE).await;
    }
    let sign_in = async || fixture.control.sign_in("student", PASSWORD, &client(ELSEWHERE)).await;
    assert!(matches!(sign_in().await, Err(Error::Throttled(_))));
    let refused = fixture.control.unlock_user(&fixture.student, "student").await;
    assert!(matches!(refused, Err(Error::Forbidden(_))));
    fixture.control.unlock_user(&fixture.admin, "student").await.unwrap();
    assert!(sign_in().await.is_ok());
}

#[tokio::test]
async fn a_space_around_a_name_is_ignored_and_an_impossible_name_costs_nothing() {
    let fixture = Fixture::new().await;
    for _ in 0..200 {
        let refused = guess(&fixture, &"n".repeat(101), ELSEWHERE).await;
        assert!(matches!(refused, Error::Credentials), "never slowed: {refused:?}");
    }
    assert_eq!(failures(&fixture).await, [], "and nothing is kept of it");
    let spaced = fixture
        .control
        .sign_in(" student\u{a0}", PASSWORD, &client(ELSEWHERE))
        .await;
    assert!(spaced.is_ok(), "{spaced:?}");
}

#[tokio::test]
async fn many_failures_are_a_few_events_with_a_count() {
    let fixture = Fixture::new().await;
    for _ in 0..300 {
        guess(&fixture, "student", ELSEWHERE).await;
    }
    let wrong = |count| (Some("student".to_owned()), SignInFailure::WrongPassword, count);
    let throttled = |count| (None, SignInFailure::Throttled, count);
    assert_eq!(failures(&fixture).await, [wrong(1), throttled(1)]);
    fixture.control.flush().await;
    assert_eq!(
        failures(&fixture).await,
        [wrong(1), throttled(1), wrong(4), throttled(294)],
        "the rest is logged at shutdown"
    );
}

#[tokio::test]
async fn a_blocked_account_is_reported_only_with_the_right_password() {
    let fixture = Fixture::new().await;
    fixture
        .control
        .block_user(&fixture.admin, "student", true)
        .await
        .unwrap();
    assert!(matches!(
        guess(&fixture, "student", ELSEWHERE).await,
        Error::Credentials
    ));
    let refused = fixture.control.sign_in("student", PASSWORD, &client(ELSEWHERE)).await;
    assert!(matches!(refused, Err(Error::Blocked)));
    let causes: Vec<_> = failures(&fixture)
        .await
        .into_iter()
        .map(|(_, cause, _)| cause)
        .collect();
    assert_eq!(causes, [SignInFailure::WrongPassword, SignInFailure::Blocked]);
}
