use super::*;
use crate::{ApplicationId, EnvironmentId, Policy, SessionId, UserId};
use uuid::Uuid;

fn at(seconds: i64) -> Timestamp {
    chrono::DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
}

fn admin() -> Actor {
    Actor::Person {
        user_id: UserId(Uuid::from_u128(9)),
        username: "admin".into(),
        origin: None,
    }
}

fn session(status: Status) -> Session {
    let policy = Policy::default();
    let ended = status == Status::Expired;
    Session {
        id: SessionId(Uuid::from_u128(1)),
        environment_id: EnvironmentId(Uuid::from_u128(2)),
        environment: "This host".into(),
        application_id: ApplicationId(Uuid::from_u128(3)),
        application: "Terminal".into(),
        user_id: UserId(Uuid::from_u128(4)),
        username: "student".into(),
        status,
        access_epoch: u32::from(ended),
        started_at: at(0),
        ready_at: (status != Status::Pending).then(|| at(1)),
        valid_until: policy.valid_until(at(0)),
        connected_since: None,
        disconnected_at: None,
        end: ended.then(|| End {
            at: at(2),
            by: "admin".into(),
            reason: EndReason::Admin,
            note: None,
        }),
        error: None,
        teardown: if ended { Teardown::Wanted } else { Teardown::NotNeeded },
        blocked_until: None,
        policy,
        home: None,
        node: crate::ONLY_NODE.into(),
        version: 7,
    }
}

fn expire() -> Command {
    Command::Expire {
        reason: EndReason::Admin,
        note: Some("licence needed".into()),
        seen: None,
        batch: None,
        block: false,
    }
}

fn command(verb: Verb) -> Command {
    match verb {
        Verb::Ready => Command::Ready,
        Verb::Fail => Command::Fail("gone".into()),
        Verb::Attach => Command::Attach { epoch: 0 },
        Verb::Detach => Command::Detach,
        Verb::Idle => Command::Idle,
        Verb::Expire => expire(),
        Verb::TornDown => Command::TornDown,
        Verb::GiveUp => Command::GiveUp,
    }
}

#[test]
fn step_follows_the_table_for_every_status_and_command() {
    for status in Status::ALL {
        for verb in Verb::ALL {
            for connected in [false, status == Status::Active] {
                let mut before = session(status);
                before.connected_since = connected.then(|| at(1));
                let outcome = step(&before, command(verb), &admin(), at(60));
                match (verdict(status, verb), outcome) {
                    (Verdict::Refused(text), Err(Refusal::Status { status: named })) => {
                        assert!(!text.is_empty());
                        assert_eq!(named, status);
                    }
                    (Verdict::Nothing, Ok(done)) => {
                        assert_eq!((done.session, done.event), (before, None), "{status} {verb:?}");
                    }
                    (Verdict::To(to), Ok(done)) => {
                        assert_eq!(done.session.status, to, "{status} {verb:?}");
                        assert!(!done.session.connected() || to == Status::Active, "connected ⇒ Active");
                        assert_eq!(
                            done.event.is_none(),
                            done.session == before,
                            "an event for each change, and only then"
                        );
                    }
                    (expected, got) => panic!("{status} {verb:?}: the table says {expected:?}, step {got:?}"),
                }
            }
        }
    }
}

#[test]
fn nothing_leaves_expired() {
    let expired = session(Status::Expired);
    for verb in Verb::ALL {
        let after =
            step(&expired, command(verb), &admin(), at(99)).map_or_else(|_| expired.clone(), |done| done.session);
        assert_eq!(after.status, Status::Expired, "{verb:?}");
        assert_eq!(after.end, expired.end, "{verb:?} rewrote who ended it");
        assert!(!after.connected());
    }
}

#[test]
fn expiring_ends_access_at_once_and_says_by_whom() {
    let mut active = session(Status::Active);
    active.connected_since = Some(at(5));
    let done = step(&active, expire(), &admin(), at(60)).unwrap();
    let end = done.session.end.unwrap();
    assert_eq!(
        (&*end.by, end.at, end.note.as_deref()),
        ("admin", at(60), Some("licence needed"))
    );
    assert_eq!(done.session.access_epoch, active.access_epoch + 1);
    assert!(done.session.valid_until <= end.at, "Expired ⇒ valid until ≤ end");
    assert_eq!(done.session.disconnected_at, Some(at(60)));
    assert_eq!(done.session.teardown, Teardown::Wanted);
}

#[test]
fn a_tab_authorised_before_an_expire_is_refused() {
    let mut active = session(Status::Active);
    active.access_epoch = 3;
    assert_eq!(
        step(&active, Command::Attach { epoch: 2 }, &admin(), at(9)),
        Err(Refusal::OldEpoch)
    );
    assert!(step(&active, Command::Attach { epoch: 3 }, &admin(), at(9)).is_ok());
}

