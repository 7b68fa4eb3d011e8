//! The conformance suite on SQLite, and tests of its files: locks, power cuts and full disks.

#![expect(clippy::unwrap_used, reason = "a test: a panic is how it reports")]

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{self, Stdio},
    sync::Arc,
};

use futures::future::join_all;
use session::{Actor, EndReason, SessionId, Status, lifecycle::Command};
use sqlx::{ConnectOptions, SqliteConnection, sqlite::SqliteConnectOptions};
use store::{EventLog, People, Sessions, Store, StoreError, WriteOutcome, WriteRequest, Writer};
use store_sqlite::Sqlite;
use store_testing::fixture::{TERMINAL, at, launch_as, populate, step_of, user};
use tempfile::TempDir;
use uuid::Uuid;

async fn empty() -> (Arc<dyn Store>, TempDir) {
    let dir = tempfile::tempdir().unwrap();
    (Arc::new(Sqlite::serve(dir.path()).await.unwrap()), dir)
}

store_testing::conformance!(empty);

fn launch(id: Uuid, who: u128) -> WriteRequest {
    launch_as(SessionId(id), who, TERMINAL, at(0))
}

fn expire(id: Uuid) -> WriteRequest {
    step_of(SessionId(id), Command::expire(EndReason::Admin), at(1))
}

async fn raw(dir: &Path) -> SqliteConnection {
    SqliteConnectOptions::new()
        .filename(dir.join("cloud-delivery.sqlite3"))
        .connect()
        .await
        .unwrap()
}

