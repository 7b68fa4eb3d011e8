//! Measures durable launches per second, each with its event, as `control` makes them: through the
//! writer, many at once.
//!
//! `cargo run --release -p store-testing --example launches` measures SQLite in a temporary folder,
//! or with a `postgres://` URL as its argument an empty database there.

use std::{error::Error, io::Write, sync::Arc, time::Instant};

use futures::{StreamExt, stream};
use session::{Actor, ApplicationId, EnvironmentId, Policy, Role, SessionId, Timestamp, UserId};
use store::{Application, EnvironmentRow, Store, User, WriteRequest, Writer};
use store_postgres::{Postgres, Settings};
use store_sqlite::Sqlite;
use uuid::Uuid;

const PEOPLE: u128 = 200;
const LAUNCHES: u128 = 20_000;
/// The number of requests at the same time.
const AT_ONCE: usize = 512;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let dir = tempfile::tempdir()?;
    let store: Arc<dyn Store> = match std::env::args().nth(1) {
        Some(url) => Arc::new(Postgres::open(&url, Settings::default()).await?),
        None => Arc::new(Sqlite::serve(dir.path()).await?),
    };
    populate(&*store).await?;
    let writer = Writer::spawn(store, |_| {});
    let started = Instant::now();
    let done = stream::iter(0..LAUNCHES)
        .map(|n| writer.submit(launch(n)))
        .buffer_unordered(AT_ONCE)
        .filter(|answer| std::future::ready(answer.is_ok()))
        .count()
        .await;
    let each = done as f64 / started.elapsed().as_secs_f64();
    writeln!(std::io::stdout(), "{done} launches, {each:.0} a second")?;
    Ok(())
}

/// Each person launches each of a hundred applications once.
fn launch(n: u128) -> WriteRequest {
    WriteRequest::Launch {
        session_id: SessionId(Uuid::from_u128(1_000_000 + n)),
        application_id: ApplicationId(Uuid::from_u128(n / PEOPLE)),
        user_id: UserId(Uuid::from_u128(n % PEOPLE)),
        node: session::ONLY_NODE.into(),
        origin: None,
        most: None,
        recorded: Vec::new(),
        at: Timestamp::UNIX_EPOCH,
    }
}

async fn populate(store: &dyn Store) -> store::Result<()> {
    let (by, at) = (&Actor::System, Timestamp::UNIX_EPOCH);
    let environment_id = EnvironmentId(Uuid::nil());
    let environment = EnvironmentRow {
        id: environment_id,
        name: "Host".into(),
        kind: "simulated".into(),
        open: true,
        homes: None,
    };
    store.add_environment(&environment, by, at).await?;
    for n in 0..LAUNCHES / PEOPLE {
        let application = Application {
            id: ApplicationId(Uuid::from_u128(n)),
            name: format!("Program {n}").into(),
            launch_text: "Launch".into(),
            environment_id,
            command: vec!["program".into()],
            policy: Policy::default(),
            // Half of them have limited seats.
            seats: (n % 2 == 0).then_some(1_000_000),
            appearance: Default::default(),
            open: true,
        };
        store.add_application(&application, by, at).await?;
    }
    for n in 0..PEOPLE {
        let user = User {
            id: UserId(Uuid::from_u128(n)),
            number: 0,
            username: format!("person{n}").into(),
            password_hash: String::new(),
            role: Role::User,
            created_at: at,
            blocked: false,
            must_change_password: false,
        };
        store.add_user(&user, by, at).await?;
    }
    Ok(())
}
