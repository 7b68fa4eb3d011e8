//! The layouts of hosts, as folders. Unlike cgroups, folders with files can't be removed, so the
//! trial groups stay and can be read.

use session::SessionId;
use uuid::Uuid;

use super::{super::limits::PER_SESSION, tree::SESSIONS, *};

const MACHINE: Machine = Machine {
    memory: 8 << 30,
    processes: 4000,
    cpus: 3,
};

/// A fake `/`.
struct Host(tempfile::TempDir);

impl Host {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    fn write(&self, file: &str, text: &str) {
        let file = self.path(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    fn read(&self, file: &str) -> String {
        fs::read_to_string(self.path(file)).unwrap_or_else(|error| format!("{file}: {error}"))
    }

    /// A group of v2 with these controllers.
    fn group(&self, path: &str, controllers: &str, subtree: &str) {
        self.write(&format!("{path}/cgroup.controllers"), controllers);
        self.write(&format!("{path}/cgroup.subtree_control"), subtree);
        self.write(&format!("{path}/cgroup.procs"), "");
    }

    fn open(&self, cgroup: &str, mountinfo: &str) -> Cgroups {
        Cgroups::from_host(cgroup, mountinfo, self.0.path(), PER_SESSION, MACHINE)
    }
}

const V2: &str = "29 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
const UNIT: &str = "sys/fs/cgroup/system.slice/cloud-delivery.service";

fn limits(cgroups: &Cgroups) -> Vec<Limit> {
    cgroups.limits().collect()
}

fn session() -> SessionId {
    SessionId(Uuid::from_u128(7))
}

#[test]
fn a_unit_whose_server_starts_in_a_group_of_its_own() {
    let host = Host::new();
    host.group(UNIT, "cpuset cpu io memory pids", "");
    host.group(&format!("{UNIT}/server"), "", "");
    host.write(&format!("{UNIT}/cgroup.type"), "domain\n");
    host.write(&format!("{UNIT}/memory.max"), "max\n");
    let cgroups = host.open("0::/system.slice/cloud-delivery.service/server\n", V2);
    assert_eq!(
        limits(&cgroups),
        [Limit::Memory, Limit::Swap, Limit::Processes, Limit::Cpu]
    );
    assert_eq!(
        host.read(&format!("{UNIT}/cgroup.subtree_control")),
        "+memory +pids +cpu"
    );
    assert_eq!(host.read(&format!("{UNIT}/server/cpu.weight")), "1000");
    let sessions = format!("{UNIT}/{SESSIONS}");
    assert_eq!(
        host.read(&format!("{sessions}/cgroup.subtree_control")),
        "+memory +pids +cpu"
    );
    assert_eq!(host.read(&format!("{sessions}/memory.max")), (7_u64 << 30).to_string());
    assert_eq!(host.read(&format!("{sessions}/pids.max")), "3000");

    let joined = cgroups.make(session()).unwrap();
    let group = format!("{sessions}/{}", session());
    assert_eq!(joined, [host.path(&group).join("cgroup.procs")]);
    for (file, value) in [
        ("memory.max", "2147483648"),
        ("memory.swap.max", "0"),
        ("memory.oom.group", "1"),
        ("pids.max", "512"),
        ("cpu.weight", "100"),
    ] {
        assert_eq!(host.read(&format!("{group}/{file}")), value, "{file}");
    }
    assert_eq!(
        host.read(&format!("{UNIT}/server/cgroup.procs")),
        "",
        "the server stays where it is"
    );
}

#[test]
fn a_unit_of_an_older_systemd_whose_server_moves_into_a_group_of_its_own() {
    let host = Host::new();
    host.group(UNIT, "cpu memory pids", "");
    host.write(&format!("{UNIT}/cgroup.type"), "domain\n");
    host.write(&format!("{UNIT}/memory.max"), (4_u64 << 30).to_string().as_str());
    let cgroups = host.open("0::/system.slice/cloud-delivery.service\n", V2);
    assert_eq!(limits(&cgroups).len(), 4);
    assert_eq!(
        host.read(&format!("{UNIT}/server/cgroup.procs")),
        std::process::id().to_string()
    );
    assert_eq!(
        host.read(&format!("{UNIT}/{SESSIONS}/memory.max")),
        (7_u64 << 29).to_string(),
        "the unit has less memory than the machine"
    );
}

#[test]
fn a_container_that_may_not_change_its_groups() {
    let host = Host::new();
    host.group("sys/fs/cgroup", "cpu memory pids", "");
    host.write("sys/fs/cgroup/cgroup.type", "domain\n");
    // Root may write anywhere, so a file blocks the way here.
    host.write("sys/fs/cgroup/server", "");
    host.write(&format!("sys/fs/cgroup/{SESSIONS}"), "");
    let cgroups = host.open("0::/\n", "29 23 0:26 /docker/x /sys/fs/cgroup ro - cgroup2 cgroup ro\n");
    assert_eq!(limits(&cgroups), []);
    assert_eq!(cgroups.make(session()).unwrap(), Vec::<PathBuf>::new());
    assert_eq!(cgroups.hits(session()), Hits::default());
    cgroups.remove(session());
    assert_eq!(host.read("sys/fs/cgroup/cgroup.subtree_control"), "");
}

#[test]
fn a_server_in_a_shared_group_goes_to_the_root() {
    let host = Host::new();
    host.group("sys/fs/cgroup", "cpu memory pids", "cpu memory pids");
    // The scope of a login has no controllers.
    host.group("sys/fs/cgroup/user.slice/session-1.scope", "", "");
    let cgroups = host.open("0::/user.slice/session-1.scope\n", V2);
    assert_eq!(limits(&cgroups).len(), 4);
    assert!(host.path("sys/fs/cgroup").join(SESSIONS).exists());
    assert!(!host.path("sys/fs/cgroup/server").exists());
}

#[test]
fn each_controller_of_v1_where_it_is_mounted() {
    let host = Host::new();
    for group in ["memory/a", "pids", "cpu,cpuacct/b"] {
        host.write(&format!("sys/fs/cgroup/{group}/tasks"), "");
    }
    let mountinfo = "1 0 0:1 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n\
        2 0 0:2 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n\
        3 0 0:3 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n";
    let cgroups = host.open("9:memory:/a\n8:pids:/\n3:cpu,cpuacct:/b\n", mountinfo);
    assert_eq!(
        limits(&cgroups),
        [Limit::Memory, Limit::Swap, Limit::Processes, Limit::Cpu]
    );
    let joined = cgroups.make(session()).unwrap();
    let place = |group: &str| format!("sys/fs/cgroup/{group}/{SESSIONS}/{}", session());
    let expected = ["memory/a", "pids", "cpu,cpuacct/b"].map(|group| host.path(&place(group)).join("cgroup.procs"));
    assert_eq!(joined, expected);
    for (group, file, value) in [
        ("memory/a", "memory.limit_in_bytes", "2147483648"),
        ("memory/a", "memory.memsw.limit_in_bytes", "2147483648"),
        ("pids", "pids.max", "512"),
        ("cpu,cpuacct/b", "cpu.shares", "1024"),
    ] {
        assert_eq!(host.read(&format!("{}/{file}", place(group))), value, "{file}");
    }
    let all = host.read(&format!("sys/fs/cgroup/cpu,cpuacct/b/{SESSIONS}/cpu.shares"));
    assert_eq!(all, (3 * 1024).to_string(), "of all sessions together");

    host.write(
        &format!("{}/memory.oom_control", place("memory/a")),
        "under_oom 0\noom_kill 2\n",
    );
    host.write(
        &format!("{}/memory.max_usage_in_bytes", place("memory/a")),
        "2147483000\n",
    );
    host.write(&format!("{}/pids.events", place("pids")), "max 3\n");
    let hits = Hits {
        oom_kills: 2,
        memory: 1,
        processes: 3,
    };
    assert_eq!(cgroups.hits(session()), hits);
    host.write(
        &format!("{}/memory.max_usage_in_bytes", place("memory/a")),
        "1000000000\n",
    );
    let elsewhere = Hits { memory: 0, ..hits };
    assert_eq!(
        cgroups.hits(session()),
        elsewhere,
        "the host was out of memory, not the session"
    );
}

#[test]
fn a_hybrid_host_takes_from_v1_what_v2_does_not_have() {
    let host = Host::new();
    host.group("sys/fs/cgroup/unified", "pids", "pids");
    host.write("sys/fs/cgroup/memory/tasks", "");
    host.write("sys/fs/cgroup/pids/tasks", "");
    let mountinfo = "1 0 0:1 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n\
        2 0 0:2 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n\
        3 0 0:3 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";
    let cgroups = host.open("2:pids:/\n1:memory:/\n0::/\n", mountinfo);
    assert_eq!(limits(&cgroups), [Limit::Processes, Limit::Memory, Limit::Swap]);
    let joined = cgroups.make(session()).unwrap();
    let expected = ["unified", "memory"]
        .map(|group| host.path(&format!("sys/fs/cgroup/{group}/{SESSIONS}/{}/cgroup.procs", session())));
    assert_eq!(joined, expected);

    let events = format!("sys/fs/cgroup/unified/{SESSIONS}/{}/pids.events", session());
    host.write(&events, "max 0\n");
    assert_eq!(cgroups.hits(session()), Hits::default());
}

#[test]
fn the_events_of_v2_are_read_by_their_whole_name() {
    let host = Host::new();
    host.group("sys/fs/cgroup", "memory", "memory");
    let cgroups = host.open("0::/\n", V2);
    cgroups.make(session()).unwrap();
    let file = format!("sys/fs/cgroup/{SESSIONS}/{}/memory.events", session());
    host.write(&file, "low 0\nhigh 9\nmax 8\noom 1\noom_kill 4\noom_group_kill 1\n");
    let hits = Hits {
        oom_kills: 4,
        memory: 1,
        processes: 0,
    };
    assert_eq!(cgroups.hits(session()), hits);
}
