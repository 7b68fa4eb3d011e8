//! Databases of earlier versions are migrated when a server opens them, with everything in them.

#![expect(clippy::unwrap_used, reason = "a test: a panic is how it reports")]

use std::path::Path;

use session::catalogue::appearance::Appearance;
use sqlx::{
    ConnectOptions, Connection, SqliteConnection,
    migrate::Migrator,
    sqlite::{SqliteConnectOptions, SqliteJournalMode},
};
use store::{Catalogue, OwnApplication, People, Sessions, StoreError};
use store_sqlite::Sqlite;

static MIGRATIONS: Migrator = sqlx::migrate!();

/// SHA-384 of the files that databases already have. They never change: a change is a new file.
const RELEASED: [&str; 6] = [
    "0674a0a9cd2f0323dd0d1dcbbf76283863619bc498719bb329429a1a0b323dbfe4b18e0fbb003f2f308ac9e691a12465",
    "119ef4112a6549889d3cdff7ad68e0b1e417580d28199586b7f5195aba51a6f3d02b7b9ca3579532d4c90bbbf28147ea",
    "433f8f0b53c155515a07ffa2639cf7740285dfe24f6e7cc05e41c88583efa02ca3de82287132a799acc6c8308f07396c",
    "5d0a3a2686f6c94218d08386ebb93890c677c53809bf49ccb6addd230e85b3e806af9bdbd249fdf7e39fe1eb7c16d769",
    "51328aa36b78b5675db064617abb9d4488a52f4418ddc26c5ddfac3f5f2cd8c3a1b8fcb394e95b16db31226ef783d28f",
    "4610ebd26855ac0fc48f1066016cf84468509bcce4b6ba37d769ae092da5b8680a74374eebbe3a125e74fd91244b40ff",
];

#[test]
fn released_migrations_never_change() {
    for (migration, released) in MIGRATIONS.iter().zip(RELEASED) {
        let checksum: String = migration.checksum.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(checksum, released, "{} was edited", migration.description);
    }
}

#[tokio::test]
async fn a_database_of_each_earlier_version_is_migrated() {
    let fresh = tempfile::tempdir().unwrap();
    drop(Sqlite::serve(fresh.path()).await.unwrap());
    let all: Vec<_> = MIGRATIONS.iter().cloned().collect();
    for count in 1..all.len() {
        let layout = Migrator::with_migrations(all[..count].to_vec());
        let dir = tempfile::tempdir().unwrap();
        let mut earlier = open(dir.path()).await;
        layout.run_direct(None, &mut earlier, false).await.unwrap();
        let session = "INSERT INTO sessions (id, environment_id, environment, application_id, application, user_id, username, \
            status, access_epoch, started_at, valid_until, teardown, policy, version) \
            VALUES (zeroblob(16), zeroblob(16), 'This host', zeroblob(16), 'Terminal', zeroblob(16), 'jane', \
            'active', 0, 1, 2, 'not_needed', ?1, 1)";
        let policy = serde_json::to_string(&session::Policy::default()).unwrap();
        sqlx::query(session).bind(policy).execute(&mut earlier).await.unwrap();
        let rest = "INSERT INTO users (id, username, folded, password_hash, role, created_at, blocked) \
            SELECT user_id, username, username, '', 'user', 1, 0 FROM sessions; \
            INSERT INTO environments (id, name, kind, open) SELECT environment_id, environment, 'local', 1 FROM sessions; \
            INSERT INTO applications (id, name, launch_text, environment_id, command, policy, open) \
            SELECT application_id, application, 'Launch', environment_id, '[\"xterm\"]', policy, 1 FROM sessions; \
            UPDATE log SET revision = 1";
        sqlx::raw_sql(rest).execute(&mut earlier).await.unwrap();
        earlier.close().await.unwrap();
        let last = all[count - 1].version;
        let tool = Sqlite::open(dir.path()).await.map(drop);
        assert!(
            matches!(tool, Err(StoreError::Older(version)) if version == last),
            "a tool changes no layout: {tool:?}"
        );
        // The second start finds it migrated.
        for _ in 0..2 {
            let store = Sqlite::serve(dir.path()).await.unwrap();
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
        assert_eq!(schema(dir.path()).await, schema(fresh.path()).await);
    }
}

/// As every version opens it.
async fn open(dir: &Path) -> SqliteConnection {
    SqliteConnectOptions::new()
        .filename(dir.join("cloud-delivery.sqlite3"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .connect()
        .await
        .unwrap()
}

/// The parts of a database, and the migrations that made them.
async fn schema(dir: &Path) -> Vec<(String, String)> {
    let parts = "SELECT name, coalesce(sql, '') FROM sqlite_master \
        UNION ALL SELECT printf('%d %s', version, description), hex(checksum) FROM _sqlx_migrations ORDER BY 1";
    sqlx::query_as(parts).fetch_all(&mut open(dir).await).await.unwrap()
}
