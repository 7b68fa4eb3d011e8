//! The writer on a real database: batches, the order of requests, and disks that are full or fail.

#![expect(clippy::unwrap_used, reason = "a test: a panic is how it reports")]

use std::{
    fs,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use futures::{FutureExt, future::join_all};
use session::{EndReason, Session, SessionId, lifecycle::Command};
use store::{Result, Sessions, StoreError, WriteOutcome, WriteRequest, Writer, writer::BATCH};
use store_sqlite::Sqlite;
use store_testing::fixture::{TERMINAL, at, launch_as, person, populate, step_of};
use tempfile::TempDir;
use uuid::Uuid;

async fn store(people: u128) -> (Arc<Sqlite>, TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let store = Sqlite::open(dir.path()).await.unwrap();
    populate(&store, 0..people).await;
    (Arc::new(store), dir)
}

fn launch(n: u128, who: u128) -> WriteRequest {
    launch_as(SessionId(Uuid::from_u128(n)), who, TERMINAL, at(0))
}

fn step(n: u128, command: Command) -> WriteRequest {
    step_of(SessionId(Uuid::from_u128(n)), command, at(1))
}

fn session_of(answer: Result<WriteOutcome>) -> Session {
    match answer {
        Ok(
            WriteOutcome::Launched(session, _) | WriteOutcome::Resumed(session) | WriteOutcome::Stepped { session, .. },
        ) => session,
        other => panic!("no session in {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_at_once_are_all_answered_and_share_commits() {
    let (store, _dir) = store(20).await;
    let commits = Arc::new(Mutex::new(Vec::new()));
    let seen = commits.clone();
    let writer = Writer::spawn(store.clone(), move |done| seen.lock().unwrap().push(done.clone()));
    let tasks: Vec<_> = (0..1000)
        .map(|n| {
            let writer = writer.clone();
            tokio::spawn(async move { writer.submit(launch(n, n % 20)).await })
        })
        .collect();
    for (n, answer) in join_all(tasks).await.into_iter().enumerate() {
        let session = session_of(answer.unwrap());
        assert_eq!(
            session.user_id,
            person(n as u128 % 20),
            "each gets the answer to its own request"
        );
    }
    let commits = std::mem::take(&mut *commits.lock().unwrap());
    assert_eq!(commits.iter().map(|done| done.outcomes.len()).sum::<usize>(), 1000);
    assert!(commits.iter().all(|done| (1..=BATCH).contains(&done.outcomes.len())));
    assert!(commits.len() < 500, "{} commits for 1000 requests", commits.len());
    assert_eq!(store.load().await.unwrap().sessions.len(), 20);
    assert_eq!(writer.depth(), 0);
}

#[tokio::test]
async fn a_request_whose_future_is_dropped_is_still_written() {
    let (store, _dir) = store(1).await;
    let writer = Writer::spawn(store.clone(), |_| {});
    assert!(
        writer.submit(launch(1, 0)).now_or_never().is_none(),
        "queued, and its caller is gone"
    );
    assert_eq!(writer.depth(), 1);
    writer.close().await;
    assert_eq!(store.load().await.unwrap().sessions.len(), 1);
}

#[tokio::test]
async fn requests_are_done_in_the_order_they_came() {
    let (store, _dir) = store(1).await;
    let writer = Writer::spawn(store.clone(), |_| {});
    let life = [
        launch(1, 0),
        step(1, Command::Ready),
        step(1, Command::Attach { epoch: 0 }),
        step(1, Command::Detach),
        step(1, Command::Attach { epoch: 0 }),
        step(1, Command::expire(EndReason::User)),
        step(1, Command::TornDown),
    ];
    for answer in join_all(life.map(|request| writer.submit(request))).await {
        let changed = matches!(
            answer,
            Ok(WriteOutcome::Launched(..) | WriteOutcome::Stepped { changed: true, .. })
        );
        assert!(changed, "{answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answered_caller_finds_its_change_reported_as_committed() {
    let (store, _dir) = store(50).await;
    let reported = Arc::new(AtomicU64::new(0));
    let report = reported.clone();
    let writer = Writer::spawn(store, move |done| report.store(done.revision, Ordering::Release));
    join_all((0..50).map(|n| {
        let (writer, reported) = (writer.clone(), reported.clone());
        async move {
            let session = session_of(writer.submit(launch(n, n)).await);
            assert!(session.version <= reported.load(Ordering::Acquire));
        }
    }))
    .await;
}

#[tokio::test]
async fn closing_answers_what_is_queued_and_takes_no_more() {
    let (store, _dir) = store(3).await;
    let writer = Writer::spawn(store.clone(), |_| {});
    let (a, b, c) = (writer.submit(launch(1, 0)), writer.submit(launch(2, 1)), writer.close());
    let (a, b, ()) = tokio::join!(a, b, c);
    assert!(a.is_ok() && b.is_ok());
    let late = writer.submit(launch(3, 2)).await;
    assert!(matches!(late, Err(StoreError::Closed)), "{late:?}");
    writer.close().await;
    assert_eq!(store.load().await.unwrap().sessions.len(), 2);
}

#[tokio::test]
async fn the_task_ends_with_its_last_handle() {
    let (store, _dir) = store(1).await;
    let (closing, closed) = tokio::sync::oneshot::channel::<()>();
    let writer = Writer::spawn(store, move |_| {
        let _ = &closing;
    });
    drop(writer);
    assert!(closed.await.is_err(), "the task has dropped its values");
}

#[tokio::test]
async fn a_full_disk_is_everybodys_answer_and_the_next_batch_works() {
    let (store, _dir) = store(40).await;
    let writer = Writer::spawn(store.clone(), |_| {});
    store.limit_pages(Some(1)).await;
    let answers = join_all((0..40).map(|n| writer.submit(launch(n, n)))).await;
    let full = answers
        .iter()
        .filter(|answer| matches!(answer, Err(StoreError::Full)))
        .count();
    let stored = store.load().await.unwrap().sessions.len();
    assert!(full > 0 && full + stored == 40, "{full} refused, {stored} stored");
    store.limit_pages(None).await;
    for answer in join_all((0..40).map(|n| writer.submit(launch(100 + n, n)))).await {
        session_of(answer);
    }
    assert_eq!(store.load().await.unwrap().sessions.len(), 40);
}

#[tokio::test]
async fn a_row_that_cannot_be_read_fails_only_the_request_that_is_about_it() {
    let (store, dir) = store(3).await;
    let commits = Arc::new(AtomicU64::new(0));
    let count = commits.clone();
    let writer = Writer::spawn(store.clone(), move |_| _ = count.fetch_add(1, Ordering::AcqRel));
    for answer in join_all((0..3).map(|n| writer.submit(launch(n, n)))).await {
        session_of(answer);
    }
    let database = rusqlite::Connection::open(dir.path().join("cloud-delivery.sqlite3")).unwrap();
    let one = Uuid::from_u128(1);
    database
        .execute(
            "UPDATE sessions SET policy = '{\"x\":1}' WHERE id = ?1",
            [one.as_bytes()],
        )
        .unwrap();
    let expired = join_all((0..3).map(|n| writer.submit(step(n, Command::expire(EndReason::User))))).await;
    assert!(matches!(expired[1], Err(StoreError::Corrupt(_))), "{expired:?}");
    assert!(expired[0].is_ok() && expired[2].is_ok(), "{expired:?}");
    assert_eq!(
        commits.load(Ordering::Acquire),
        3,
        "one for the launches, one for each expire that succeeded"
    );
}

#[tokio::test]
async fn a_failing_disk_is_reported_and_ends_the_task() {
    let (store, dir) = store(2).await;
    let writer = Writer::spawn(store.clone(), |_| {});
    // As if the disk returned other bytes than were written to it.
    store.limit_pages(None).await;
    for name in ["cloud-delivery.sqlite3", "cloud-delivery.sqlite3-wal"] {
        let path = dir.path().join(name);
        let length = usize::try_from(fs::metadata(&path).unwrap().len()).unwrap();
        fs::write(&path, vec![0xaa; length]).unwrap();
    }
    let answers = join_all((0..2).map(|n| writer.submit(launch(n, n)))).await;
    assert!(
        answers.iter().all(|answer| matches!(answer, Err(StoreError::Disk(_)))),
        "{answers:?}"
    );
    writer.closed().await;
    assert!(matches!(writer.submit(launch(9, 1)).await, Err(StoreError::Closed)));
}
