use super::*;
use session::{ApplicationId, EnvironmentId, Policy, columns::Column, view::Sort};
use uuid::Uuid;

/// Session number `n`: two environments, three users, every status, one start a second.
pub fn session(n: u32) -> Session {
    let started_at = chrono::DateTime::from_timestamp(1_800_000_000 + i64::from(n), 0).unwrap();
    let policy = Policy::default();
    let users = ["jané", "Omar", "wei"];
    Session {
        id: SessionId(Uuid::from_u128(
            0x0199_0000_0000_7000_8000_0000_0000_0000 + u128::from(n),
        )),
        environment_id: EnvironmentId(Uuid::from_u128(u128::from(n % 2))),
        environment: ["Lab A", "Lab B"][n as usize % 2].into(),
        // A user has one live session of an application.
        application_id: ApplicationId(Uuid::from_u128(7 + u128::from(n))),
        application: "Terminal".into(),
        user_id: UserId(Uuid::from_u128(0xabc_0000 + u128::from(n % 3))),
        username: users[n as usize % 3].into(),
        status: Status::ALL[n as usize % 4],
        access_epoch: 0,
        started_at,
        ready_at: None,
        valid_until: policy.valid_until(started_at),
        connected_since: None,
        disconnected_at: None,
        end: None,
        error: None,
        teardown: Teardown::NotNeeded,
        blocked_until: None,
        policy,
        home: None,
        node: session::ONLY_NODE.into(),
        version: 1,
    }
}

fn replica(rows: u32) -> Replica {
    Replica::new(Changes {
        revision: 1,
        sessions: (0..rows).map(session).collect(),
        purged: vec![],
        ..Changes::default()
    })
}

fn view(q: &str, sort: &str) -> View {
    View {
        q: q.into(),
        sort: Some(sort.parse().unwrap()),
        ..View::default()
    }
}

#[test]
fn search_covers_every_session_and_counts_exactly() {
    let replica = replica(1200);
    for (q, total) in [
        ("", 1200),
        ("JANE", 400),
        ("jane lab", 400),
        ("jane \"lab a\"", 200),
        ("user:wei env:lab", 400),
        ("status:err", 300),
        ("error", 300),
        ("act", 300),
        ("id:7000-8000", 1200),
        (&session(77).id.to_string(), 1),
        (&session(77).user_id.to_string()[28..], 400),
        ("node:main", 1200),
        ("node:mai", 0),
        ("connected:yes", 0),
        ("nobody", 0),
        ("jane omar", 0),
    ] {
        let page = replica.page(&view(q, "-started_at")).unwrap();
        assert_eq!((page.total, page.all), (total, 1200), "{q}");
    }
}

#[test]
fn a_page_beyond_the_limits_is_refused() {
    let replica = replica(3);
    for (limit, page) in [(0, 1), (201, 1), (u16::MAX, 1), (50, 0), (50, 1_000_001)] {
        let view = View {
            limit,
            page,
            ..View::default()
        };
        assert!(replica.page(&view).is_err(), "{limit} {page}");
    }
    assert!(
        replica
            .page(&View {
                limit: 200,
                page: 1_000_000,
                ..View::default()
            })
            .is_ok()
    );
}

#[test]
fn every_sort_pages_through_all_rows_once_by_cursor_and_by_number() {
    let replica = replica(130);
    for column in Column::ALL {
        for descending in [false, true] {
            let mut view = View {
                sort: Some(Sort { column, descending }),
                limit: 20,
                ..View::default()
            };
            let (mut by_cursor, mut by_number) = (Vec::new(), Vec::new());
            let (mut starts, mut backwards) = (vec![None], Vec::new());
            loop {
                let page = replica.page(&view).unwrap();
                assert_eq!(page.offset as usize, by_cursor.len(), "{column:?} {descending}");
                by_cursor.extend(page.items.iter().map(|row| row.id));
                backwards.push(page.previous_cursor);
                view.cursor = page.next_cursor;
                if view.cursor.is_none() {
                    break;
                }
                starts.push(view.cursor.clone());
            }
            // The page before the n-th starts where the (n-1)-th does.
            assert_eq!(backwards[0], None);
            assert_eq!(backwards[1..], starts[..starts.len() - 1], "{column:?} {descending}");
            for number in 1..=7_usize {
                view.page = number as u32;
                let page = replica.page(&view).unwrap();
                assert_eq!(page.offset as usize, 20 * (number - 1));
                assert_eq!(page.previous_cursor, backwards[number - 1], "{column:?} {descending}");
                by_number.extend(page.items.iter().map(|row| row.id));
            }
            assert_eq!(by_cursor, by_number, "{column:?} {descending}");
            view.page = 1;
            let all: Vec<_> = replica.all(&view).unwrap().iter().map(|row| row.id).collect();
            assert_eq!(all, by_cursor, "{column:?} {descending}");
            by_cursor.sort_unstable();
            by_cursor.dedup();
            assert_eq!(by_cursor.len(), 130, "{column:?} {descending}");
        }
    }
}

#[test]
fn a_cursor_goes_on_behind_its_row_while_rows_come_and_go() {
    let replica = replica(100);
    let mut view = View {
        limit: 10,
        ..View::default()
    };
    let first = replica.page(&view).unwrap();
    let last = first.items.last().unwrap().id;
    let come = |n, version| Session { version, ..session(n) };
    replica.committed(Some(2), vec![come(100, 2)], &[last]);
    view.cursor = first.next_cursor;
    let second = replica.page(&view).unwrap();
    assert_eq!(second.items.first().unwrap().id, session(89).id);
    assert_eq!(second.offset, 10, "one came, one went");
    replica.committed(Some(3), vec![come(101, 3), come(102, 3)], &[]);
    let same = replica.page(&view).unwrap();
    assert_eq!(
        same.items, second.items,
        "what comes before it moves no row of the page"
    );
    assert_eq!(same.offset, 12);
}