#[test]
fn a_decision_made_on_stale_facts_is_refused_only_where_it_matters() {
    let seen = |status, connected| Command::Expire {
        reason: EndReason::Admin,
        note: None,
        seen: Some(Seen { status, connected }),
        batch: None,
        block: false,
    };
    let mut connected = session(Status::Active);
    connected.connected_since = Some(at(5));
    let cases = [
        (&connected, seen(Status::Active, false), true),
        (&connected, seen(Status::Active, true), false),
        (&connected, seen(Status::Pending, true), true),
        (&session(Status::Error), seen(Status::Active, true), false),
        (&session(Status::Expired), seen(Status::Active, true), false),
    ];
    for (session, command, refused) in cases {
        let outcome = step(session, command.clone(), &admin(), at(60));
        assert_eq!(
            outcome == Err(Refusal::Changed),
            refused,
            "{} {command:?}",
            session.status
        );
    }
}

#[test]
fn each_limit_is_due_at_its_moment_and_not_before() {
    let pending = session(Status::Pending);
    let never_opened = session(Status::Active);
    let mut left = session(Status::Active);
    left.disconnected_at = Some(at(1000));
    let mut open = session(Status::Active);
    open.connected_since = Some(at(1));
    let ends = Command::expire;
    let cases = [
        (
            &pending,
            300,
            Command::Fail("The application was not ready in time.".into()),
        ),
        (&never_opened, 601, ends(EndReason::NeverConnected)),
        (&left, 1900, ends(EndReason::Disconnected)),
        (&open, 8 * 3600, ends(EndReason::ValidUntil)),
    ];
    for (session, seconds, command) in cases {
        assert_eq!(due(session, at(seconds - 1)), None);
        assert_eq!(due(session, at(seconds)), Some(command));
    }
    assert_eq!(
        due(&session(Status::Expired), at(i64::from(Policy::LONGEST_SECONDS))),
        None
    );
}

#[test]
fn time_does_to_a_session_only_what_is_due_then() {
    let pending = session(Status::Pending);
    let late = step(&pending, Command::Due, &Actor::System, at(300)).unwrap();
    assert_eq!(late.session.status, Status::Error);
    // The session became ready, or was opened, between the check for due commands and this step.
    let ready = session(Status::Active);
    let mut open = session(Status::Active);
    open.connected_since = Some(at(600));
    for (session, now) in [(ready, 300), (open, 601), (session(Status::Expired), 1_000_000)] {
        let done = step(&session, Command::Due, &Actor::System, at(now)).unwrap();
        assert_eq!((done.session, done.event), (session, None));
    }
}

#[test]
fn a_limit_that_is_off_is_never_due() {
    let mut pending = session(Status::Pending);
    pending.policy.start_seconds = None;
    assert_eq!(due(&pending, at(8 * 3600 - 1)), None);
}

#[test]
fn purge_is_never_early_and_waits_for_the_environment() {
    let mut ended = session(Status::Expired);
    assert!(!purgeable(&ended, at(2 + KEPT_SECONDS)), "teardown is not confirmed");
    for teardown in [Teardown::Confirmed, Teardown::GivenUp] {
        ended.teardown = teardown;
        assert!(!purgeable(&ended, at(1 + KEPT_SECONDS)));
        assert!(purgeable(&ended, at(2 + KEPT_SECONDS)));
    }
    assert!(
        !purgeable(&session(Status::Error), at(10 * KEPT_SECONDS)),
        "only ended sessions are purged"
    );
}

#[test]
fn giving_up_the_cleanup_is_for_what_is_being_closed_and_a_late_confirmation_still_counts() {
    let ended = session(Status::Expired);
    let given_up = step(&ended, Command::GiveUp, &admin(), at(60)).unwrap().session;
    assert_eq!(given_up.teardown, Teardown::GivenUp);
    assert_eq!(step(&given_up, Command::GiveUp, &admin(), at(61)).unwrap().event, None);
    let confirmed = step(&given_up, Command::TornDown, &Actor::Environment, at(62))
        .unwrap()
        .session;
    assert_eq!(confirmed.teardown, Teardown::Confirmed);
    assert_eq!(step(&confirmed, Command::GiveUp, &admin(), at(63)).unwrap().event, None);
    assert!(step(&session(Status::Active), Command::GiveUp, &admin(), at(60)).is_err());
}

#[test]
fn an_expire_blocks_a_relaunch_only_where_it_is_asked_to() {
    let block = |block| Command::Expire {
        reason: EndReason::Admin,
        note: None,
        seen: None,
        batch: None,
        block,
    };
    let blocked_until = |block_it| {
        let done = step(&session(Status::Active), block(block_it), &admin(), at(60)).unwrap();
        let Some(EventKind::Expired { blocked_until, .. }) = done.event else {
            panic!("{:?}", done.event)
        };
        assert_eq!(blocked_until, done.session.blocked_until);
        blocked_until
    };
    assert_eq!(blocked_until(true), Some(at(60 + BLOCK_SECONDS)));
    assert_eq!(blocked_until(false), None);
}
