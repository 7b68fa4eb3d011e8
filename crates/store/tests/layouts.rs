//! Databases of earlier versions are opened, with all that is in them, and brought up to date.

#![expect(clippy::unwrap_used, reason = "a test: a panic is how it reports")]

use std::path::Path;

use sqlx::{
    ConnectOptions, Connection, PgConnection, SqliteConnection,
    migrate::Migrator,
    sqlite::{SqliteConnectOptions, SqliteJournalMode},
};
use store::{
    Store, StoreError,
    postgres::{Postgres, Settings},
    sqlite::Sqlite,
    throwaway::Database,
};

/// SHA-384 of each `0001_first.sql`. Databases have them, so they never change: what is new is a new file.
const FIRST_OF_SQLITE: &str =
    "0674a0a9cd2f0323dd0d1dcbbf76283863619bc498719bb329429a1a0b323dbfe4b18e0fbb003f2f308ac9e691a12465";
const FIRST_OF_POSTGRES: &str =
    "3c5946b3b00ac6f0b2b49071c7b022298c8e0a8a3c08f979f4190b3c6b3987c8c382e0fa70a8ea49d2f0d6ea3db4beb8";

#[tokio::test]
async fn a_sqlite_database_of_an_earlier_version_is_brought_up_to_date() {
    let fresh = tempfile::tempdir().unwrap();
    drop(Sqlite::serve(fresh.path()).await.unwrap());
    let first = first_of(&sqlx::migrate!("migrations/sqlite"), FIRST_OF_SQLITE);
    let two = sqlx::migrate!("tests/layouts/sqlite");
    for layout in [first, only_first(&two), two] {
        let dir = tempfile::tempdir().unwrap();
        let mut earlier = sqlite(dir.path()).await;
        layout.run_direct(None, &mut earlier, false).await.unwrap();
        let session = "INSERT INTO sessions (id, environment_id, environment, application_id, application, user_id, username, \
            status, access_epoch, started_at, valid_until, teardown, policy, version) \
            VALUES (zeroblob(16), zeroblob(16), 'This host', zeroblob(16), 'Terminal', zeroblob(16), 'jane', \
            'active', 0, 1, 2, 'not_needed', ?1, 1)";
        sqlx::query(session).bind(policy()).execute(&mut earlier).await.unwrap();
        sqlx::raw_sql("UPDATE log SET revision = 1")
            .execute(&mut earlier)
            .await
            .unwrap();
        earlier.close().await.unwrap();
        let tool = Sqlite::open(dir.path()).await.map(drop);
        assert!(
            matches!(tool, Err(StoreError::Older(1 | 2))),
            "a tool changes no layout: {tool:?}"
        );
        // What was brought up to date stays so.
        for _ in 0..2 {
            has_the_session(&Sqlite::serve(dir.path()).await.unwrap()).await;
        }
        assert_eq!(schema_of_sqlite(dir.path()).await, schema_of_sqlite(fresh.path()).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgresql_database_of_an_earlier_version_is_brought_up_to_date_by_two_nodes_at_once() {
    let fresh = Database::create().await;
    drop(Postgres::open(fresh.url(), Settings::default()).await.unwrap());
    let first = first_of(&sqlx::migrate!("migrations/postgres"), FIRST_OF_POSTGRES);
    let two = sqlx::migrate!("tests/layouts/postgres");
    for layout in [first, only_first(&two), two] {
        let database = Database::create().await;
        let mut earlier = PgConnection::connect(database.url()).await.unwrap();
        layout.run_direct(None, &mut earlier, false).await.unwrap();
        let session = "INSERT INTO sessions (id, environment_id, environment, application_id, application, user_id, username, \
            status, access_epoch, started_at, valid_until, teardown, policy, version) \
            SELECT id, id, 'This host', id, 'Terminal', id, 'jane', 'active', 0, now(), now(), 'not_needed', $1::json, 1 \
            FROM (SELECT '00000000-0000-0000-0000-000000000000'::uuid AS id) AS one";
        sqlx::query(session).bind(policy()).execute(&mut earlier).await.unwrap();
        sqlx::raw_sql("UPDATE log SET revision = 1")
            .execute(&mut earlier)
            .await
            .unwrap();
        let tool = Postgres::open(database.url(), Settings::default()).await.map(drop);
        assert!(
            matches!(tool, Err(StoreError::Older(1 | 2))),
            "a tool changes no layout: {tool:?}"
        );
        let serve = async |node| {
            Postgres::serve(database.url(), Settings::default(), node)
                .await
                .unwrap()
        };
        let (here, there) = tokio::join!(serve("a"), serve("b"));
        has_the_session(&here).await;
        has_the_session(&there).await;
        assert_eq!(schema_of_postgres(&database).await, schema_of_postgres(&fresh).await);
    }
}

/// The first of today's files alone.
fn first_of(today: &Migrator, released: &str) -> Migrator {
    let first = only_first(today);
    let checksum = &first.migrations[0].checksum;
    let checksum: String = checksum.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(checksum, released, "it was edited");
    first
}

fn only_first(all: &Migrator) -> Migrator {
    Migrator::with_migrations(all.iter().take(1).cloned().collect())
}

fn policy() -> String {
    serde_json::to_string(&session::Policy::default()).unwrap()
}

async fn has_the_session(store: &impl Store) {
    let sessions = store.load().await.unwrap().sessions;
    assert_eq!(sessions.len(), 1);
    assert_eq!((&*sessions[0].username, &*sessions[0].node), ("jane", "main"));
}

/// As every version keeps it.
async fn sqlite(dir: &Path) -> SqliteConnection {
    SqliteConnectOptions::new()
        .filename(dir.join("cloud-delivery.sqlite3"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .connect()
        .await
        .unwrap()
}

/// What a database consists of, and from which files.
async fn schema_of_sqlite(dir: &Path) -> Vec<(String, String)> {
    let question = "SELECT name, coalesce(sql, '') FROM sqlite_master \
        UNION ALL SELECT printf('%d %s', version, description), hex(checksum) FROM _sqlx_migrations ORDER BY 1";
    sqlx::query_as(question)
        .fetch_all(&mut sqlite(dir).await)
        .await
        .unwrap()
}

async fn schema_of_postgres(database: &Database) -> Vec<(String, String)> {
    let question = "SELECT indexname::text, indexdef FROM pg_indexes WHERE schemaname = 'public' \
        UNION ALL SELECT table_name || '.' || column_name, data_type || coalesce(column_default, '') \
        FROM information_schema.columns WHERE table_schema = 'public' \
        UNION ALL SELECT version || ' ' || description, encode(checksum, 'hex') FROM _sqlx_migrations ORDER BY 1, 2";
    let mut connection = PgConnection::connect(database.url()).await.unwrap();
    sqlx::query_as(question).fetch_all(&mut connection).await.unwrap()
}
