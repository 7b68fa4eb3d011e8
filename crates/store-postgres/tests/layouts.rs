//! Databases of earlier versions are migrated when a server opens them, with everything in them.

#![expect(clippy::unwrap_used, reason = "a test: a panic is how it reports")]

use session::catalogue::appearance::Appearance;
use sqlx::{Connection, PgConnection, migrate::Migrator};
use store::{Catalogue, OwnApplication, People, Sessions, StoreError};
use store_postgres::{Postgres, Settings};
use store_testing::postgres::Database;

static MIGRATIONS: Migrator = sqlx::migrate!();

/// SHA-384 of the files that databases already have. They never change: a change is a new file.
const RELEASED: [&str; 6] = [
    "3c5946b3b00ac6f0b2b49071c7b022298c8e0a8a3c08f979f4190b3c6b3987c8c382e0fa70a8ea49d2f0d6ea3db4beb8",
    "0dfcb953255ae1499974637e3acfe257ba2820b3d98afe041b47bf08367354985b5594f26bd565ad5ef139b9281363a2",
    "73831ced811c19aaf615751cfe3d62c5b074db640beda413c68582176223862ee18752769a453a044428ff7677ae3729",
    "54e29224847066159935abfe7a206898a10f7bc49ab34e01d8a94dd9341cf0dca10b1904edc3995bca512ed36312e15f",
    "442c110210c9ef071a625cac17d2a31402c85c69bae60ba6a01aa0fee0bcd618c3e65e388d9a531030cf7f85bf777a30",
    "f8bb6c1e037bcd0f2532c527bfe2477814ebec99c8dc9586d32440ceefb62fc9e69f256fc0f94aba3056b52f8f5d65c0",
];

#[test]
fn released_migrations_never_change() {
    for (migration, released) in MIGRATIONS.iter().zip(RELEASED) {
        let checksum: String = migration.checksum.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(checksum, released, "{} was edited", migration.description);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_each_earlier_version_is_migrated_by_two_nodes_at_once() {
    let fresh = Database::create().await;
    drop(Postgres::open(fresh.url(), Settings::default()).await.unwrap());
    let all: Vec<_> = MIGRATIONS.iter().cloned().collect();
    for count in 1..all.len() {
        let layout = Migrator::with_migrations(all[..count].to_vec());
        let database = Database::create().await;
        let mut earlier = PgConnection::connect(database.url()).await.unwrap();
        layout.run_direct(None, &mut earlier, false).await.unwrap();
        let session = "INSERT INTO sessions (id, environment_id, environment, application_id, application, user_id, username, \
            status, access_epoch, started_at, valid_until, teardown, policy, version) \
            SELECT id, id, 'This host', id, 'Terminal', id, 'jane', 'active', 0, now(), now(), 'not_needed', $1::json, 1 \
            FROM (SELECT '00000000-0000-0000-0000-000000000000'::uuid AS id) AS one";
        let policy = serde_json::to_string(&session::Policy::default()).unwrap();
        sqlx::query(session).bind(policy).execute(&mut earlier).await.unwrap();
        let rest = "INSERT INTO users (id, username, folded, password_hash, role, created_at, blocked) \
            SELECT user_id, username, username, '', 'user', now(), false FROM sessions; \
            INSERT INTO environments (id, name, kind, open) SELECT environment_id, environment, 'local', true FROM sessions; \
            INSERT INTO applications (id, name, launch_text, environment_id, command, policy, open) \
            SELECT application_id, application, 'Launch', environment_id, '[\"xterm\"]', policy, true FROM sessions; \
            UPDATE log SET revision = 1";
        sqlx::raw_sql(rest).execute(&mut earlier).await.unwrap();
        let last = all[count - 1].version;
        let tool = Postgres::open(database.url(), Settings::default()).await.map(drop);
        assert!(
            matches!(tool, Err(StoreError::Older(version)) if version == last),
            "a tool changes no layout: {tool:?}"
        );
        let serve = async |node| {
            Postgres::serve(database.url(), Settings::default(), node)
                .await
                .unwrap()
        };
        let (here, there) = tokio::join!(serve("a"), serve("b"));
        for store in [&here, &there] {
            let sessions = store.load().await.unwrap().sessions;
            assert_eq!(sessions.len(), 1);
            assert_eq!((&*sessions[0].username, &*sessions[0].node), ("jane", "main"));
            let own = store.own_applications(sessions[0].user_id).await.unwrap();
            let used = OwnApplication {
                id: sessions[0].application_id,
                favourite: false,
                used_at: Some(sessions[0].started_at),
            };
            assert_eq!(own, [used], "the sessions of before are last uses");
            assert_eq!(store.applications().await.unwrap()[0].appearance, Appearance::default());
        }
        assert_eq!(schema(&database).await, schema(&fresh).await);
    }
}

/// The parts of a database, and the migrations that made them.
async fn schema(database: &Database) -> Vec<(String, String)> {
    let parts = "SELECT indexname::text, indexdef FROM pg_indexes WHERE schemaname = 'public' \
        UNION ALL SELECT table_name || '.' || column_name, data_type || coalesce(column_default, '') \
        FROM information_schema.columns WHERE table_schema = 'public' \
        UNION ALL SELECT version || ' ' || description, encode(checksum, 'hex') FROM _sqlx_migrations ORDER BY 1, 2";
    let mut connection = PgConnection::connect(database.url()).await.unwrap();
    sqlx::query_as(parts).fetch_all(&mut connection).await.unwrap()
}
