//! Helpers of the tests: an environment with its signals, and servers to kill.

use std::{
    fs,
    io::{BufRead, BufReader},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use environment_local::{LocalEnvironment, Options, missing};
use environments::{Environment, Home, Signal, StartSpec};
use session::{SessionId, regional::Regional};
use tempfile::TempDir;
use tokio::{
    sync::mpsc::{self, UnboundedReceiver},
    time::timeout,
};
use uuid::Uuid;

pub const TIMEOUT: Duration = Duration::from_secs(60);

pub struct Trial {
    pub environment: Arc<LocalEnvironment>,
    pub received: UnboundedReceiver<Signal>,
    pub folder: TempDir,
}

impl Trial {
    pub fn new() -> Self {
        Self::with(Options::default())
    }

    pub fn with(options: Options) -> Self {
        Self::in_folder(tempfile::tempdir().unwrap(), options)
    }

    pub fn in_folder(folder: TempDir, options: Options) -> Self {
        assert_eq!(missing(), [], "install these to run this test");
        let (signals, received) = mpsc::unbounded_channel();
        Self {
            environment: LocalEnvironment::new(folder.path().join("run"), options, signals).unwrap(),
            received,
            folder,
        }
    }

    pub async fn start(&self, command: &[&str]) -> SessionId {
        let spec = spec(command);
        self.environment.start(spec.clone()).await.unwrap();
        spec.session_id
    }

    pub async fn next_signal(&mut self) -> Signal {
        timeout(TIMEOUT, self.received.recv()).await.unwrap().unwrap()
    }

    pub async fn running(&mut self, command: &[&str]) -> SessionId {
        let id = self.start(command).await;
        assert_eq!(self.next_signal().await, Signal::Ready(id));
        id
    }

    /// The text of the loss that must be the next signal, or the one after the session became
    /// ready.
    pub async fn lost(&mut self, id: SessionId) -> String {
        let mut signal = self.next_signal().await;
        if signal == Signal::Ready(id) {
            signal = self.next_signal().await;
        }
        let Signal::Lost(lost, why) = signal else {
            panic!("{signal:?}")
        };
        assert_eq!(lost, id);
        why
    }

    pub fn leaves_nothing(&self, id: SessionId) {
        assert_eq!(processes(id), Vec::<Seen>::new());
        let left: Vec<PathBuf> = fs::read_dir(self.folder.path().join("run"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        assert_eq!(left, [self.folder.path().join("run/lock")]);
    }
}

pub fn spec(command: &[&str]) -> StartSpec {
    let command = command.iter().map(|word| (*word).to_owned()).collect();
    StartSpec {
        session_id: SessionId(Uuid::now_v7()),
        command,
        allow_user_namespaces: false,
        home: Home::Scratch,
        sound: false,
        regional: Regional::default(),
    }
}

#[derive(Debug, PartialEq, Eq)]
pub struct Seen {
    pub pid: i32,
    pub name: String,
    pub uid: u32,
    pub environment: String,
}

/// All living processes that have this session's id in their command line or environment.
pub fn processes(id: SessionId) -> Vec<Seen> {
    let id = id.to_string();
    let mut seen = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        let text = |file: &str| {
            let bytes = fs::read(entry.path().join(file)).unwrap_or_default();
            String::from_utf8_lossy(&bytes).replace('\0', " ")
        };
        let (environment, status) = (text("environ"), text("status"));
        if environment.contains(&id) || text("cmdline").contains(&id) {
            let uid = status.lines().find_map(|line| line.strip_prefix("Uid:")).unwrap_or("0");
            let uid = uid.split_whitespace().next().unwrap().parse().unwrap();
            seen.push(Seen {
                pid,
                name: text("comm").trim().to_owned(),
                uid,
                environment,
            });
        }
    }
    seen
}

/// Polls until the condition is true: for changes that the kernel does not signal.
pub async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + TIMEOUT;
    while !is_so() {
        assert!(Instant::now() < deadline, "{what}");
        tokio::task::yield_now().await;
    }
}

pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Starts `examples/hold.rs`, which cargo builds with the tests, and returns it with its ready
/// session.
pub fn hold(run_dir: &Path, command: &mut Command) -> (Child, SessionId) {
    command.args([run_dir.as_os_str(), "xterm".as_ref()]);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let id = line.trim().parse().unwrap_or_else(|_| panic!("{line:?} is no id"));
    (child, id)
}

/// Runs `examples/hold.rs` until its session has ended, and returns its output.
pub fn end_of(run_dir: &Path, command: &mut Command, application: &[&str]) -> String {
    let output = command.arg(run_dir).args(application).output().unwrap();
    String::from_utf8(output.stderr).unwrap()
}

/// The user of a server without privileges: an unused id if the test runs as root, otherwise the
/// test's own user.
pub fn unprivileged_uid() -> u32 {
    if is_root() {
        54321
    } else {
        rustix::process::geteuid().as_raw()
    }
}

/// A server that has no privileges: a copy of `examples/hold.rs` in this folder, as
/// [`unprivileged_uid`].
pub fn unprivileged(folder: &Path) -> Command {
    let program = folder.join("hold");
    fs::copy(holder(), &program).unwrap();
    fs::set_permissions(folder, fs::Permissions::from_mode(0o777)).unwrap();
    if !is_root() {
        return Command::new(program);
    }
    let uid = unprivileged_uid().to_string();
    let mut command = Command::new("setpriv");
    command.args([
        "--reuid",
        &uid,
        "--regid",
        &uid,
        "--clear-groups",
        "--bounding-set=-all",
    ]);
    command.arg(program);
    command
}

/// A server on a modified host: it sees the mounts that a line of shell makes.
pub fn with_mounts(line: &str) -> Command {
    let mut command = Command::new("unshare");
    if can_mount() {
        command.args(["--mount", "sh", "-c", &format!("{line} && exec \"$@\""), "sh"]);
    } else {
        // Root in a user namespace of its own may mount. The server in it runs as the same user as
        // outside.
        let (uid, gid) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
        let line = format!("{line} && exec unshare --map-user={uid} --map-group={gid} \"$@\"");
        command.args(["--map-root-user", "--mount", "sh", "-c", &line, "sh"]);
    }
    command.arg(holder());
    command
}

/// True if this process may make private mounts.
fn can_mount() -> bool {
    let status = Command::new("unshare").args(["--mount", "true"]).status();
    status.is_ok_and(|status| status.success())
}

pub fn holder() -> PathBuf {
    // target/debug/deps/local-… → target/debug/examples/hold
    let folder = std::env::current_exe()
        .unwrap()
        .parent()
        .unwrap()
        .parent()
        .unwrap()
        .join("examples");
    let program = folder.join("hold");
    assert!(
        program.exists(),
        "`--test local` alone does not build examples/hold.rs: `cargo test -p environment-local` does"
    );
    program
}

/// Kills a server, waits until its session is gone, and clears its folder.
pub async fn end(mut server: Child, id: SessionId, run_dir: &Path) {
    server.kill().unwrap();
    server.wait().unwrap();
    until("processes end with the server", || processes(id).is_empty()).await;
    let (signals, _received) = mpsc::unbounded_channel();
    LocalEnvironment::new(run_dir.to_owned(), Options::default(), signals).unwrap();
    assert!(!run_dir.join(id.to_string()).exists());
}
