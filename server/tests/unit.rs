//! The systemd unit: it keeps the server's promises, and forbids nothing that a sandbox needs.

use std::{fs, io::ErrorKind, process::Command};

const UNIT: &str = include_str!("../../packaging/cloud-delivery.service");

/// What would keep sandboxes from starting, or applications from running in them.
const FORBIDDEN: [&str; 13] = [
    "RestrictNamespaces",
    "PrivateUsers",
    // bubblewrap gives the UTS namespace of each sandbox a name, and ends where it may not.
    "ProtectHostname",
    // A /proc of which a part is hidden can't be mounted anew.
    "ProtectKernelTunables",
    "ProtectKernelLogs",
    "ProtectProc",
    "ProcSubset",
    "MemoryDenyWriteExecute",
    "SystemCallFilter",
    "NoExecPaths",
    "InaccessiblePaths",
    "DynamicUser",
    // The server makes the cgroups of sessions.
    "ProtectControlGroups",
];

fn value(key: &str) -> Option<&'static str> {
    let mut lines = UNIT.lines().filter_map(|line| line.split_once('='));
    lines.find(|(name, _)| *name == key).map(|(_, value)| value)
}

#[test]
fn it_is_told_when_the_server_is_ready_and_waits_for_its_way_down() {
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
    assert!(seconds("TimeoutStopSec") > 10, "the way down takes up to 10 s");
    assert!(seconds("WatchdogSec") >= 10);
    assert!(seconds("LimitNOFILE") >= 65536);
}

#[test]
fn it_lets_the_server_limit_sessions_and_give_each_a_user() {
    assert_eq!(value("Delegate"), Some("cpu memory pids"));
    // The name that the server looks for: crates/environment-local/src/cgroups/tree.rs.
    assert_eq!(value("DelegateSubgroup"), Some("server"));
    assert_eq!(value("OOMPolicy"), Some("continue"));
    let capabilities = Some("CAP_SETUID CAP_SETGID CAP_SETPCAP CAP_KILL");
    assert_eq!(value("AmbientCapabilities"), capabilities);
    assert_eq!(value("CapabilityBoundingSet"), capabilities);
}

#[test]
fn it_forbids_nothing_that_a_sandbox_needs() {
    for key in FORBIDDEN {
        assert_eq!(value(key), None, "{key}");
    }
}

#[test]
fn systemd_understands_every_line_of_it() {
    // It wants the program to be there, so one stands in for it.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cloud-delivery.service");
    let exec = format!("ExecStart={}", value("ExecStart").unwrap());
    fs::write(&file, UNIT.replace(&exec, "ExecStart=/bin/true")).unwrap();
    let verified = Command::new("systemd-analyze").arg("verify").arg(&file).output();
    match verified {
        Ok(output) => {
            // It also speaks of the machine's other units.
            let said = String::from_utf8_lossy(&output.stderr);
            let of_ours: Vec<_> = said
                .lines()
                .filter(|line| line.contains("cloud-delivery"))
                // Older than 254: then the server makes that group by itself.
                .filter(|line| !(line.contains("Unknown key") && line.contains("'DelegateSubgroup'")))
                .collect();
            assert!(of_ours.is_empty(), "{of_ours:?}");
        }
        // A machine without systemd, as most containers: there is nobody to ask.
        Err(error) => assert_eq!(error.kind(), ErrorKind::NotFound, "{error}"),
    }
}
