//! What can only be seen from inside: the settings of the connections, and how the database goes about its questions.

use session::audit::Place;
use sqlx::{AssertSqlSafe, Connection, Row};

use super::*;
use crate::throwaway::Database;

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
            let question = sqlx::query("SELECT current_setting($1)").bind(setting);
            let row = lease.one(question).await.unwrap();
            assert_eq!(row.get::<&str, _>(0), value, "{setting}");
        }
    }
}

#[tokio::test]
async fn the_frequent_questions_use_an_index() {
    let database = Database::create().await;
    drop(Postgres::open(database.url(), Settings::default()).await.unwrap());
    let mut connection = sqlx::PgConnection::connect(database.url()).await.unwrap();
    // An empty table is read from end to end whatever there is, so that is made dear.
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
    for (question, parameter, index) in [
        (sessions::BY_IDS, ids, "sessions_pkey"),
        (people::BY_IDS, ids, "users_pkey"),
        (sessions::CHANGED, number, "sessions_by_version"),
        // By person or by application: of an empty table either is as good.
        (sessions::LIVE, ids, "sessions_live_of_"),
        (sessions::TAKEN, ids, "sessions_live_of_application"),
        (sessions::HELD, ids, "sessions_live_of_user"),
        (sessions::UNENDED_OF_USER, id, "sessions_unended"),
        (sessions::BLOCKED, ids, "sessions_blocked"),
        (write::PURGE, "'2030-01-01'", "sessions_to_purge"),
        (events::OF_SESSION, id, "events_of_session"),
        (events::PURGED, number, "events_purged"),
        (events::NOTED, ids, "events_batches"),
    ] {
        let second = if question == write::PURGE { number } else { ids };
        let asked = question.replace("$1", parameter).replace("$2", second);
        let plan = sqlx::raw_sql(AssertSqlSafe(format!("EXPLAIN {asked}")))
            .fetch_all(&mut connection)
            .await
            .unwrap();
        let plan: Vec<String> = plan.iter().map(|row| row.get(0)).collect();
        assert!(plan.iter().any(|line| line.contains(index)), "{question}: {plan:#?}");
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
        let mut question = scan::question(
            &EventScan {
                place,
                session,
                ..every
            },
            "EXPLAIN ",
        );
        let plan = lease.all(question.build()).await.unwrap();
        let plan: Vec<String> = plan.iter().map(|row| row.get(0)).collect();
        let is = |word: &str| plan.iter().any(|line| line.contains(word));
        assert!(is(index), "{place:?}: {plan:#?}");
        assert!(session.is_some() || !is("Sort"), "{place:?}: {plan:#?}");
    }
}
