//! Tests from inside: the settings of the connections, and the indexes that statements use.

use session::{Actor, Role, SessionId, Timestamp, UserId, audit::Place};
use sqlx::SqliteConnection;
use store::{EventScan, People, Sessions, User};

use crate::{Sqlite, events, people, session_rows, sessions};

async fn number(connection: &mut SqliteConnection, pragma: &'static str) -> i64 {
    sqlx::query_scalar(pragma).fetch_one(connection).await.unwrap()
}

#[tokio::test]
async fn every_connection_has_the_settings_in_force() {
    let dir = tempfile::tempdir().unwrap();
    let store = Sqlite::serve(dir.path()).await.unwrap();
    let mut reader = store.readers.acquire().await.unwrap();
    let mut writer = store.begin().await.unwrap();
    for (name, connection) in [("reader", &mut *reader), ("writer", &mut writer.connection)] {
        let mode: String = sqlx::query_scalar("PRAGMA journal_mode")
            .fetch_one(&mut *connection)
            .await
            .unwrap();
        assert_eq!(mode, "wal", "{name}");
        for (pragma, value) in [
            ("PRAGMA synchronous", 2),
            ("PRAGMA busy_timeout", 5000),
            ("PRAGMA foreign_keys", 1),
            ("PRAGMA query_only", i64::from(name == "reader")),
        ] {
            assert_eq!(number(connection, pragma).await, value, "{name}: {pragma}");
        }
        let mapped: Option<i64> = sqlx::query_scalar("PRAGMA mmap_size")
            .fetch_optional(&mut *connection)
            .await
            .unwrap();
        assert_eq!(mapped.unwrap_or(0), 0, "{name}");
    }
    let version: String = sqlx::query_scalar("SELECT sqlite_version()")
        .fetch_one(&mut *reader)
        .await
        .unwrap();
    assert_eq!(
        version, "3.51.3",
        "pinned: earlier ones can damage a database in WAL mode"
    );
}

#[tokio::test]
async fn every_table_is_strict() {
    let dir = tempfile::tempdir().unwrap();
    let store = Sqlite::open(dir.path()).await.unwrap();
    let loose: Vec<String> = sqlx::query_scalar(
        "SELECT name FROM pragma_table_list \
         WHERE schema = 'main' AND strict = 0 AND name NOT LIKE 'sqlite_%' AND name <> '_sqlx_migrations'",
    )
    .fetch_all(&store.readers)
    .await
    .unwrap();
    assert!(loose.is_empty(), "{loose:?}");
}

#[tokio::test]
async fn a_transaction_that_is_dropped_leaves_nothing_open() {
    let dir = tempfile::tempdir().unwrap();
    let store = Sqlite::open(dir.path()).await.unwrap();
    for _ in 0..3 {
        let mut transaction = store.begin().await.unwrap();
        session_rows::set_revision(&mut transaction.connection, 9)
            .await
            .unwrap();
        drop(transaction);
        assert_eq!(store.revision().await.unwrap(), 0);
    }
    let mut transaction = store.begin().await.unwrap();
    session_rows::set_revision(&mut transaction.connection, 9)
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(store.revision().await.unwrap(), 9);
}

#[tokio::test]
async fn a_role_that_is_not_known_reads_as_user() {
    let dir = tempfile::tempdir().unwrap();
    let store = Sqlite::open(dir.path()).await.unwrap();
    let user = User {
        id: UserId(uuid::Uuid::from_u128(1)),
        number: 0,
        username: "jane".into(),
        password_hash: String::new(),
        role: Role::SystemAdmin,
        created_at: Timestamp::UNIX_EPOCH,
        blocked: false,
        must_change_password: false,
    };
    store
        .add_user(&user, &Actor::System, Timestamp::UNIX_EPOCH)
        .await
        .unwrap();
    let mut transaction = store.begin().await.unwrap();
    sqlx::query("UPDATE users SET role = 'emperor'")
        .execute(&mut transaction.connection)
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(store.users().await.unwrap()[0].role, Role::User);
}

#[tokio::test]
async fn frequent_statements_use_an_index() {
    let dir = tempfile::tempdir().unwrap();
    let store = Sqlite::open(dir.path()).await.unwrap();
    for (statement, index) in [
        (session_rows::BY_IDS, "SEARCH sessions USING PRIMARY KEY"),
        (people::BY_IDS, "SEARCH users USING PRIMARY KEY"),
        (session_rows::CHANGED, "sessions_by_version"),
        (session_rows::LIVE, "sessions_live_of_user"),
        (session_rows::SEATS_TAKEN, "sessions_live_of_application"),
        (session_rows::HELD, "sessions_live_of_user"),
        (sessions::PURGE, "sessions_to_purge"),
        (events::OF_SESSION, "events_of_session"),
        (events::PURGED, "events_purged"),
        (events::NOTED, "events_batches"),
        (session_rows::UNENDED_OF_USER, "sessions_unended"),
        (session_rows::BLOCKED, "sessions_blocked"),
    ] {
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}")))
            .fetch_all(&store.readers)
            .await
            .unwrap();
        let details: Vec<String> = rows.iter().map(|row| sqlx::Row::get(row, 3)).collect();
        assert!(
            details.iter().any(|detail| detail.contains(index)),
            "{statement}: {details:?}"
        );
    }
}

#[tokio::test]
async fn a_part_of_the_events_is_read_from_an_index_and_never_sorted() {
    let dir = tempfile::tempdir().unwrap();
    let store = Sqlite::open(dir.path()).await.unwrap();
    let every = EventScan {
        session: None,
        from: None,
        until: Some(Timestamp::UNIX_EPOCH),
        place: Place::Newest,
        limit: 50,
    };
    let of_session = Some(SessionId::numbered(1));
    for (place, session, index) in [
        (Place::Newest, None, "events_by_time"),
        (Place::Before(5), None, "events_by_time"),
        (Place::After(5), None, "events_by_time"),
        (Place::Newest, of_session, "events_of_session"),
        (Place::Before(5), of_session, "events_of_session"),
    ] {
        let mut statement = events::scan_query(
            &EventScan {
                place,
                session,
                ..every
            },
            "EXPLAIN QUERY PLAN ",
        );
        let rows = statement.build().fetch_all(&store.readers).await.unwrap();
        let details: Vec<String> = rows.iter().map(|row| sqlx::Row::get(row, 3)).collect();
        let of_index = |detail: &&String| detail.starts_with("SEARCH") && detail.contains(index);
        assert!(details.iter().any(|detail| of_index(&detail)), "{place:?}: {details:?}");
        let sorts = details.iter().any(|detail| detail.contains("TEMP B-TREE"));
        assert_eq!(sorts, session.is_some(), "{place:?}: {details:?}");
    }
}
