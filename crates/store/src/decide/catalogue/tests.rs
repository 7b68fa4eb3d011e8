use session::{EnvironmentId, Policy};
use uuid::Uuid;

use super::*;

const HOST: EnvironmentId = EnvironmentId(Uuid::from_u128(1));

fn environment(open: bool) -> EnvironmentRow {
    EnvironmentRow {
        homes: None,
        id: HOST,
        name: "This host".into(),
        kind: "local".into(),
        open,
    }
}

fn application(name: &str, open: bool) -> Application {
    Application {
        id: ApplicationId(Uuid::from_u128(2)),
        name: name.into(),
        launch_text: "Launch".into(),
        environment_id: HOST,
        command: vec!["xterm".into()],
        policy: Policy::default(),
        appearance: Default::default(),
        seats: None,
        open,
    }
}

#[test]
fn opening_and_closing_is_one_event_and_only_when_it_changes_something() {
    let (open, closed) = (environment(true), environment(false));
    let to = |row, launches| set_environment_launches(row, launches).open;
    assert_eq!(to(&open, LaunchState::Open), None);
    assert_eq!(to(&closed, LaunchState::Closed), None);
    assert_eq!(
        to(&open, LaunchState::Closed),
        Some((false, environment_event(&open, false)))
    );
    assert_eq!(
        to(&closed, LaunchState::Open),
        Some((true, environment_event(&closed, true)))
    );
    let (open, closed) = (application("Terminal", true), application("Terminal", false));
    let to = |row, launches| set_application_launches(row, launches).open;
    assert_eq!(to(&open, LaunchState::Open), None);
    assert_eq!(to(&closed, LaunchState::Closed), None);
    assert_eq!(
        to(&open, LaunchState::ClosedAndEnded),
        Some((false, application_event(&open, ApplicationChange::Closed)))
    );
    assert_eq!(
        to(&closed, LaunchState::Open),
        Some((true, application_event(&closed, ApplicationChange::Opened)))
    );
}

#[test]
fn sessions_end_only_on_request_and_then_also_of_a_closed_application() {
    for open in [true, false] {
        for (to, ends) in [
            (LaunchState::Open, false),
            (LaunchState::Closed, false),
            (LaunchState::ClosedAndEnded, true),
        ] {
            assert_eq!(
                set_environment_launches(&environment(open), to).end_sessions,
                ends.then_some(EndReason::EnvironmentClosed)
            );
            assert_eq!(
                set_application_launches(&application("Terminal", open), to).end_sessions,
                ends.then_some(EndReason::ApplicationWithdrawn)
            );
        }
    }
}

#[test]
fn an_edit_never_overwrites_a_change_that_its_author_has_not_seen() {
    let (seen, now, wanted) = (
        application("Seen", false),
        application("Now", false),
        application("Wanted", false),
    );
    let edit =
        |before: Option<&Application>| update_application(wanted.id, before.cloned(), &seen.spec(), &wanted.spec());
    assert_eq!(edit(None), Edit::Nothing(Edited::NotFound));
    assert_eq!(edit(Some(&now)), Edit::Nothing(Edited::Conflict(now.clone())));
    assert_eq!(
        edit(Some(&wanted)),
        Edit::Nothing(Edited::Done(wanted.clone())),
        "a repeated edit succeeds"
    );
    let edited = ApplicationChange::Edited(Box::new(wanted.spec()));
    assert_eq!(
        edit(Some(&seen)),
        Edit::Write(wanted.clone(), application_event(&wanted, edited)),
        "and it stays closed"
    );
}

#[test]
fn what_is_new_is_one_event() {
    assert_eq!(
        environment_added(&environment(true)),
        environment_event(&environment(true), true)
    );
    let new = application("Terminal", true);
    let added = ApplicationChange::Added(Box::new(new.spec()));
    assert_eq!(application_added(&new), application_event(&new, added));
}
