//! Tests from inside: the settings of the connections, and the indexes that statements use.

use std::time::Duration;

use session::audit::Place;
use sqlx::{AssertSqlSafe, Connection, Row};
use store::EventScan;
use store_testing::postgres::Database;

use crate::{Postgres, Settings, events, people, session_rows, sessions};

#[tokio::test]
async fn every_connection_has_the_settings_in_force() {
    let database = Database::create().await;
    let settings = Settings {
        query_timeout: Duration::from_secs(10),
        notify: false,
    };
    let store = Postgres::open(database.url(), settings).await.unwrap();
    for connections in [&store.readers, &store.writers] {
        let mut lease = connections.acquire().await.unwrap();
        for (setting, value) in [
            ("idle_in_transaction_session_timeout", "6s"),
            ("lock_timeout", "8s"),
            ("statement_timeout", "9s"),
            ("client_connection_check_interval", "2s"),
            ("default_transaction_isolation", "read committed"),
            ("tcp_user_timeout", "10000"),
        ] {
            let statement = sqlx::query("SELECT current_setting($1)").bind(setting);
            let row = lease.one(statement).await.unwrap();
            assert_eq!(row.get::<&str, _>(0), value, "{setting}");
        }
    }
}

#[tokio::test]
async fn frequent_statements_use_an_index() {
    let database = Database::create().await;
    drop(Postgres::open(database.url(), Settings::default()).await.unwrap());
    let mut connection = sqlx::PgConnection::connect(database.url()).await.unwrap();
    // PostgreSQL prefers to scan an empty table, so this makes scans expensive.
    sqlx::raw_sql(
        "SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off",
    )
    .execute(&mut connection)
    .await
    .unwrap();
    let (id, ids, number) = (
        "'00000000-0000-0000-0000-000000000000'",
        "'{00000000-0000-0000-0000-000000000000}'",
        "'5'",
    );
    for (statement, parameter, index) in [
        (session_rows::BY_IDS, ids, "sessions_pkey"),
        (people::BY_IDS, ids, "users_pkey"),
        (session_rows::CHANGED, number, "sessions_by_version"),
        // By person or by application: for an empty table both cost the same.
        (session_rows::LIVE, ids, "sessions_live_of_"),
        (session_rows::TAKEN, ids, "sessions_live_of_application"),
        (session_rows::HELD, ids, "sessions_live_of_user"),
        (session_rows::UNENDED_OF_USER, id, "sessions_unended"),
        (session_rows::BLOCKED, ids, "sessions_blocked"),
        (sessions::PURGE, "'2030-01-01'", "sessions_to_purge"),
        (events::OF_SESSION, id, "events_of_session"),
        (events::PURGED, number, "events_purged"),
        (events::NOTED, ids, "events_batches"),
    ] {
        let second = if statement == sessions::PURGE { number } else { ids };
        let asked = statement.replace("$1", parameter).replace("$2", second);
        let plan = sqlx::raw_sql(AssertSqlSafe(format!("EXPLAIN {asked}")))
            .fetch_all(&mut connection)
            .await
            .unwrap();
        let plan: Vec<String> = plan.iter().map(|row| row.get(0)).collect();
        assert!(plan.iter().any(|line| line.contains(index)), "{statement}: {plan:#?}");
    }
}

#[tokio::test]
async fn a_part_of_the_events_is_read_from_an_index_and_never_sorted() {
    let database = Database::create().await;
    let store = Postgres::open(database.url(), Settings::default()).await.unwrap();
    let mut lease = store.readers.acquire().await.unwrap();
    lease
        .script("SET enable_seqscan = off; SET enable_bitmapscan = off")
        .await
        .unwrap();
    let every = EventScan {
        session: None,
        from: None,
        until: Some(session::Timestamp::UNIX_EPOCH),
        place: Place::Newest,
        limit: 50,
    };
    let of_session = Some(session::SessionId::numbered(1));
    for (place, session, index) in [
        (Place::Newest, None, "events_by_time"),
        (Place::Before(5), None, "events_by_time"),
        (Place::After(5), None, "events_by_time"),
        (Place::Before(5), of_session, "events_of_session"),
    ] {
        let mut statement = events::scan_query(
            &EventScan {
                place,
                session,
                ..every
            },
            "EXPLAIN ",
        );
        let plan = lease.all(statement.build()).await.unwrap();
        let plan: Vec<String> = plan.iter().map(|row| row.get(0)).collect();
        let is = |word: &str| plan.iter().any(|line| line.contains(word));
        assert!(is(index), "{place:?}: {plan:#?}");
        assert!(session.is_some() || !is("Sort"), "{place:?}: {plan:#?}");
    }
}
