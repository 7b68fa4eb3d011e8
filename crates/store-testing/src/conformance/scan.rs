//! Scans of the events, in the order of their time.

use std::sync::Arc;

use session::{
    Actor, EventKind, Timestamp,
    audit::{Numbered, Place},
    lifecycle::Command,
};
use store::{EventScan, Store, WriteRequest};

use crate::fixture::*;

const ALL: EventScan = EventScan {
    session: None,
    from: None,
    until: None,
    place: Place::Newest,
    limit: 1000,
};

async fn scan(store: &dyn Store, scan: EventScan) -> Vec<Numbered> {
    store.scan_events(&scan).await.unwrap()
}

fn order(event: &Numbered) -> (Timestamp, u64) {
    (event.event.at, event.id)
}

/// Events of three sessions, some at the same time, one of them after the clock was set back.
async fn happen(store: &dyn Store) {
    populate(store, 1..=3).await;
    for (n, seconds) in [(1, 10), (2, 30), (3, 20)] {
        write(store, launch(n, n, TERMINAL, at(seconds))).await;
    }
    let end = |n, when| [step(n, expire(), when), step(n, Command::TornDown, when)];
    store.write(&end(1, at(40))).await.unwrap();
    store.write(&end(2, at(40))).await.unwrap();
    write(store, launch(9, 99, TERMINAL, at(15))).await;
}

pub(super) async fn a_scan_goes_through_all_events_in_order_either_way(store: Arc<dyn Store>) {
    assert_eq!(scan(&*store, ALL).await, []);
    happen(&*store).await;
    let mut all = scan(&*store, ALL).await;
    assert!(all.is_sorted_by(|one, next| order(one) > order(next)), "newest first");
    assert_eq!(all.len(), 6 + 3 + 4 + 1);
    assert_eq!(all[0].event.at, at(40));
    let revision = store.revision().await.unwrap();
    assert!(all.iter().all(|event| (1..=revision).contains(&event.revision)));
    let newest = all.iter().max_by_key(|event| event.id).unwrap();
    assert_eq!(
        (newest.event.at, newest.revision),
        (at(15), revision),
        "what was written last"
    );
    assert!(matches!(newest.event.what, EventKind::LaunchRefused { .. }));
    assert_eq!(newest.event.actor, Actor::System);

    // In parts to the end, and back again.
    for limit in [1, 4, 100] {
        let (mut back, mut place) = (Vec::new(), Place::Newest);
        loop {
            let part = scan(&*store, EventScan { place, limit, ..ALL }).await;
            let Some(last) = part.last() else { break };
            assert!(part.len() <= limit as usize);
            place = Place::Before(last.id);
            back.extend(part);
        }
        assert_eq!(back, all, "{limit} at a time");
    }
    let oldest = all.pop().unwrap();
    all.reverse();
    let after = EventScan {
        place: Place::After(oldest.id),
        ..ALL
    };
    assert_eq!(scan(&*store, after).await, all, "oldest first");
    assert_eq!(scan(&*store, EventScan { limit: 2, ..after }).await, all[..2]);
    assert_eq!(scan(&*store, EventScan { limit: 0, ..ALL }).await, []);
    for place in [Place::Before(1_000_000), Place::After(1_000_000)] {
        assert_eq!(
            scan(&*store, EventScan { place, ..ALL }).await,
            [],
            "next to an event that does not exist"
        );
    }
}

pub(super) async fn a_scan_keeps_to_its_session_and_its_time(store: Arc<dyn Store>) {
    happen(&*store).await;
    let all = scan(&*store, ALL).await;
    let only = |keep: &dyn Fn(&Numbered) -> bool| all.iter().filter(|event| keep(event)).cloned().collect::<Vec<_>>();
    let of = |n| EventScan {
        session: Some(session(n)),
        ..ALL
    };
    let expected = only(&|event| event.event.session_id == Some(session(1)));
    assert_eq!(expected.len(), 3);
    assert_eq!(scan(&*store, of(1)).await, expected);
    assert_eq!(scan(&*store, of(77)).await, []);
    let before = Place::Before(expected[0].id);
    assert_eq!(scan(&*store, EventScan { place: before, ..of(1) }).await, expected[1..]);

    let between = EventScan {
        from: Some(at(15)),
        until: Some(at(30)),
        ..ALL
    };
    let expected = only(&|event| (at(15)..at(30)).contains(&event.event.at));
    assert_eq!(expected.len(), 2, "the beginning belongs to it, the end does not");
    assert_eq!(scan(&*store, between).await, expected);
    let upward = EventScan {
        place: Place::After(expected[1].id),
        ..between
    };
    assert_eq!(scan(&*store, upward).await, expected[..1]);

    // New events do not move those of earlier pages.
    let place = Place::Before(all[4].id);
    let older = scan(&*store, EventScan { place, ..ALL }).await;
    write(&*store, WriteRequest::Purge { at: at(40 + 48 * 3600) }).await;
    assert_eq!(scan(&*store, EventScan { place, ..ALL }).await, older);
    assert_eq!(older, all[5..]);
}
