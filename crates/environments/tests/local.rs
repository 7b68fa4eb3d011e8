//! The local environment with real applications: the common suite, and that nothing stays, whoever ends what how.
//! Needs the programs in `environments::local::NEEDED`, and xterm, galculator and mousepad.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; clippy.toml covers only what is marked #[test]"
)]

use std::{
    fs,
    io::{BufRead, BufReader},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use environments::{
    Environment, EnvironmentError, Signal, StartSpec, conformance,
    local::{LocalEnvironment, missing},
};
use session::SessionId;
use tempfile::TempDir;
use tokio::{
    sync::mpsc::{self, UnboundedReceiver},
    time::timeout,
};
use uuid::Uuid;

const PATIENCE: Duration = Duration::from_secs(60);

struct Trial {
    environment: Arc<LocalEnvironment>,
    heard: UnboundedReceiver<Signal>,
    folder: TempDir,
}

impl Trial {
    fn new() -> Self {
        assert_eq!(missing(), [], "install these to run this test");
        let folder = tempfile::tempdir().unwrap();
        let (signals, heard) = mpsc::unbounded_channel();
        Self {
            environment: LocalEnvironment::new(folder.path().join("run"), signals).unwrap(),
            heard,
            folder,
        }
    }

    async fn start(&self, command: &[&str]) -> SessionId {
        let spec = spec(command);
        self.environment.start(spec.clone()).await.unwrap();
        spec.session_id
    }

    async fn heard(&mut self) -> Signal {
        timeout(PATIENCE, self.heard.recv()).await.unwrap().unwrap()
    }

    async fn running(&mut self, command: &[&str]) -> SessionId {
        let id = self.start(command).await;
        assert_eq!(self.heard().await, Signal::Ready(id));
        id
    }

    /// The text of the loss that must come next, or right after the session became ready.
    async fn lost(&mut self, id: SessionId) -> String {
        let mut signal = self.heard().await;
        if signal == Signal::Ready(id) {
            signal = self.heard().await;
        }
        let Signal::Lost(lost, why) = signal else {
            panic!("{signal:?}")
        };
        assert_eq!(lost, id);
        why
    }

    fn leaves_nothing(&self, id: SessionId) {
        assert_eq!(processes(id), Vec::<Seen>::new());
        let left: Vec<PathBuf> = fs::read_dir(self.folder.path().join("run"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        assert_eq!(left, [self.folder.path().join("run/lock")]);
    }
}

fn spec(command: &[&str]) -> StartSpec {
    let command = command.iter().map(|word| (*word).to_owned()).collect();
    StartSpec {
        session_id: SessionId(Uuid::now_v7()),
        command,
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Seen {
    pid: i32,
    name: String,
    uid: u32,
    environment: String,
}

/// All living processes that have this session's id in their command line or environment.
fn processes(id: SessionId) -> Vec<Seen> {
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

/// Looks again and again until it is true: for what the kernel does by itself and tells nobody.
async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "{what}");
        tokio::task::yield_now().await;
    }
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_conforms() {
    let folder = tempfile::tempdir().unwrap();
    let made = |signals| LocalEnvironment::new(folder.path().to_owned(), signals).unwrap();
    conformance::run(made, &["xterm"]).await;
}

#[tokio::test]
async fn applications_become_ready_and_leave_nothing() {
    let mut trial = Trial::new();
    for program in ["xterm", "galculator", "mousepad"] {
        let before = Instant::now();
        let id = trial.running(&[program]).await;
        let ready = before.elapsed();
        // Ready is told when the application is forked, which is a little before it has its own name.
        for name in [program, "Xtigervnc", "bwrap"] {
            until(name, || processes(id).iter().any(|seen| seen.name == name)).await;
        }
        let before = Instant::now();
        trial.environment.stop(id).await.unwrap();
        println!("{program}: ready after {ready:?}, gone after {:?}", before.elapsed());
        trial.leaves_nothing(id);
    }
}

#[tokio::test]
async fn each_session_is_another_user_where_the_server_may_choose() {
    let mut trial = Trial::new();
    let ids = [trial.running(&["xterm"]).await, trial.running(&["xterm"]).await];
    let users = ids.map(|id| {
        let uids: Vec<u32> = processes(id).into_iter().map(|seen| seen.uid).collect();
        assert!(
            uids.windows(2).all(|pair| pair[0] == pair[1]),
            "one session, one user: {uids:?}"
        );
        uids[0]
    });
    if is_root() {
        assert!(users[0] != users[1] && !users.contains(&0), "{users:?}");
    } else {
        assert_eq!(users, [rustix::process::geteuid().as_raw(); 2]);
    }
    for id in ids {
        trial.environment.stop(id).await.unwrap();
    }
}

#[tokio::test]
async fn what_the_server_has_in_its_environment_stays_there() {
    let mut trial = Trial::new();
    let id = trial.running(&["xterm"]).await;
    let mut inside = Vec::new();
    until("xterm runs", || {
        inside = processes(id)
            .into_iter()
            .filter(|seen| seen.name == "xterm")
            .map(|seen| seen.environment)
            .collect();
        !inside.is_empty()
    })
    .await;
    // Cargo gives each test these two, and they must not be there.
    for name in ["CARGO", "LD_LIBRARY_PATH", "LD_PRELOAD"] {
        assert!(inside.iter().all(|text| !text.contains(name)), "{name} in {inside:?}");
    }
    assert!(inside[0].contains("HOME=/home/user"));
    trial.environment.stop(id).await.unwrap();
}

#[tokio::test]
async fn the_host_is_out_of_reach_and_its_own_folders_are_writable() {
    let mut trial = Trial::new();
    let secret = trial.folder.path().join("secret");
    fs::write(&secret, "x").unwrap();
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o666)).unwrap();
    // Each line ends the application with a status of its own if the sandbox is not tight.
    let script = format!(
        "test -e {} && exit 11
         touch /usr/x 2>/dev/null && exit 12
         touch /x 2>/dev/null && exit 13
         touch /dev/x 2>/dev/null && exit 14
         test -e /etc/shadow && exit 15
         test \"$(ls -d /proc/[0-9]* | wc -l)\" -lt 12 || exit 16
         test \"$(cat /proc/net/route | wc -l)\" -le 1 || exit 17
         grep -q 'CapEff:.0000000000000000' /proc/self/status || exit 18
         grep -q 'NoNewPrivs:.1' /proc/self/status || exit 19
         touch ~/x /tmp/x /dev/shm/x \"$XDG_RUNTIME_DIR/x\" || exit 20
         test \"$(id -un)\" = user || exit 21
         test \"$(ulimit -c)\" = 0 || exit 22
         ls /proc/self/fd | grep -q '[3-9]' && ls -l /proc/self/fd | grep -q socket && exit 23
         exit 7",
        secret.display()
    );
    let id = trial.start(&["sh", "-c", &script]).await;
    assert_eq!(trial.lost(id).await, "the application ended with status 7");
    trial.leaves_nothing(id);
}

#[tokio::test]
async fn an_application_that_ends_is_lost_with_a_reason() {
    let mut trial = Trial::new();
    for (script, expected) in [
        ("exit 1", "the application ended with status 1"),
        ("kill -TERM $$", "the application was ended by signal 15"),
        // Daemons in sessions of their own go with it.
        (
            "setsid sleep 1000 & setsid setsid sleep 1000 & exit 3",
            "the application ended with status 3",
        ),
    ] {
        let id = trial.start(&["sh", "-c", script]).await;
        assert_eq!(trial.lost(id).await, expected, "{script}");
        assert!(trial.environment.observe().await.unwrap().is_empty());
        trial.leaves_nothing(id);
        trial.environment.stop(id).await.unwrap();
    }
    assert!(trial.heard.try_recv().is_err(), "each is lost once");
}

#[tokio::test]
async fn an_application_that_its_user_closes_is_no_failure() {
    let mut trial = Trial::new();
    let id = trial.running(&["sh", "-c", "exit 0"]).await;
    assert_eq!(trial.heard().await, Signal::Closed(id));
    trial.leaves_nothing(id);
}

#[tokio::test]
async fn a_display_that_dies_takes_the_session_with_it() {
    let mut trial = Trial::new();
    let id = trial.running(&["xterm"]).await;
    let display = processes(id).into_iter().find(|seen| seen.name == "Xtigervnc").unwrap();
    let pid = rustix::process::Pid::from_raw(display.pid).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    assert!(trial.lost(id).await.starts_with("the application "));
    trial.leaves_nothing(id);
}

#[tokio::test]
async fn a_missing_program_is_refused_at_once() {
    let mut trial = Trial::new();
    let refused = trial.environment.start(spec(&["no-such-program"])).await.unwrap_err();
    assert!(matches!(refused, EnvironmentError::Missing { .. }));
    assert_eq!(refused.to_string(), "no-such-program is not installed on this host");
    assert!(trial.environment.observe().await.unwrap().is_empty());
    assert!(trial.heard.try_recv().is_err());
}

#[tokio::test]
async fn dropping_the_environment_ends_its_sessions() {
    let mut trial = Trial::new();
    let id = trial.running(&["xterm"]).await;
    let Trial {
        environment, folder, ..
    } = trial;
    drop(environment);
    let left = folder.path().join("run").join(id.to_string());
    until("sessions end with their environment", || {
        processes(id).is_empty() && !left.exists()
    })
    .await;
}

/// Starts `examples/hold.rs`, which cargo builds with the tests, and returns it with its ready session.
fn hold(run_dir: &Path, command: &mut Command) -> (Child, SessionId) {
    command.args([run_dir.as_os_str(), "xterm".as_ref()]);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let id = line.trim().parse().unwrap_or_else(|_| panic!("{line:?} is no id"));
    (child, id)
}

fn holder() -> PathBuf {
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
        "`--test local` alone does not build examples/hold.rs: `cargo test -p environments` does"
    );
    program
}

#[tokio::test]
async fn a_killed_server_leaves_no_process_and_the_next_one_its_folder_clean() {
    let folder = tempfile::tempdir().unwrap();
    let (mut server, id) = hold(folder.path(), &mut Command::new(holder()));
    assert!(processes(id).len() >= 4);
    let (signals, _heard) = mpsc::unbounded_channel();
    let refused = LocalEnvironment::new(folder.path().to_owned(), signals.clone()).unwrap_err();
    assert!(refused.to_string().ends_with("another server uses it"), "{refused}");

    server.kill().unwrap();
    server.wait().unwrap();
    until("processes end with the server", || processes(id).is_empty()).await;
    assert!(folder.path().join(id.to_string()).exists());
    let _next = LocalEnvironment::new(folder.path().to_owned(), signals).unwrap();
    assert!(!folder.path().join(id.to_string()).exists());
}

/// Kills a server, sees that its session is gone, and clears its folder.
async fn end(mut server: Child, id: SessionId, run_dir: &Path) {
    server.kill().unwrap();
    server.wait().unwrap();
    until("processes end with the server", || processes(id).is_empty()).await;
    let (signals, _heard) = mpsc::unbounded_channel();
    LocalEnvironment::new(run_dir.to_owned(), signals).unwrap();
    assert!(!run_dir.join(id.to_string()).exists());
}

/// Timers of a paused runtime fire as soon as it has nothing else to do: a limit of any length would fire before the display is up.
#[tokio::test(start_paused = true)]
async fn a_start_has_no_time_limit_of_the_environments_own() {
    let mut trial = Trial::new();
    let id = trial.start(&["xterm"]).await;
    let signal = trial.heard.recv().await;
    assert_eq!(signal, Some(Signal::Ready(id)));
    tokio::time::resume();
    trial.environment.stop(id).await.unwrap();
    trial.leaves_nothing(id);
}

#[tokio::test]
async fn an_unprivileged_server_does_it_too() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("hold");
    fs::copy(holder(), &program).unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
    // Whoever is not root runs it as it is.
    let own = rustix::process::geteuid().as_raw();
    let (uid, mut command) = if is_root() {
        let mut command = Command::new("setpriv");
        command
            .args(["--reuid", "54321", "--regid", "54321", "--clear-groups"])
            .arg("--bounding-set=-all")
            .arg(program);
        (54321, command)
    } else {
        (own, Command::new(program))
    };
    let (server, id) = hold(&folder.path().join("run"), &mut command);
    let seen = processes(id);
    assert!(!seen.is_empty() && seen.iter().all(|seen| seen.uid == uid), "{seen:?}");
    end(server, id, &folder.path().join("run")).await;
}

/// A container's `/proc` is masked in parts, and then the kernel lets nobody below mount a whole one.
#[tokio::test]
async fn a_host_that_forbids_a_new_proc_is_no_obstacle() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new("unshare");
    let may_mount = Command::new("unshare").args(["--mount", "true"]).status().unwrap();
    if may_mount.success() {
        command.args([
            "--mount",
            "sh",
            "-c",
            "mount -t tmpfs none /proc/tty && exec \"$@\"",
            "sh",
        ]);
    } else {
        // Root in a user namespace of its own may mount; the server in it is who it was outside.
        let (uid, gid) = (rustix::process::geteuid(), rustix::process::getegid());
        let masked = format!(
            "mount -t tmpfs none /proc/tty && exec unshare --map-user={} --map-group={} \"$@\"",
            uid.as_raw(),
            gid.as_raw()
        );
        command.args(["--map-root-user", "--mount", "sh", "-c", &masked, "sh"]);
    }
    command.arg(holder());
    let (server, id) = hold(folder.path(), &mut command);
    until("xterm runs", || processes(id).iter().any(|seen| seen.name == "xterm")).await;
    end(server, id, folder.path()).await;
}