#[test]
fn a_status_filter_keeps_the_counts_of_the_others() {
    let replica = replica(400);
    let page = replica
        .page(&View {
            status: Some(Status::Error),
            ..View::default()
        })
        .unwrap();
    assert_eq!((page.total, page.counts.all, page.counts.active), (100, 400, 100));
    assert!(page.items.iter().all(|row| row.status == Status::Error));
}

#[test]
fn connected_is_a_filter_of_its_own() {
    let replica = replica(8);
    let open = |n| Session {
        status: Status::Active,
        connected_since: Some(session(n).started_at),
        version: 2,
        ..session(n)
    };
    replica.committed(Some(2), vec![open(1), open(5)], &[]);
    let total = |status| {
        let view = View {
            connected: true,
            status,
            ..View::default()
        };
        let page = replica.page(&view).unwrap();
        assert_eq!(page.items.len(), page.total as usize);
        page.total
    };
    assert_eq!(
        (total(None), total(Some(Status::Active)), total(Some(Status::Error))),
        (2, 2, 0)
    );
}

#[test]
fn a_cursor_of_another_order_is_refused() {
    let replica = replica(10);
    let of_name = replica
        .page(&View {
            limit: 1,
            ..view("", "username")
        })
        .unwrap()
        .next_cursor;
    for cursor in [
        of_name.unwrap(),
        "rubbish".into(),
        String::new(),
        "é".repeat(16),
        "0".repeat(32),
    ] {
        let view = View {
            cursor: Some(cursor),
            ..View::default()
        };
        assert_eq!(replica.page(&view).unwrap_err(), InvalidList::Cursor);
    }
}

#[test]
fn a_change_of_another_process_is_applied_once_and_in_order() {
    let replica = replica(1);
    let revised = |version| Session { version, ..session(0) };
    replica.committed(Some(3), vec![revised(3)], &[]);
    assert_eq!(
        replica.revision(),
        1,
        "revision 2 is of another process and has yet to be read"
    );
    let changes = Changes {
        revision: 3,
        sessions: vec![
            revised(3),
            Session {
                version: 2,
                ..session(1)
            },
        ],
        purged: vec![],
        ..Changes::default()
    };
    let news = replica.catch_up(changes.clone());
    assert_eq!(news.iter().map(|row| row.id).collect::<Vec<_>>(), [session(1).id]);
    assert_eq!(replica.revision(), 3);
    assert!(replica.catch_up(changes).is_empty());
}

#[test]
fn a_row_in_an_answer_is_applied_without_its_revision() {
    let replica = replica(1);
    let revised = |version| Session { version, ..session(0) };
    replica.committed(None, vec![revised(2)], &[]);
    assert_eq!(replica.get(session(0).id).map(|row| row.version), Some(2));
    assert_eq!(replica.revision(), 1, "what else was written then has yet to be read");
    let changes = Changes {
        revision: 3,
        sessions: Vec::new(),
        purged: vec![session(0).id],
        ..Changes::default()
    };
    replica.catch_up(changes);
    replica.committed(None, vec![revised(3)], &[]);
    assert_eq!(
        replica.get(session(0).id),
        None,
        "an answer that comes late brings nothing back"
    );
}

#[test]
fn a_launch_waits_for_the_end_of_the_session_before_it_by_another_node() {
    let live = |n: u32, version: u64| Session {
        status: Status::Active,
        version,
        user_id: UserId(Uuid::from_u128(1)),
        application_id: ApplicationId(Uuid::from_u128(7)),
        ..session(n)
    };
    let replica = replica(0);
    replica.committed(Some(2), vec![live(1, 2)], &[]);
    // Another node wrote revision 3, the end of the first session. This node launched the second.
    replica.committed(Some(4), vec![live(2, 4)], &[]);
    let shown = |replica: &Replica| replica.live_of(UserId(Uuid::from_u128(1))).len();
    assert_eq!((shown(&replica), replica.revision()), (1, 2));
    let ended = Session {
        status: Status::Error,
        ..live(1, 3)
    };
    replica.catch_up(Changes {
        revision: 4,
        sessions: vec![ended, live(2, 4)],
        ..Changes::default()
    });
    assert_eq!((shown(&replica), replica.revision()), (1, 4));
    assert!(replica.get(session(2).id).is_some());
}

#[test]
fn the_last_failure_counts_until_the_next_launch() {
    let user = UserId(Uuid::from_u128(1));
    let application = ApplicationId(Uuid::from_u128(7));
    let of = |n: u32, status: Status| Session {
        status,
        user_id: user,
        application_id: application,
        version: u64::from(n),
        ..session(n)
    };
    let failed = |replica: &Replica| replica.failures_of(user, std::iter::once(application)).len();
    // The database loads rows in any order.
    let loaded = Replica::new(Changes {
        revision: 3,
        sessions: vec![of(3, Status::Expired), of(2, Status::Error)],
        ..Changes::default()
    });
    assert_eq!(failed(&loaded), 0, "a later launch ended");
    loaded.committed(Some(4), vec![of(4, Status::Error)], &[]);
    assert_eq!(failed(&loaded), 1);
    loaded.committed(Some(5), vec![of(5, Status::Pending)], &[]);
    assert_eq!(failed(&loaded), 0, "launched again");
    loaded.committed(Some(6), vec![of(6, Status::Error)], &[]);
    loaded.committed(Some(7), vec![], &[session(6).id]);
    assert_eq!(failed(&loaded), 0, "purged");
}
