//! PostgreSQL servers and databases for tests. They are removed after the test, however it ends.
//!
//! `scripts/postgres` starts a server. `make test` runs all tests under one server, whose URL is in
//! [`VARIABLE`]. If the variable is not set, a test process starts a server of its own, which takes
//! a second.

#![expect(clippy::unwrap_used, reason = "for tests: a panic is how it reports")]

use std::{
    fs,
    io::{BufRead, BufReader, Lines, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

use rustix::process::{Pid, Signal, kill_process};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

/// The environment variable with the URL of a server for tests.
pub const VARIABLE: &str = "CLOUD_DELIVERY_TEST_DATABASE_URL";

/// A server for one test, which may kill it.
pub struct Server {
    script: Child,
    commands: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
    url: String,
    data: PathBuf,
}

impl Server {
    /// Starts one.
    pub fn start() -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/postgres");
        let mut script = Command::new(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let commands = script.stdin.take().unwrap();
        let mut answers = BufReader::new(script.stdout.take().unwrap()).lines();
        let mut value = |key: &str| {
            let line = answers.next().and_then(Result::ok).unwrap_or_default();
            let Some(value) = line.strip_prefix(key) else {
                panic!("scripts/postgres could not start a PostgreSQL server; its output is above")
            };
            value.to_owned()
        };
        let (url, data) = (value("url "), value("data "));
        Self {
            script,
            commands,
            answers,
            url,
            data: data.into(),
        }
    }

    /// The URL to connect to it, as a superuser.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Kills it, as a power cut does, but the disk stays intact.
    pub fn kill(&self) {
        // Its children notice, and end.
        self.signal(&self.family()[..1], Signal::KILL);
    }

    /// Starts it after [`Server::kill`], on the same data and the same port.
    pub fn start_again(&mut self) {
        writeln!(self.commands, "start").unwrap();
        let answer = self.answers.next().unwrap().unwrap();
        assert_eq!(answer, "started");
    }

    /// Suspends all its processes: it still accepts connections, but answers nothing.
    pub fn freeze(&self) {
        self.signal(&self.family(), Signal::STOP);
    }

    /// Undoes [`Server::freeze`].
    pub fn thaw(&self) {
        self.signal(&self.family(), Signal::CONT);
    }

    /// The process ids of the server and its children.
    fn family(&self) -> Vec<i32> {
        let file = fs::read_to_string(self.data.join("postmaster.pid")).unwrap();
        let server: i32 = file.lines().next().unwrap().parse().unwrap();
        let children = fs::read_dir("/proc").unwrap().filter_map(|entry| {
            let pid: i32 = entry.ok()?.file_name().to_str()?.parse().ok()?;
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
            // After the name, which is in parentheses: the state, then the parent.
            let parent = stat.rsplit_once(')')?.1.split_whitespace().nth(1)?;
            (parent.parse() == Ok(server)).then_some(pid)
        });
        std::iter::once(server).chain(children).collect()
    }

    fn signal(&self, processes: &[i32], signal: Signal) {
        for process in processes {
            // A process may have ended already.
            let _ = kill_process(Pid::from_raw(*process).unwrap(), signal);
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The script also stops the server at the end of its input, so when the test process dies.
        let _ = writeln!(self.commands, "stop");
        let _ = self.script.wait();
    }
}

/// An empty database on the server that all tests share. It is removed with this value.
pub struct Database {
    name: String,
    url: String,
}

impl Database {
    /// Makes a database.
    pub async fn create() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let (process, number) = (std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let name = format!("test_{process}_{number}");
        execute(shared(), format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
        execute(shared(), format!("CREATE DATABASE {name}")).await;
        let (server, _) = shared().rsplit_once('/').unwrap();
        Self {
            url: format!("{server}/{name}"),
            name,
        }
    }

    /// The URL to connect to it, as a superuser.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let drop = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        // A destructor can't wait for a future, so a thread with a runtime of its own does.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(execute(shared(), drop));
        });
        // An error is harmless: the server is removed too.
        let _ = dropped.join();
    }
}

/// URL of the server that all tests share.
#[expect(
    clippy::disallowed_methods,
    reason = "the script that runs the tests passes the address of the server this way"
)]
fn shared() -> &'static str {
    static URL: OnceLock<String> = OnceLock::new();
    static OWN: OnceLock<std::sync::Mutex<Server>> = OnceLock::new();
    URL.get_or_init(|| {
        std::env::var(VARIABLE).unwrap_or_else(|_| {
            // Never dropped: it ends with this process.
            let own = OWN.get_or_init(|| std::sync::Mutex::new(Server::start()));
            own.lock().unwrap().url().to_owned()
        })
    })
}

async fn execute(url: &str, statement: String) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(statement))
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
}
