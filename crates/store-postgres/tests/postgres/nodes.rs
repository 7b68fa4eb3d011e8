//! Several nodes on one database.

use std::sync::Arc;

use chrono::TimeDelta;
use futures::future::join_all;
use session::{EventKind, SessionId, Status};
use sqlx::{Connection, PgConnection};
use store::{Claim, Cluster, EventLog, LaunchRefusal, Node, Sessions, Store, StoreError, WriteOutcome, Writer};
use store_postgres::Postgres;
use store_testing::postgres::Database;
use uuid::Uuid;

use super::common::*;

#[tokio::test(flavor = "multi_thread")]
async fn many_may_open_a_new_database_at_once() {
    let database = Database::create().await;
    for store in join_all((0..8).map(|_| open(database.url()))).await {
        assert_eq!(store.revision().await.unwrap(), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_expires_from_two_nodes_are_one_transition() {
    let database = Database::create().await;
    let (here, there) = (open(database.url()).await, open(database.url()).await);
    populate(&here, 0..1).await;
    let id = Uuid::from_u128(9);
    here.write(&[launch(id, 0, TERMINAL)]).await.unwrap();
    let before = here.revision().await.unwrap();
    let nodes = [&here, &there];
    let done = join_all((0..20).map(|n| async move { nodes[n % 2].write(&[expire(id)]).await.unwrap() })).await;
    let changed = |answer: &WriteOutcome| matches!(answer, WriteOutcome::Stepped { changed: true, .. });
    assert_eq!(done.iter().filter(|done| changed(&done.outcomes[0])).count(), 1);
    assert!(done.iter().all(
        |done| matches!(&done.outcomes[0], WriteOutcome::Stepped { session, .. } if session.status == Status::Expired)
    ));
    for node in nodes {
        let events = node.events(SessionId(id)).await.unwrap();
        assert_eq!(events.len(), 2, "{events:?}");
        assert!(matches!(events[1].what, EventKind::Expired { .. }));
        assert_eq!(node.revision().await.unwrap(), before + 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn seats_are_never_exceeded_by_two_nodes() {
    let database = Database::create().await;
    let nodes = [open(database.url()).await, open(database.url()).await];
    populate(&nodes[0], 0..40).await;
    let nodes: [Arc<dyn Store>; 2] = nodes.map(|node| Arc::new(node) as _);
    let writers = nodes.clone().map(|node| Writer::spawn(node, |_| {}));
    let answers = join_all((0..40).map(|n| {
        let writer = &writers[usize::try_from(n % 2).unwrap()];
        writer.submit(launch(Uuid::from_u128(n), n, LICENSED))
    }))
    .await;
    let count = |wanted: fn(&WriteOutcome) -> bool| answers.iter().flatten().filter(|answer| wanted(answer)).count();
    assert_eq!(count(|answer| matches!(answer, WriteOutcome::Launched(..))), 3);
    assert_eq!(
        count(|answer| matches!(answer, WriteOutcome::Denied(LaunchRefusal::NoSeat))),
        37
    );
    assert_eq!(nodes[1].load().await.unwrap().sessions.len(), 3);
    assert_eq!(nodes[0].verify_events(&[]).await.unwrap().broken, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_follows_the_revisions_misses_nothing() {
    let database = Database::create().await;
    let (here, there, follower) = (
        open(database.url()).await,
        open(database.url()).await,
        open(database.url()).await,
    );
    populate(&here, 0..60).await;
    let start = here.revision().await.unwrap();
    let write = async |node: &Postgres, people: std::ops::Range<u128>| {
        for n in people {
            node.write(&[launch(Uuid::from_u128(n), n, TERMINAL)]).await.unwrap();
        }
    };
    let follow = async {
        let (mut at, mut found) = (start, Vec::new());
        while found.len() < 60 {
            let changes = follower.changes(at).await.unwrap();
            // Each session has a revision of its own here, so there is no gap.
            found.extend(changes.sessions.iter().map(|session| session.version));
            assert_eq!(found.len() as u64, changes.revision - start, "{found:?}");
            at = changes.revision;
        }
        found
    };
    let (found, (), ()) = tokio::join!(follow, write(&here, 0..30), write(&there, 30..60));
    assert_eq!(found, (start + 1..=start + 60).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_is_woken_by_another_ones_writes_and_by_a_lost_connection() {
    let database = Database::create().await;
    let (here, there) = (open(database.url()).await, open(database.url()).await);
    wakes_up(&here, "that it listens").await;
    wakes_up(&there, "that it listens").await;
    populate(&here, 0..1).await;
    wakes_up(&there, "the other node wrote").await;
    // A dropped future loses no wake-up.
    drop(Box::pin(there.changed()));
    let end_listeners = "SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_stat_activity \
         WHERE datname = current_database() AND application_name LIKE '%listening'";
    let mut other = raw(database.url()).await;
    let ended: i64 = sqlx::query_scalar(end_listeners).fetch_one(&mut other).await.unwrap();
    assert_eq!(ended, 2, "each node listens with one connection");
    wakes_up(&there, "that something may have been missed").await;
    until("it listens again", || async {
        let again = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE '%listening'";
        let count: i64 = sqlx::query_scalar(again)
            .fetch_one(&mut raw(database.url()).await)
            .await
            .unwrap();
        (count == 2).then_some(())
    })
    .await;
    let before = there.revision().await.unwrap();
    here.write(&[launch(Uuid::from_u128(1), 0, TERMINAL)]).await.unwrap();
    until("it is woken by the write and finds it", || async {
        there.changed().await;
        (there.changes(before).await.unwrap().sessions.len() == 1).then_some(())
    })
    .await;
    other.close().await.unwrap();
}

#[tokio::test]
async fn the_time_is_the_databases() {
    let database = Database::create().await;
    let store = open(database.url()).await;
    let now = store.now().await.unwrap().unwrap();
    assert!(store.now().await.unwrap().unwrap() > now);
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_left_alone() {
    let database = Database::create().await;
    drop(open(database.url()).await);
    sqlx::query(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         VALUES (9999, 'later', true, '\\x00', 0)",
    )
    .execute(&mut raw(database.url()).await)
    .await
    .unwrap();
    let error = Postgres::open(database.url(), Default::default()).await.err().unwrap();
    assert!(matches!(error, StoreError::Newer(9999)), "{error:?}");
}

#[tokio::test]
async fn the_database_refuses_rows_that_break_an_invariant() {
    let database = Database::create().await;
    let store = open(database.url()).await;
    populate(&store, 0..1).await;
    store.write(&[launch(Uuid::from_u128(1), 0, TERMINAL)]).await.unwrap();
    let mut other = raw(database.url()).await;
    for change in [
        "UPDATE sessions SET status = 'zombie'",
        "UPDATE sessions SET connected_since = now()",
        "UPDATE sessions SET status = 'expired'",
        "UPDATE sessions SET ended_at = now()",
        "UPDATE sessions SET teardown = 'maybe'",
        "UPDATE events SET kind = 'ready'",
        "DELETE FROM events",
        "TRUNCATE events",
        "INSERT INTO log (single, revision, events, head) SELECT false, 1, 1, head FROM log",
    ] {
        assert!(sqlx::query(change).execute(&mut other).await.is_err(), "{change}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn heartbeats_show_the_other_nodes_and_the_last_sweep() {
    let database = Database::create().await;
    let serve = async |node: &str| Postgres::serve(database.url(), Default::default(), node).await.unwrap();
    let here = serve("a").await;
    let alone = here.heartbeat("a", "http://a:1", r#"{"is":"new"}"#).await.unwrap();
    assert_eq!((alone.nodes.len(), alone.sweep_granted_at), (1, None));
    let there = serve("b").await;
    let granted = here.claim_sweep(at(5), TimeDelta::seconds(30)).await.unwrap();
    assert_eq!(granted, Claim::Granted);
    there.heartbeat("b", "http://b:1", "{}").await.unwrap();
    here.heartbeat("a", "http://a:2", r#"{"is":"old"}"#).await.unwrap();
    let heartbeats = there.heartbeat("b", "http://b:1", "{}").await.unwrap();
    let node = |name: &str, url: &str, report: &str| Node {
        name: name.into(),
        url: url.into(),
        beats: 3,
        report: report.into(),
    };
    assert_eq!(
        heartbeats.nodes,
        [
            node("a", "http://a:2", r#"{"is":"old"}"#),
            node("b", "http://b:1", "{}")
        ]
    );
    assert_eq!(heartbeats.sweep_granted_at, Some(at(5)));
    assert_eq!(here.revision().await.unwrap(), 0, "it is not in the log");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_is_one_server_at_a_time() {
    let database = Database::create().await;
    let serve = async |node: &str| Postgres::serve(database.url(), Default::default(), node).await;
    let a = serve("a").await.unwrap();
    let b = serve("b").await.unwrap();
    let again = serve("a").await.err().unwrap();
    assert!(
        matches!(&again, StoreError::NodeTaken(name) if name == "a"),
        "{again:?}"
    );
    assert!(again.to_string().contains("CLOUD_DELIVERY_NODE"), "{again}");
    drop((a, b));
    until("the name is free again", || async { serve("a").await.ok() }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_from_before_nodes_had_names_is_the_only_one_on_its_database() {
    // That version takes this lock exclusively.
    const ITS_LOCK: i64 = 0x00c1_0dde_11fe_0001;
    let takes = async |connection: &mut PgConnection| -> bool {
        sqlx::query_scalar("SELECT pg_try_advisory_lock($1)")
            .bind(ITS_LOCK)
            .fetch_one(connection)
            .await
            .unwrap()
    };
    let database = Database::create().await;
    let serve = async || Postgres::serve(database.url(), Default::default(), "a").await;
    let mut earlier = raw(database.url()).await;
    assert!(takes(&mut earlier).await);
    let refused = serve().await.err().unwrap();
    assert!(matches!(&refused, StoreError::Locked(_)), "{refused:?}");
    earlier.close().await.unwrap();
    let a = until("that server has gone", || async { serve().await.ok() }).await;
    assert!(!takes(&mut raw(database.url()).await).await, "and it can't come back");
    drop(a);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_lost_its_name_writes_nothing_more() {
    let database = Database::create().await;
    let serve = async || Postgres::serve(database.url(), Default::default(), "a").await;
    let asleep = serve().await.unwrap();
    populate(&asleep, 0..1).await;
    let id = Uuid::from_u128(9);
    asleep.write(&[launch(id, 0, TERMINAL)]).await.unwrap();
    // Its machine is suspended, and the database closes the connection that holds the name.
    cut_the_locks(&database).await;
    let follows = until("the name is free", || async { serve().await.ok() }).await;
    // It resumes, and still regards the session as its own.
    let refused = asleep.write(&[expire(id)]).await.err().unwrap();
    assert!(
        matches!(&refused, StoreError::NodeTaken(name) if name == "a"),
        "{refused:?}"
    );
    let refused = asleep.heartbeat("a", "", "{}").await.err().unwrap();
    assert!(matches!(&refused, StoreError::NodeTaken(_)), "{refused:?}");
    assert_eq!(follows.load().await.unwrap().sessions[0].status, Status::Pending);
    follows.heartbeat("a", "", "{}").await.unwrap();
    follows.write(&[expire(id)]).await.unwrap();
    // A tool can still write.
    open(database.url()).await.write(&[expire(id)]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_has_only_lost_its_lock_goes_on() {
    let database = Database::create().await;
    let serve = async |node: &str| Postgres::serve(database.url(), Default::default(), node).await;
    let store = serve("a").await.unwrap();
    populate(&store, 0..1).await;
    cut_the_locks(&database).await;
    store.write(&[launch(Uuid::from_u128(9), 0, TERMINAL)]).await.unwrap();
    store.heartbeat("a", "", "{}").await.unwrap();
    // It takes the lock again.
    until("the name is taken again", || async {
        let held = "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid) \
            WHERE locktype = 'advisory' AND datname = current_database() AND application_name LIKE '%server lock'";
        let count: i64 = sqlx::query_scalar(held)
            .fetch_one(&mut raw(database.url()).await)
            .await
            .unwrap();
        (count == 2).then_some(())
    })
    .await;
    assert!(matches!(serve("a").await.err(), Some(StoreError::NodeTaken(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_gone_is_forgotten_unless_it_left_something_to_do() {
    let database = Database::create().await;
    let serve = async |node: &str| Postgres::serve(database.url(), Default::default(), node).await.unwrap();
    for (node, person) in [("gone", 0), ("busy", 1)] {
        let store = serve(node).await;
        if node == "gone" {
            populate(&store, 0..2).await;
        }
        let done = store
            .write(&[launch(Uuid::from_u128(person), person, TERMINAL)])
            .await
            .unwrap();
        assert!(matches!(done.outcomes[0], WriteOutcome::Launched(..)));
    }
    let mut other = raw(database.url()).await;
    let change = "UPDATE sessions SET node = CASE username WHEN 'person1' THEN 'busy' ELSE 'b' END; \
        UPDATE nodes SET seen_at = now() - interval '25 hours'";
    sqlx::raw_sql(change).execute(&mut other).await.unwrap();
    let known = async |store: &Postgres, name: &str| -> Vec<String> {
        let heartbeats = store.heartbeat(name, "", "{}").await.unwrap();
        heartbeats.nodes.iter().map(|node| node.name.to_string()).collect()
    };
    let b = serve("b").await;
    assert_eq!(known(&b, "b").await, ["b", "busy"]);
    // A node that was off for that long itself comes back, with nothing left to do.
    drop(b);
    let change = "DELETE FROM sessions; UPDATE nodes SET seen_at = now() - interval '25 hours'";
    sqlx::raw_sql(change).execute(&mut other).await.unwrap();
    let b = until("the name is free", || async {
        Postgres::serve(database.url(), Default::default(), "b").await.ok()
    })
    .await;
    assert_eq!(known(&b, "b").await, ["b"]);
    b.write(&[launch(Uuid::from_u128(7), 0, TERMINAL)]).await.unwrap();
}

/// Closes the connections that hold locks, as the database does after their keepalives fail.
async fn cut_the_locks(database: &Database) {
    let cut = "SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_stat_activity \
         WHERE datname = current_database() AND application_name LIKE '%server lock'";
    let ended: i64 = sqlx::query_scalar(cut)
        .fetch_one(&mut raw(database.url()).await)
        .await
        .unwrap();
    assert_eq!(ended, 1);
}
