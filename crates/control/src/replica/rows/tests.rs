use std::collections::HashSet;

use super::*;
use crate::replica::tests::session;

#[test]
fn holes_are_closed_and_nothing_else_is_lost() {
    let mut rows = Rows::default();
    for n in 0..3000 {
        rows.put(session(n));
    }
    for n in 0..2000 {
        rows.remove(session(n).id);
    }
    assert!(rows.slots() < 3000, "the holes are closed");
    assert_eq!(rows.counts().all, 1000);
    let left: HashSet<_> = (2000..3000).map(|n| session(n).user_id).collect();
    let of_users: usize = left.iter().map(|user| rows.unended_of(*user).count()).sum();
    assert_eq!(of_users, rows.unended().count(), "each is its user's");
    for n in 2000..3000 {
        let slot = rows.by_id[&session(n).id];
        assert!(rows.line(slot).contains(&session(n).id.to_string()));
    }
    let keys: Vec<_> = rows.by_start().iter().map(|slot| rows.start_key(*slot)).collect();
    assert!(keys.is_sorted() && keys.len() == 1000);
}

#[test]
fn an_older_state_never_replaces_a_newer_one() {
    let mut rows = Rows::default();
    let newer = Session {
        version: 9,
        status: Status::Expired,
        ..session(1)
    };
    rows.put(newer.clone());
    rows.put(Session {
        version: 8,
        ..session(1)
    });
    assert_eq!(rows.get(newer.id).map(|row| row.status), Some(Status::Expired));
    assert_eq!((rows.counts().all, rows.counts().expired), (1, 1));
}
