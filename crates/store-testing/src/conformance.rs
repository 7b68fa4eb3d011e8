//! The suite that every store must pass.
//!
//! To run it on a store: `store_testing::conformance!(make);` in an integration test. `make` is an
//! async function that returns an empty store as `Arc<dyn Store>`, and a value that is dropped
//! after it. Each case becomes a test of its own. To add a case: a function in the module of its
//! subject, and its name in the list below.

#![expect(clippy::unwrap_used, reason = "a test suite: a panic is how it reports")]

use std::sync::Arc;

use session::{Event, EventKind, audit::Place};
use store::{EventScan, Store};

mod access;
mod catalogue;
mod homes;
mod launches;
mod life;
mod log;
mod own;
mod people;
mod purge;
mod refusals;
mod scan;
mod seeds;

/// All events that match, newest first.
pub async fn newest(store: &dyn Store, is: impl Fn(&EventKind) -> bool) -> Vec<Event> {
    let all = EventScan {
        session: None,
        from: None,
        until: None,
        place: Place::Newest,
        limit: 100_000,
    };
    let events = store.scan_events(&all).await.unwrap();
    events
        .into_iter()
        .map(|numbered| numbered.event)
        .filter(|event| is(&event.what))
        .collect()
}

/// All refused launches, newest first.
pub async fn denials(store: &dyn Store) -> Vec<Event> {
    newest(store, |what| matches!(what, EventKind::LaunchRefused { .. })).await
}

/// All changes of environments and applications, newest first.
pub async fn catalogue_events(store: &dyn Store) -> Vec<Event> {
    use EventKind::{ApplicationChanged, EnvironmentChanged};
    newest(store, |what| {
        matches!(what, ApplicationChanged { .. } | EnvironmentChanged { .. })
    })
    .await
}

macro_rules! cases {
    (($dollar:tt) $($module:ident: $($case:ident),+ $(,)?;)+) => {
        /// Runs one case on an empty store.
        ///
        /// # Panics
        /// If the store fails the case.
        pub async fn run(case: &str, store: Arc<dyn Store>) {
            match case {
                $($(stringify!($case) => Box::pin($module::$case(store)).await,)+)+
                unknown => panic!("there is no case “{unknown}”"),
            }
        }

        /// Makes each case a test. See [`store_testing::conformance`](mod@crate::conformance).
        #[macro_export]
        macro_rules! conformance {
            ($dollar make:path) => {
                $($(
                    #[tokio::test]
                    async fn $case() {
                        let (store, _keep) = $dollar make().await;
                        $crate::conformance::run(stringify!($case), store).await;
                    }
                )+)+
            };
        }
    };
}

cases! {
    ($)
    launches:
        a_launch_gives_a_pending_session,
        a_second_launch_resumes_and_writes_nothing,
        an_ended_session_is_not_resumed,
        requests_of_a_batch_see_each_other,
        a_policy_is_kept_as_it_was_at_launch;
    refusals:
        refusals_come_in_their_order_and_are_kept,
        seats_are_never_exceeded,
        nobody_has_more_live_sessions_than_allowed,
        a_refusal_that_is_recorded_is_not_written_again,
        a_seat_is_free_again_after_the_end;
    life:
        every_edge_is_kept_and_read_back,
        refused_and_unknown_steps_write_nothing,
        a_command_repeated_changes_nothing,
        twenty_expires_at_once_are_one_transition,
        times_are_kept_to_the_microsecond;
    log:
        events_are_complete_and_in_order,
        revisions_have_no_gap,
        replayed_changes_equal_a_load,
        denials_come_newest_first,
        sessions_that_end_together_name_their_batch,
        a_batch_that_fails_leaves_nothing_behind;
    scan:
        a_scan_goes_through_all_events_in_order_either_way,
        a_scan_keeps_to_its_session_and_its_time;
    purge:
        purging_is_never_early,
        purging_waits_for_the_teardown,
        a_thousand_are_purged_at_a_time,
        purging_agrees_with_the_life_cycle;
    seeds:
        every_field_survives,
        seeding_is_refused_if_there_are_sessions,
        a_large_seed_arrives_whole;
    people:
        people_are_found_by_name_in_any_case,
        the_last_system_admin_stays,
        a_new_password_ends_the_logins,
        a_sign_in_that_overlaps_a_change_is_refused,
        sign_ins_sign_outs_and_ends_of_logins_are_events,
        networks_that_people_signed_in_from_are_known,
        logins_are_kept_touched_and_removed,
        old_logins_are_removed,
        preferences_are_kept_by_person,
        sweeps_are_granted_once_an_interval,
        a_clock_set_back_blocks_for_one_interval_at_most;
    catalogue:
        environments_and_applications_are_kept,
        opening_and_closing,
        an_edit_changes_future_launches_only,
        an_edit_of_an_application_that_changed_since_is_refused,
        an_edit_to_what_cannot_be_leaves_nothing_behind,
        each_change_is_one_event_and_one_revision;
    own:
        favourites_are_kept_by_person,
        a_launch_is_the_last_use_and_outlives_its_session,
        who_is_removed_leaves_nothing_of_their_own,
        a_picture_is_kept_under_its_hash,
        an_application_has_a_picture_that_exists,
        the_oldest_unused_pictures_are_forgotten;
    homes:
        homes_are_kept_and_changed,
        a_number_is_never_given_again,
        a_session_keeps_the_homes_of_its_launch;
    access:
        blocking_a_user_ends_logins_and_sessions,
        removing_a_user_ends_their_sessions_and_keeps_their_history,
        somebody_who_can_administer_stays,
        closing_ends_sessions_only_on_request,
        a_relaunch_is_blocked_for_its_time_and_its_application,
        changes_of_people_are_in_the_log,
        the_chain_of_events_holds,
        the_head_is_the_last_event_and_checkpoints_stay;
}