#[tokio::test]
async fn one_server_at_a_time_and_tools_beside_it() {
    let dir = tempfile::tempdir().unwrap();
    let server = Sqlite::serve(dir.path()).await.unwrap();
    let second = Sqlite::serve(dir.path()).await.err();
    assert!(
        matches!(&second, Some(StoreError::Locked(path)) if *path == dir.path().display().to_string()),
        "{second:?}"
    );
    let tool = Sqlite::open(dir.path()).await.unwrap();
    tool.add_user(&user(1), &Actor::System, at(0)).await.unwrap();
    assert_eq!(server.users().await.unwrap(), [user(1)]);
    drop(server);
    Sqlite::serve(dir.path()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn many_may_open_a_new_directory_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("deep/data");
    for opened in join_all((0..8).map(|_| Sqlite::open(&path))).await {
        assert_eq!(opened.unwrap().revision().await.unwrap(), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_and_a_tool_wait_for_each_other() {
    let dir = tempfile::tempdir().unwrap();
    let server = Arc::new(Sqlite::serve(dir.path()).await.unwrap());
    let tool = Arc::new(Sqlite::open(dir.path()).await.unwrap());
    populate(&*server, 0..1).await;
    let writer = Writer::spawn(server.clone(), |_| {});
    let serving = tokio::spawn(async move {
        for n in 0..150 {
            let id = Uuid::from_u128(n);
            writer.submit(launch(id, 0)).await.unwrap();
            writer.submit(expire(id)).await.unwrap();
        }
    });
    for n in 1000..1100 {
        tool.add_user(&user(n), &Actor::System, at(0)).await.unwrap();
    }
    serving.await.unwrap();
    assert_eq!(server.users().await.unwrap().len(), 101);
    assert_eq!(tool.load().await.unwrap().sessions.len(), 150);
}

#[tokio::test]
async fn the_data_is_the_owners_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data");
    let store = Sqlite::serve(&path).await.unwrap();
    store.add_user(&user(1), &Actor::System, at(0)).await.unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o700);
    let files: Vec<_> = fs::read_dir(&path)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert!(files.len() >= 4, "{files:?}");
    for file in files {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}

#[tokio::test]
async fn a_directory_that_cannot_be_written_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    for path in [file.join("data"), file, "/proc/cloud-delivery".into()] {
        let error = Sqlite::serve(&path).await.err();
        let Some(StoreError::Unwritable(named, _)) = &error else {
            panic!("{error:?}")
        };
        assert_eq!(*named, path.display().to_string());
        assert!(error.unwrap().to_string().contains("can't be written"));
    }
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    drop(Sqlite::open(dir.path()).await.unwrap());
    let mut database = raw(dir.path()).await;
    sqlx::query(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         VALUES (9999, 'later', TRUE, x'00', 0)",
    )
    .execute(&mut database)
    .await
    .unwrap();
    let error = Sqlite::serve(dir.path()).await.err().unwrap();
    assert!(matches!(error, StoreError::Newer(9999)), "{error:?}");
    assert!(error.to_string().contains("newer cloud-delivery"), "{error}");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_a_failed_disk_not_an_empty_store() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(
        dir.path().join("cloud-delivery.sqlite3"),
        "This is not a database, but long enough to be one.".repeat(99),
    )
    .unwrap();
    let error = Sqlite::serve(dir.path()).await.err().unwrap();
    assert!(matches!(error, StoreError::Disk(_)), "{error:?}");
}

#[tokio::test]
async fn a_full_disk_loses_nothing_and_can_be_written_again() {
    let dir = tempfile::tempdir().unwrap();
    let store = Sqlite::serve(dir.path()).await.unwrap();
    populate(&store, 0..200).await;
    let populated = u128::from(store.revision().await.unwrap());
    let pages: u32 = sqlx::query_scalar("PRAGMA page_count")
        .fetch_one(&mut raw(dir.path()).await)
        .await
        .unwrap();
    store.limit_pages(Some(pages + 3)).await;
    let mut written = 0;
    let error = loop {
        match store.write(&[launch(Uuid::from_u128(written), written)]).await {
            Ok(_) => written += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(error, StoreError::Full), "{error:?}");
    let full = store.load().await.unwrap();
    assert_eq!(u128::from(full.revision), populated + written);
    assert_eq!(full.sessions.len() as u128, written);
    assert!(
        store.write(&[launch(Uuid::from_u128(written), written)]).await.is_err(),
        "still full"
    );
    store.limit_pages(None).await;
    let done = store.write(&[launch(Uuid::from_u128(written), written)]).await.unwrap();
    assert_eq!(u128::from(done.revision), populated + written + 1);
}

/// The other half of `acknowledged_writes_survive_kill_9`: writes until it is killed, and prints
/// each acknowledged write.
#[tokio::test(flavor = "multi_thread")]
#[expect(
    clippy::disallowed_methods,
    reason = "the other half of the test passes the folder this way"
)]
async fn the_process_to_be_killed() {
    let Some(dir) = std::env::var_os("STORE_TEST_KILL") else {
        return;
    };
    let store = Arc::new(Sqlite::serve(Path::new(&dir)).await.unwrap());
    let writer = Writer::spawn(store, |_| {});
    join_all((0..8).map(|who| {
        let writer = writer.clone();
        async move {
            loop {
                // Resumed if the process before this one was killed between launch and expire.
                let (WriteOutcome::Launched(session, _) | WriteOutcome::Resumed(session)) =
                    writer.submit(launch(Uuid::now_v7(), who)).await.unwrap()
                else {
                    panic!("no session")
                };
                let id = session.id.0;
                writeln!(std::io::stdout(), "launched {id}").unwrap();
                writer.submit(expire(id)).await.unwrap();
                writeln!(std::io::stdout(), "expired {id}").unwrap();
            }
        }
    }))
    .await;
}

#[tokio::test]
async fn acknowledged_writes_survive_kill_9() {
    let dir = tempfile::tempdir().unwrap();
    populate(&Sqlite::open(dir.path()).await.unwrap(), 0..8).await;
    for until in [1, 40, 300] {
        let mut child = process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "the_process_to_be_killed", "--nocapture"])
            .env("STORE_TEST_KILL", dir.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let is_report = |line: &String| line.contains("launched ") || line.contains("expired ");
        let mut acknowledged: Vec<String> = lines.by_ref().filter(is_report).take(until).collect();
        child.kill().unwrap();
        child.wait().unwrap();
        acknowledged.extend(lines.filter(is_report));
        assert!(acknowledged.len() >= until, "the process wrote: {acknowledged:?}");

        let store = Sqlite::serve(dir.path()).await.unwrap();
        let loaded = store.load().await.unwrap();
        for line in acknowledged {
            // The last line may have been cut by the kill.
            let (word, id) = line.rsplit_once(' ').unwrap();
            let Ok(id) = id.parse::<Uuid>() else { continue };
            let session = loaded.sessions.iter().find(|session| session.id.0 == id);
            let session = session.unwrap_or_else(|| panic!("{line}, but it is not there"));
            if word.ends_with("expired") {
                assert_eq!(session.status, Status::Expired, "{line}, but it lives");
            }
            assert!(!store.events(session.id).await.unwrap().is_empty());
        }
        let newest = loaded.sessions.iter().map(|session| session.version).max();
        assert_eq!(
            newest,
            Some(loaded.revision),
            "the counter and the rows are of one transaction"
        );
        let sound: String = sqlx::query_scalar("PRAGMA integrity_check")
            .fetch_one(&mut raw(dir.path()).await)
            .await
            .unwrap();
        assert_eq!(sound, "ok");
    }
}

