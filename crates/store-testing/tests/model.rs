//! Random calls on the model, on SQLite and on PostgreSQL, compared one by one: the answers must be
//! equal.
//!
//! If they differ, the test drops calls as long as the answers still differ, and prints the
//! shortest sequence with its seed. Put that seed into [`FAILED`]: it is replayed first from then
//! on. To add a store: one line in [`Bench::stores`].

#![expect(clippy::unwrap_used, reason = "a test: a panic is how it reports")]

#[path = "model/calls.rs"]
mod calls;
#[path = "model/draw.rs"]
mod draw;

use std::{fmt::Write, sync::Arc};

use sqlx::{Connection, PgConnection};
use store::Store;
use store_postgres::{Postgres, Settings};
use store_sqlite::Sqlite;
use store_testing::{Memory, postgres::Database};
use tempfile::TempDir;
use tokio::sync::Mutex;

use calls::Call;

/// Seeds that once found a difference.
const FAILED: [u64; 0] = [];
/// Seeds of each half.
const SEEDS: u64 = 100;
/// Calls of a seed.
const CALLS: usize = 60;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_stores_answer_alike_on_even_seeds() {
    compare(FAILED.into_iter().chain((0..SEEDS).map(|n| 2 * n))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_stores_answer_alike_on_odd_seeds() {
    compare((0..SEEDS).map(|n| 2 * n + 1)).await;
}

async fn compare(seeds: impl Iterator<Item = u64>) {
    let bench = Bench::new().await;
    for seed in seeds {
        let calls = draw::calls(seed, CALLS);
        if let Err(difference) = bench.run(&calls).await {
            let (calls, difference) = bench.shortest(calls, difference).await;
            let mut report = format!("seed {seed}, {} calls are enough:\n", calls.len());
            for call in &calls {
                writeln!(report, "  {call:?}").unwrap();
            }
            panic!("{report}{difference}");
        }
    }
}

/// Three stores, emptied for each run.
struct Bench {
    postgres: Arc<Postgres>,
    emptier: Mutex<PgConnection>,
    _database: Database,
}

struct Stores {
    each: [(&'static str, Arc<dyn Store>); 3],
    _dir: TempDir,
}

impl Bench {
    async fn new() -> Self {
        let database = Database::create().await;
        // No node listens here.
        let settings = Settings {
            notify: false,
            ..Settings::default()
        };
        let postgres = Postgres::open(database.url(), settings).await.unwrap();
        let mut emptier = PgConnection::connect(database.url()).await.unwrap();
        // Removes events, which the triggers refuse without this setting.
        sqlx::raw_sql("SET session_replication_role = replica")
            .execute(&mut emptier)
            .await
            .unwrap();
        Self {
            postgres: Arc::new(postgres),
            emptier: Mutex::new(emptier),
            _database: database,
        }
    }

    async fn stores(&self) -> Stores {
        sqlx::raw_sql(
            "DELETE FROM own_applications; DELETE FROM preferences; DELETE FROM logins; DELETE FROM users; \
             DELETE FROM user_numbers; DELETE FROM applications; DELETE FROM pictures; DELETE FROM environments; \
             DELETE FROM sessions; DELETE FROM events; DELETE FROM sweeps; \
             UPDATE log SET revision = 0, events = 0, head = decode(repeat('00', 32), 'hex')",
        )
        .execute(&mut *self.emptier.lock().await)
        .await
        .unwrap();
        // The test compares answers only, so the database need not be on a disk.
        let memory = std::path::Path::new("/dev/shm");
        let dir = if memory.is_dir() {
            tempfile::tempdir_in(memory)
        } else {
            tempfile::tempdir()
        };
        let dir = dir.unwrap();
        let sqlite = Sqlite::serve(dir.path()).await.unwrap();
        Stores {
            each: [
                ("model", Arc::new(Memory::new())),
                ("SQLite", Arc::new(sqlite)),
                ("PostgreSQL", self.postgres.clone()),
            ],
            _dir: dir,
        }
    }

    /// Makes the calls on all stores. Returns the first difference with the number of calls up to
    /// it.
    async fn run(&self, calls: &[Call]) -> Result<(), (usize, String)> {
        let stores = self.stores().await;
        for (number, call) in (1..).zip(calls) {
            same(&stores, &format!("call {number}, {call:?}"), async |store| {
                call.answer(store).await
            })
            .await
            .map_err(|difference| (number, difference))?;
        }
        same(&stores, "at the end", async |store| calls::everything(store).await)
            .await
            .map_err(|difference| (calls.len(), difference))
    }

    /// Drops calls as long as the answers still differ.
    async fn shortest(&self, mut calls: Vec<Call>, (enough, mut difference): (usize, String)) -> (Vec<Call>, String) {
        calls.truncate(enough);
        let mut size = calls.len() / 2;
        while size > 0 {
            let mut start = 0;
            while start < calls.len() {
                let mut fewer = calls.clone();
                fewer.drain(start..calls.len().min(start + size));
                match self.run(&fewer).await {
                    Ok(()) => start += size,
                    Err((enough, shorter)) => {
                        fewer.truncate(enough);
                        (calls, difference) = (fewer, shorter);
                    }
                }
            }
            size /= 2;
        }
        (calls, difference)
    }
}

async fn same(stores: &Stores, label: &str, answer: impl AsyncFn(&dyn Store) -> String) -> Result<(), String> {
    let answers = futures::future::join_all(stores.each.iter().map(|(_, store)| answer(&**store))).await;
    let [(model, _), others @ ..] = &stores.each;
    let [expected, others_got @ ..] = &answers[..] else {
        panic!("no answers")
    };
    for ((name, _), got) in others.iter().zip(others_got) {
        if got != expected {
            // Of an answer with many lines, the first different line.
            let lines = expected
                .lines()
                .zip(got.lines())
                .find(|(expected, got)| expected != got);
            let (expected, got) = lines.unwrap_or((expected, got));
            return Err(format!("{label}\n{model}: {expected}\n{name}: {got}"));
        }
    }
    Ok(())
}
