//! A database server that is killed or frozen, and calls that are dropped.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use session::{Actor, EventKind, SessionId, Status};
use store::{EventLog, Login, Logins, NewLogin, People, Sessions, StoreError, WriteOutcome, Writer};
use store_postgres::{Postgres, Settings};
use store_testing::{
    conformance::newest,
    postgres::{Database, Server},
};
use uuid::Uuid;

use super::common::*;

async fn open_with_timeout(url: &str, milliseconds: u64) -> Postgres {
    let settings = Settings {
        query_timeout: Duration::from_millis(milliseconds),
        ..Settings::default()
    };
    Postgres::open(url, settings).await.unwrap()
}

/// Launches and expires in a loop, and records each acknowledged state.
async fn traffic(writer: Writer, who: u128, acknowledged: Arc<Mutex<Vec<(Uuid, Status)>>>) {
    loop {
        let id = Uuid::now_v7();
        match writer.submit(launch(id, who, TERMINAL)).await {
            Ok(WriteOutcome::Launched(session, _) | WriteOutcome::Resumed(session)) => {
                let id = session.id.0;
                acknowledged.lock().unwrap().push((id, session.status));
                match writer.submit(expire(id)).await {
                    Ok(WriteOutcome::Stepped { session, .. }) => {
                        acknowledged.lock().unwrap().push((id, session.status));
                    }
                    Ok(other) => panic!("{other:?}"),
                    Err(error) => assert!(is_transient(&error), "{error:?}"),
                }
            }
            Ok(other) => panic!("{other:?}"),
            Err(error) => {
                assert!(is_transient(&error), "{error:?}");
                // Other tasks must get their turn while every call fails at once.
                tokio::task::yield_now().await;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_loses_nothing_that_was_acknowledged_and_is_found_again() {
    let mut server = Server::start();
    let store = Arc::new(open_with_timeout(server.url(), 3000).await);
    populate(&*store, 0..8).await;
    let writer = Writer::spawn(store.clone(), |_| {});
    let acknowledged = Arc::new(Mutex::new(Vec::new()));
    let clients: Vec<_> = (0..8)
        .map(|who| tokio::spawn(traffic(writer.clone(), who, acknowledged.clone())))
        .collect();
    let more = async |than: usize| {
        until("the traffic flows", || async {
            (acknowledged.lock().unwrap().len() > than).then_some(())
        })
        .await;
    };
    for round in 1..=3 {
        more(100 * round).await;
        server.kill();
        let error = until("the server is missed", || async { store.revision().await.err() }).await;
        assert!(matches!(error, StoreError::Unreachable(_)), "{error:?}");
        let so_far = acknowledged.lock().unwrap().len();
        server.start_again();
        more(so_far + 20).await;
    }
    for client in clients {
        assert!(!client.is_finished(), "a client met an unexpected answer");
        client.abort();
    }
    writer.close().await;

    let loaded = store.load().await.unwrap();
    let acknowledged = std::mem::take(&mut *acknowledged.lock().unwrap());
    for (id, status) in acknowledged {
        let session = loaded.sessions.iter().find(|session| session.id.0 == id);
        let session = session.unwrap_or_else(|| panic!("{id} was acknowledged, but it is not there"));
        if status == Status::Expired {
            assert_eq!(session.status, Status::Expired, "{id}");
        }
    }
    let verified = store.verify_events(&[]).await.unwrap();
    assert_eq!(verified.broken, None);
    let newest = loaded.sessions.iter().map(|session| session.version).max();
    assert_eq!(newest, Some(loaded.revision));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_server_makes_calls_fail_in_time_and_is_used_again() {
    let server = Server::start();
    let store = open_with_timeout(server.url(), 500).await;
    populate(&store, 0..3).await;
    store.write(&[launch(Uuid::from_u128(1), 0, TERMINAL)]).await.unwrap();
    server.freeze();
    let frozen = Instant::now();
    let login = Login {
        token_hash: [1; 32],
        user_id: user(0).id,
        created_at: at(0),
        seen_at: at(0),
    };
    let new_login = NewLogin {
        login,
        verified_hash: user(0).password_hash,
        network: "192.0.2.1".into(),
        by: Actor::System,
    };
    while frozen.elapsed() < Duration::from_secs(3) {
        let started = Instant::now();
        let (read, write, login) = tokio::join!(
            store.revision(),
            async { store.write(&[launch(Uuid::from_u128(2), 1, TERMINAL)]).await },
            store.add_login(&new_login),
        );
        assert!(matches!(read, Err(StoreError::Unreachable(_))), "{read:?}");
        assert!(matches!(&write, Err(error) if is_transient(error)), "{write:?}");
        assert!(matches!(&login, Err(error) if is_transient(error)), "{login:?}");
        assert!(
            started.elapsed() < Duration::from_millis(2500),
            "it took {:?}",
            started.elapsed()
        );
    }
    server.thaw();
    let answer = until("it can be written again", || async {
        let done = store.write(&[launch(Uuid::from_u128(3), 2, TERMINAL)]).await;
        done.ok().map(|done| done.outcomes)
    })
    .await;
    assert!(
        matches!(answer[0], WriteOutcome::Launched(..) | WriteOutcome::Resumed(_)),
        "{answer:?}"
    );
    assert_eq!(store.verify_events(&[]).await.unwrap().broken, None);
    // A failed write was done once at most.
    assert!(store.events(SessionId(Uuid::from_u128(2))).await.unwrap().len() <= 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_whose_answer_is_lost_is_found() {
    let mut server = Server::start();
    let store = Arc::new(open_with_timeout(server.url(), 5000).await);
    populate(&*store, 0..64).await;
    // Killed during many commits, so that some lose their answer after the write. Each answer must
    // be true.
    for round in 0..4_u128 {
        let writes: Vec<_> = (0..16)
            .map(|n| {
                let (store, who) = (store.clone(), 16 * round + n);
                tokio::spawn(async move { (who, store.write(&[launch(Uuid::from_u128(who), who, TERMINAL)]).await) })
            })
            .collect();
        until("some of it is written", || async {
            let revision = store.revision().await;
            // The fixture takes a revision for each row.
            (revision.ok()? > 67 + u64::try_from(round).unwrap()).then_some(())
        })
        .await;
        server.kill();
        server.start_again();
        for write in writes {
            let (who, done) = write.await.unwrap();
            until("it can be read again", || async { store.revision().await.ok() }).await;
            let events = store.events(SessionId(Uuid::from_u128(who))).await.unwrap().len();
            match done {
                Ok(_) => assert_eq!(events, 1, "{who} was acknowledged"),
                Err(StoreError::Unreachable(why)) => assert_eq!(events, 0, "{who} was not written: {why}"),
                Err(error) => assert!(is_transient(&error), "{error:?}"),
            }
        }
    }
    assert_eq!(store.verify_events(&[]).await.unwrap().broken, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn futures_that_are_dropped_leave_no_transaction_open() {
    let database = Database::create().await;
    let store = open(database.url()).await;
    populate(&store, 0..0).await;
    let started = Instant::now();
    store.add_user(&user(999), &Actor::System, at(0)).await.unwrap();
    let usual = started.elapsed();
    let mut finished = 1;
    for n in 0..150 {
        // From zero to longer than the call needs.
        let limit = usual * n / 40;
        let user = user(n.into());
        // Makes a connection, so that the timeout hits the call itself.
        store.touch_logins(&[([9; 32], at(0))]).await.unwrap();
        let call = store.add_user(&user, &Actor::System, at(0));
        finished += u32::from(tokio::time::timeout(limit, call).await.is_ok());
    }
    assert!(
        (2..151).contains(&finished),
        "some must be dropped, some not: {finished}"
    );
    let open = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND xact_start IS NOT NULL \
         AND pid <> pg_backend_pid()";
    let mut other = raw(database.url()).await;
    let deadline = Instant::now() + Duration::from_secs(5);
    while sqlx::query_scalar::<_, i64>(open).fetch_one(&mut other).await.unwrap() > 0 {
        assert!(Instant::now() < deadline, "a transaction is still open");
    }
    // Each user is there once, with its event, or not at all.
    let users = store.users().await.unwrap().len();
    let added = newest(&store, |what| matches!(what, EventKind::UserChanged { .. })).await;
    assert_eq!(users, added.len());
    assert!(users >= finished as usize);
    assert_eq!(store.verify_events(&[]).await.unwrap().broken, None);
    store.add_user(&user(1000), &Actor::System, at(0)).await.unwrap();
}
