//! What a session may use: bombs that each have a limit of their own, and a neighbour that must still answer.

use std::time::{Duration, Instant};

use environment_local::LocalEnvironment;
use environments::{Environment, Signal};
use session::SessionId;
use tokio::{io::AsyncReadExt, time::timeout};

use crate::kit::{Trial, end_of, is_root, unprivileged};

/// How long a display may take to greet while its neighbour misbehaves. It takes milliseconds on a host that is not loaded.
const GREETING: Duration = Duration::from_secs(10);

/// Starts up to 2,000 processes that sleep, and ends with status 9 if fewer than 520 could run at once. Three seconds long
/// it tries to start more.
const FORK_BOMB: &str = "
    my $count = 0;
    for (1..2000) { my $child = fork; last unless defined $child; if (!$child) { sleep 60; exit } $count++ }
    my $until = time + 3;
    while (time < $until) { my $child = fork; if (defined $child && !$child) { sleep 60; exit } }
    exit($count < 520 ? 9 : 11);";

/// At most 4 GiB, of which each process of two takes a half.
const MEMORY_BOMB: &str = "
    my ($size, @all) = 16 << 20;
    my $child = fork;
    push @all, 'x' x $size for 1..127;
    sleep 30 if !$child;
    waitpid $child, 0;
    exit(5);";

/// Up to two million empty files: a part of the memory is used first, so that fewer are needed.
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

/// Runs a bomb beside a session that must go on. Returns the reason of its end, and the slowest answer of its neighbour.
async fn beside_a_neighbour(trial: &mut Trial, bomb: &[&str]) -> (String, Duration) {
    let neighbour = trial.running(&["xterm"]).await;
    let id = trial.running(bomb).await;
    let mut slowest = Duration::ZERO;
    let why = loop {
        slowest = slowest.max(greets(&trial.environment, neighbour).await);
        match timeout(Duration::from_millis(20), trial.heard.recv()).await {
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

/// Is memory limited here? Where it is not, the environment must say so.
fn memory_is_limited(trial: &Trial) -> bool {
    let words = trial.environment.limits().unwrap();
    let limited = words.contains("2 GiB memory");
    assert!(limited || words.contains("memory, "), "{words}");
    limited
}

#[tokio::test]
async fn a_fork_bomb_is_bounded_and_the_session_says_so() {
    let mut trial = Trial::new();
    let (why, slowest) = beside_a_neighbour(&mut trial, &["perl", "-e", FORK_BOMB]).await;
    println!("the neighbour answered within {slowest:?}");
    let ended = "the application ended with status 9";
    // Only a cgroup counts what it refused.
    let counted = format!("{ended}; it had reached its limit of 512 processes");
    assert!(why == counted || (why == ended && !memory_is_limited(&trial)), "{why}");
}

#[tokio::test]
async fn a_memory_bomb_ends_with_its_session_which_says_so() {
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
    // At most 600 MiB in all.
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
    let told = end_of(
        &folder.path().join("run"),
        &mut unprivileged(folder.path()),
        &["perl", "-e", FORK_BOMB],
    );
    assert!(told.contains("the application ended with status 9"), "{told}");
}

#[tokio::test]
async fn limits_that_are_required_and_not_there_refuse_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = unprivileged(folder.path());
    let told = end_of(&folder.path().join("run"), server.arg("--require-limits"), &["xterm"]);
    // A user without privileges may make no cgroups, unless the one who runs the test was given one: then it is accepted.
    let refused = told.contains("require_limits") && told.contains("memory");
    assert!(refused || (!is_root() && told.is_empty()), "{told}");

    let trial = Trial::with(environment_local::Options { require_limits: true });
    let started = trial.environment.start(crate::kit::spec(&["xterm"])).await;
    assert_eq!(started.is_ok(), memory_is_limited(&trial), "{started:?}");
}
