//! The program's notifications to systemd: ready, alive, stopping.
#![expect(clippy::unwrap_used, reason = "a program that can’t be started is a failed test")]

use std::{
    os::unix::net::UnixDatagram,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// Timeout of each step, long enough for a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Starts the program with its own data directory and a socket in place of systemd's.
fn start(folder: &Path, watchdog: &str) -> (Child, UnixDatagram) {
    let site = folder.join("site");
    std::fs::create_dir_all(site.join("pkg")).unwrap();
    std::fs::write(site.join("hash.txt"), "js: a\nwasm: b\ncss: c\n").unwrap();
    let socket = UnixDatagram::bind(folder.join("notify")).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    // A low soft limit of open files, like in a shell.
    let child = Command::new("prlimit")
        .args(["--nofile=512:4096", env!("CARGO_BIN_EXE_cloud-delivery")])
        .current_dir(folder)
        // The environment of the tests may contain settings.
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin")
        .env("CLOUD_DELIVERY_ADDR", "127.0.0.1:0")
        .env("CLOUD_DELIVERY_DATA_DIR", folder.join("data"))
        .env("CLOUD_DELIVERY_SITE_DIR", site)
        .env("NOTIFY_SOCKET", folder.join("notify"))
        .env("WATCHDOG_USEC", watchdog)
        .stdout(Stdio::null())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    (child, socket)
}

fn notification(socket: &UnixDatagram) -> String {
    let mut buffer = [0; 256];
    let length = socket.recv(&mut buffer).unwrap();
    String::from_utf8_lossy(&buffer[..length]).trim().to_owned()
}

fn terminate(child: &Child) {
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
}

#[test]
fn systemd_is_notified_ready_alive_and_stopping_and_the_program_ends_with_0() {
    let folder = tempfile::tempdir().unwrap();
    let (mut child, socket) = start(folder.path(), "300000");
    assert_eq!(notification(&socket), "READY=1");
    for _ in 0..3 {
        assert_eq!(notification(&socket), "WATCHDOG=1");
    }
    terminate(&child);
    let began = Instant::now();
    while notification(&socket) != "STOPPING=1" {}
    assert!(child.wait().unwrap().success());
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}

#[test]
fn as_many_tabs_can_be_open_as_the_machine_lets_it() {
    let folder = tempfile::tempdir().unwrap();
    let (mut child, socket) = start(folder.path(), "0");
    assert_eq!(notification(&socket), "READY=1");
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", child.id())).unwrap();
    terminate(&child);
    child.wait().unwrap();
    let files = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))
        .unwrap();
    let [now, most, ..] = files.split_whitespace().collect::<Vec<_>>()[..] else {
        panic!("{files}")
    };
    assert_eq!((now, most), ("4096", "4096"));
}
