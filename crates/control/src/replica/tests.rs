use super::*;
use session::{ApplicationId, EnvironmentId, Policy, columns::Column, view::Sort};
use uuid::Uuid;

/// The n-th session: two environments, three users, every status, one start per second.
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
        application_id: ApplicationId(Uuid::from_u128(7)),
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
        policy,
        version: 1,
    }
}

fn replica(rows: u32) -> Replica {
    Replica::new(Changes {
        revision: 1,
        sessions: (0..rows).map(session).collect(),
        purged: vec![],
    })
}

fn view(q: &str, sort: &str) -> View {
    View {
        q: q.into(),
        sort: sort.parse().unwrap(),
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
        ("connected:yes", 0),
        ("nobody", 0),
        ("jane omar", 0),
    ] {
        let page = replica.page(&view(q, "-started_at")).unwrap();
        assert_eq!((page.total, page.all), (total, 1200), "{q}");
    }
}

#[test]
fn every_sort_pages_through_all_rows_once_by_cursor_and_by_number() {
    let replica = replica(130);
    for column in Column::ALL {
        for descending in [false, true] {
            let mut view = View {
                sort: Sort { column, descending },
                limit: 20,
                ..View::default()
            };
            let (mut by_cursor, mut by_number) = (Vec::new(), Vec::new());
            loop {
                let page = replica.page(&view).unwrap();
                by_cursor.extend(page.items.iter().map(|row| row.id));
                view.cursor = page.next_cursor;
                if view.cursor.is_none() {
                    break;
                }
            }
            for page in 1..=7 {
                view.page = page;
                by_number.extend(replica.page(&view).unwrap().items.iter().map(|row| row.id));
            }
            assert_eq!(by_cursor, by_number, "{column:?} {descending}");
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
    replica.committed(2, vec![session(100)], &[last]);
    view.cursor = first.next_cursor;
    let second = replica.page(&view).unwrap();
    assert_eq!(second.items.first().unwrap().id, session(89).id);
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
fn a_cursor_of_another_order_is_refused() {
    let replica = replica(10);
    let view = View {
        cursor: Some("rubbish".into()),
        ..View::default()
    };
    assert!(replica.page(&view).unwrap_err().contains("cursor"));
}

#[test]
fn what_another_process_wrote_is_taken_over_once_and_in_order() {
    let replica = replica(1);
    let revised = |version| Session { version, ..session(0) };
    replica.committed(3, vec![revised(3)], &[]);
    assert_eq!(
        replica.revision(),
        1,
        "revision 2 is somebody else's and has yet to come"
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
    };
    let news = replica.catch_up(changes.clone());
    assert_eq!(news.iter().map(|row| row.id).collect::<Vec<_>>(), [session(1).id]);
    assert_eq!(replica.revision(), 3);
    assert!(replica.catch_up(changes).is_empty());
}
