//! Lives of sessions: the conformance suite, and that nothing stays after any kind of end.

use std::{fs, os::unix::fs::PermissionsExt, process::Command, time::Instant};

use environment_local::{LocalEnvironment, Options};
use environments::{Environment, EnvironmentError, Signal};
use tokio::sync::mpsc;

use crate::kit::{
    Trial, end, hold, holder, is_root, processes, spec, unprivileged, unprivileged_uid, until, with_mounts,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_conforms() {
    let folder = tempfile::tempdir().unwrap();
    let made = |signals| LocalEnvironment::new(folder.path().to_owned(), Options::default(), signals).unwrap();
    environment_testing::run(made, &["xterm"]).await;
}

#[tokio::test]
async fn applications_become_ready_and_leave_nothing() {
    let mut trial = Trial::new();
    for program in ["xterm", "galculator", "mousepad"] {
        let before = Instant::now();
        let id = trial.running(&[program]).await;
        let ready = before.elapsed();
        // Ready is reported after the fork of the application, shortly before the process has its
        // own name.
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
async fn each_session_is_another_user_if_the_server_may_choose() {
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
async fn the_environment_variables_of_the_server_are_not_passed_on() {
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
    // Cargo sets these two for each test. They must be absent inside.
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
    // Each line ends the application with its own status if the sandbox has a hole.
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
        // Daemons in process sessions of their own end too.
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
    assert!(trial.received.try_recv().is_err(), "each is lost once");
}

#[tokio::test]
async fn an_application_that_its_user_closes_is_no_failure() {
    let mut trial = Trial::new();
    let id = trial.running(&["sh", "-c", "exit 0"]).await;
    assert_eq!(trial.next_signal().await, Signal::Closed(id));
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
    assert!(trial.received.try_recv().is_err());
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

#[tokio::test]
async fn a_killed_server_leaves_no_process_and_the_next_one_its_folder_clean() {
    let folder = tempfile::tempdir().unwrap();
    let (mut server, id) = hold(folder.path(), &mut Command::new(holder()));
    assert!(processes(id).len() >= 4);
    let (signals, _received) = mpsc::unbounded_channel();
    let refused = LocalEnvironment::new(folder.path().to_owned(), Options::default(), signals.clone()).unwrap_err();
    assert!(refused.to_string().ends_with("another server uses it"), "{refused}");

    server.kill().unwrap();
    server.wait().unwrap();
    until("processes end with the server", || processes(id).is_empty()).await;
    assert!(folder.path().join(id.to_string()).exists());
    let _next = LocalEnvironment::new(folder.path().to_owned(), Options::default(), signals).unwrap();
    assert!(!folder.path().join(id.to_string()).exists());
}

/// The timers of a paused runtime fire as soon as it is idle: any time limit would fire before the
/// display is ready.
#[tokio::test(start_paused = true)]
async fn a_start_has_no_time_limit_of_the_environments_own() {
    let mut trial = Trial::new();
    let id = trial.start(&["xterm"]).await;
    let signal = trial.received.recv().await;
    assert_eq!(signal, Some(Signal::Ready(id)));
    tokio::time::resume();
    trial.environment.stop(id).await.unwrap();
    trial.leaves_nothing(id);
}

#[tokio::test]
async fn an_unprivileged_server_works_too() {
    let folder = tempfile::tempdir().unwrap();
    let (server, id) = hold(&folder.path().join("run"), &mut unprivileged(folder.path()));
    let seen = processes(id);
    let uid = unprivileged_uid();
    assert!(!seen.is_empty() && seen.iter().all(|seen| seen.uid == uid), "{seen:?}");
    end(server, id, &folder.path().join("run")).await;
}

/// A container's `/proc` is masked in parts, and the kernel then forbids to mount a complete one
/// inside.
#[tokio::test]
async fn a_host_that_forbids_a_new_proc_is_no_obstacle() {
    let folder = tempfile::tempdir().unwrap();
    let (server, id) = hold(folder.path(), &mut with_mounts("mount -t tmpfs none /proc/tty"));
    until("xterm runs", || processes(id).iter().any(|seen| seen.name == "xterm")).await;
    end(server, id, folder.path()).await;
}
