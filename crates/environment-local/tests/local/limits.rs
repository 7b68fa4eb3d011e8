//! Resource limits: bombs that each hit one limit, beside a neighbour that must still answer.

use std::time::{Duration, Instant};

use environment_local::LocalEnvironment;
use environments::{Environment, Signal};
use session::SessionId;
use tokio::{io::AsyncReadExt, time::timeout};

use crate::kit::{Trial, end_of, is_root, unprivileged};

/// The time limit for the greeting of a display beside a bomb. It takes milliseconds on an idle
/// host.
const GREETING: Duration = Duration::from_secs(10);

/// Starts up to 2,000 sleeping processes, and ends with status 9 if fewer than 520 can run at once.
/// It retries for three seconds.
const FORK_BOMB: &str = "
    my $count = 0;
    for (1..2000) { my $child = fork; last unless defined $child; if (!$child) { sleep 60; exit } $count++ }
    my $until = time + 3;
    while (time < $until) { my $child = fork; if (defined $child && !$child) { sleep 60; exit } }
    exit($count < 520 ? 9 : 11);";

/// Two processes that use up to 4 GiB together.
const MEMORY_BOMB: &str = "
    my ($size, @all) = 16 << 20;
    my $child = fork;
    push @all, 'x' x $size for 1..127;
    sleep 30 if !$child;
    waitpid $child, 0;
    exit(5);";

/// Up to two million empty files. A part of the memory is used first, so that fewer files are
/// needed.
const INODE_BOMB: &str = "
    my $ballast = 'x' x (800 << 20);
    for my $folder ('/tmp', '/dev/shm', $ENV{HOME}) {
        for (1..700_000) { open(my $file, '>', \"$folder/$_\") or last }
    }
    exit(5);";

async fn greets(environment: &LocalEnvironment, id: SessionId) -> Duration {
    let before = Instant::now();
    let greeting = async {
        let mut stream = environment.connect(id).await.unwrap();
        let mut greeting = [0; 12];
        stream.read_exact(&mut greeting).await.unwrap();
        greeting
    };
    let greeting = timeout(GREETING, greeting).await.unwrap();
    assert!(greeting.starts_with(b"RFB "), "{greeting:?}");
    before.elapsed()
}

/// Runs a bomb beside a session that must survive. Returns the reason of its end, and the slowest
/// answer of the neighbour.
async fn beside_a_neighbour(trial: &mut Trial, bomb: &[&str]) -> (String, Duration) {
    let neighbour = trial.running(&["xterm"]).await;
    let id = trial.running(bomb).await;
    let mut slowest = Duration::ZERO;
    let why = loop {
        slowest = slowest.max(greets(&trial.environment, neighbour).await);
        match timeout(Duration::from_millis(20), trial.received.recv()).await {
            Err(_) => {}
            Ok(Some(Signal::Lost(lost, why))) if lost == id => break why,
            Ok(other) => panic!("{other:?}"),
        }
    };
    greets(&trial.environment, neighbour).await;
    trial.environment.stop(neighbour).await.unwrap();
    trial.leaves_nothing(id);
    (why, slowest)
}

/// True if memory is limited on this host. If not, the environment must report that.
fn memory_is_limited(trial: &Trial) -> bool {
    let words = trial.environment.limits().unwrap();
    let limited = words.contains("2 GiB memory");
    assert!(limited || words.contains("memory, "), "{words}");
    limited
}

#[tokio::test]
async fn a_fork_bomb_is_bounded_and_the_session_reports_it() {
    let mut trial = Trial::new();
    let (why, slowest) = beside_a_neighbour(&mut trial, &["perl", "-e", FORK_BOMB]).await;
    println!("the neighbour answered within {slowest:?}");
    let ended = "the application ended with status 9";
    // Only a cgroup counts refused processes.
    let counted = format!("{ended}; it had reached its limit of 512 processes");
    assert!(why == counted || (why == ended && !memory_is_limited(&trial)), "{why}");
}

#[tokio::test]
async fn a_memory_bomb_ends_its_session_with_a_reason() {
    let mut trial = Trial::new();
    if !memory_is_limited(&trial) {
        return;
    }
    let (why, slowest) = beside_a_neighbour(&mut trial, &["perl", "-e", MEMORY_BOMB]).await;
    println!("the neighbour answered within {slowest:?}");
    assert_eq!(why, "Ended: it used more than its 2 GiB of memory.");
}

#[tokio::test]
async fn inodes_are_memory_of_the_session() {
    let mut trial = Trial::new();
    if !memory_is_limited(&trial) {
        return;
    }
    let (why, slowest) = beside_a_neighbour(&mut trial, &["perl", "-e", INODE_BOMB]).await;
    println!("the neighbour answered within {slowest:?}");
    assert_eq!(why, "Ended: it used more than its 2 GiB of memory.");
}

#[tokio::test]
async fn files_are_bounded_by_the_size_of_each_folder() {
    let mut trial = Trial::new();
    // At most 600 MiB in total.
    let script = "
        for folder in /tmp /dev/shm \"$HOME\" \"$XDG_RUNTIME_DIR\"; do
            head -c 400M /dev/zero >\"$folder/file\" 2>/dev/null && exit 11
        done
        exit 7";
    let id = trial.start(&["sh", "-c", script]).await;
    assert_eq!(trial.lost(id).await, "the application ended with status 7");
}

#[tokio::test]
async fn an_unprivileged_server_limits_processes_without_a_cgroup() {
    let folder = tempfile::tempdir().unwrap();
    let reason = end_of(
        &folder.path().join("run"),
        &mut unprivileged(folder.path()),
        &["perl", "-e", FORK_BOMB],
    );
    assert!(reason.contains("the application ended with status 9"), "{reason}");
}

#[tokio::test]
async fn a_start_without_the_required_limits_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = unprivileged(folder.path());
    let reason = end_of(&folder.path().join("run"), server.arg("--require-limits"), &["xterm"]);
    // A user without privileges may make no cgroups, unless a group was delegated to the user of
    // the test. Then the start succeeds.
    let refused = reason.contains("require_limits") && reason.contains("memory");
    assert!(refused || (!is_root() && reason.is_empty()), "{reason}");

    let trial = Trial::with(environment_local::Options {
        require_limits: true,
        ..Default::default()
    });
    let started = trial.environment.start(crate::kit::spec(&["xterm"])).await;
    assert_eq!(started.is_ok(), memory_is_limited(&trial), "{started:?}");
}
