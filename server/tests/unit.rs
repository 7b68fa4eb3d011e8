//! The systemd unit: it matches the server's behaviour and permits everything that a sandbox needs.

use std::{fs, io::ErrorKind, process::Command};

const UNIT: &str = include_str!("../../packaging/cloud-delivery.service");

/// Directives that would prevent sandboxes from starting, or applications from running in them.
const FORBIDDEN: [&str; 13] = [
    "RestrictNamespaces",
    "PrivateUsers",
    // bubblewrap sets the hostname in each sandbox's UTS namespace, and exits if it may not.
    "ProtectHostname",
    // A sandbox can't mount a new /proc if parts of the host's /proc are hidden.
    "ProtectKernelTunables",
    "ProtectKernelLogs",
    "ProtectProc",
    "ProcSubset",
    "MemoryDenyWriteExecute",
    "SystemCallFilter",
    "NoExecPaths",
    "InaccessiblePaths",
    "DynamicUser",
    // The server creates the cgroups of sessions.
    "ProtectControlGroups",
];

fn value(key: &str) -> Option<&'static str> {
    let mut lines = UNIT.lines().filter_map(|line| line.split_once('='));
    lines.find(|(name, _)| *name == key).map(|(_, value)| value)
}

#[test]
fn it_is_notified_when_the_server_is_ready_and_waits_for_its_way_down() {
    for (key, expected) in [
        ("Type", "notify"),
        ("NotifyAccess", "main"),
        ("Restart", "on-failure"),
        ("StateDirectory", "cloud-delivery"),
        ("NoNewPrivileges", "yes"),
        ("ProtectSystem", "strict"),
    ] {
        assert_eq!(value(key), Some(expected), "{key}");
    }
    let seconds = |key: &str| value(key).unwrap().parse::<u64>().unwrap();
    assert!(seconds("TimeoutStopSec") > 10, "the shutdown takes up to 10 s");
    assert!(seconds("WatchdogSec") >= 10);
    assert!(seconds("LimitNOFILE") >= 65536);
}

#[test]
fn it_lets_the_server_limit_sessions_and_give_each_a_user() {
    assert_eq!(value("Delegate"), Some("cpu memory pids"));
    // crates/environment-local/src/cgroups/tree.rs expects this name.
    assert_eq!(value("DelegateSubgroup"), Some("server"));
    assert_eq!(value("OOMPolicy"), Some("continue"));
    let capabilities = Some("CAP_SETUID CAP_SETGID CAP_SETPCAP CAP_KILL CAP_CHOWN");
    assert_eq!(value("AmbientCapabilities"), capabilities);
    assert_eq!(value("CapabilityBoundingSet"), capabilities);
    // Sessions reach kept homes by their path.
    assert_eq!(value("StateDirectoryMode"), Some("0711"));
}

#[test]
fn it_forbids_nothing_that_a_sandbox_needs() {
    for key in FORBIDDEN {
        assert_eq!(value(key), None, "{key}");
    }
}

#[test]
fn systemd_understands_every_line_of_it() {
    // systemd-analyze requires that the program exists, so replace its path.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cloud-delivery.service");
    let exec = format!("ExecStart={}", value("ExecStart").unwrap());
    fs::write(&file, UNIT.replace(&exec, "ExecStart=/bin/true")).unwrap();
    let verified = Command::new("systemd-analyze").arg("verify").arg(&file).output();
    match verified {
        Ok(output) => {
            // The output also covers the machine's other units.
            let said = String::from_utf8_lossy(&output.stderr);
            let of_ours: Vec<_> = said
                .lines()
                .filter(|line| line.contains("cloud-delivery"))
                // systemd before 254 lacks it. There the server creates that group by itself.
                .filter(|line| !(line.contains("Unknown key") && line.contains("'DelegateSubgroup'")))
                .collect();
            assert!(of_ours.is_empty(), "{of_ours:?}");
        }
        // A machine without systemd, such as most containers, can't check the unit.
        Err(error) => assert_eq!(error.kind(), ErrorKind::NotFound, "{error}"),
    }
}