#[tokio::test]
async fn a_constraint_stops_a_row_that_breaks_an_invariant() {
    let dir = tempfile::tempdir().unwrap();
    let store = Sqlite::open(dir.path()).await.unwrap();
    populate(&store, 0..1).await;
    let done = store.write(&[launch(Uuid::from_u128(1), 0)]).await.unwrap();
    assert!(matches!(done.outcomes[0], WriteOutcome::Launched(..)));
    let mut database = raw(dir.path()).await;
    for change in [
        "UPDATE sessions SET status = 'zombie'",
        "UPDATE sessions SET connected_since = 1",
        "UPDATE sessions SET status = 'expired'",
        "UPDATE sessions SET ended_at = 1",
        "UPDATE sessions SET teardown = 'maybe'",
        "UPDATE sessions SET started_at = 'yesterday'",
        "UPDATE sessions SET id = x'00'",
    ] {
        assert!(sqlx::query(change).execute(&mut database).await.is_err(), "{change}");
    }
}

#[tokio::test]
async fn events_cannot_be_changed_or_removed_and_a_bypass_is_detected() {
    let dir = tempfile::tempdir().unwrap();
    let store = Sqlite::open(dir.path()).await.unwrap();
    populate(&store, 0..2).await;
    store.write(&[launch(Uuid::from_u128(1), 1)]).await.unwrap();
    let mut other = raw(dir.path()).await;
    for (statement, refusal) in [
        ("UPDATE events SET kind = 'ready'", "never changed"),
        ("DELETE FROM events", "never removed"),
    ] {
        let refused = sqlx::query(statement).execute(&mut other).await.unwrap_err();
        assert!(refused.to_string().contains(refusal), "{statement}: {refused}");
    }
    assert_eq!(store.verify_events(&[]).await.unwrap().broken, None);

    for trigger in [
        "DROP TRIGGER events_are_never_changed",
        "DROP TRIGGER events_are_never_removed",
    ] {
        sqlx::query(trigger).execute(&mut other).await.unwrap();
    }
    for (statement, broken) in [
        ("UPDATE events SET at = at + 1 WHERE id = 2", "event 2"),
        ("UPDATE events SET at = at - 1 WHERE id = 2", ""),
        ("DELETE FROM events WHERE id = (SELECT max(id) FROM events)", "last"),
    ] {
        sqlx::query(statement).execute(&mut other).await.unwrap();
        let found = store.verify_events(&[]).await.unwrap().broken;
        match broken {
            "" => assert_eq!(found, None, "{statement}"),
            _ => assert!(
                found.as_ref().is_some_and(|found| found.contains(broken)),
                "{statement}: {found:?}"
            ),
        }
    }
}
