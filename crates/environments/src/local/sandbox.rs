//! The command line of a session: who it runs as, what it may use, what it can see. Pure, so that a test can read it.
//!
//! `sh outside.sh` (opens files) → `setpriv` (no privileges; dies with the server) → `prlimit` (limits) → `bwrap` (own namespaces, own root)
//! → `sh inside.sh` (display, window manager, application). Each but the last becomes the next by exec, so the process
//! that was spawned is the outer bwrap in the end. setpriv comes before bwrap, for bwrap run by root keeps capabilities.

use std::{
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
};

use session::SessionId;

use super::{
    limits::PER_SESSION,
    programs::{self, APPLICATION_PATH},
    syscalls::{FILES, UserNamespaces},
};
use crate::EnvironmentError;

/// What the first program inside runs for a session.
pub(super) const INSIDE: &str = include_str!("inside.sh");
const OUTSIDE: &str = include_str!("outside.sh");

/// Goes on only if the server still lives: from setpriv on, its death is a signal, but one that came before would
/// never be noticed.
const ALIVE: &str = r#"[ "$PPID" = "$1" ] || exit 125; shift; exec "$@""#;

/// The variable that tells whose a process is. It stands in bwrap's command line, where `leftovers` finds it.
pub(super) const MARK: &str = "CLOUD_DELIVERY_SESSION";

/// The descriptor of the first filter of system calls in `outside.sh`; the others follow.
const FIRST_FILTER: u32 = 7;

/// User and group inside, whatever they are outside.
const INNER_ID: &str = "1000";
const HOME: &str = "/home/user";
const MIB: u64 = 1 << 20;

/// The user database inside: one user, so that shells have a name and a home to show.
pub(super) const PASSWD: &str = "user:x:1000:1000:User:/home/user:/bin/bash\n";
/// The groups inside.
pub(super) const GROUP: &str = "user:x:1000:\n";

/// Parts of `/etc` that libraries need and that hold no secret. Not all of it: it names the host's people.
const ETC: [&str; 10] = [
    "alternatives",
    "fonts",
    "X11",
    "gtk-2.0",
    "gtk-3.0",
    "xdg",
    "matchbox",
    "ld.so.cache",
    "localtime",
    "mime.types",
];

/// What there is at the root of this host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Host {
    sh: PathBuf,
    setpriv: PathBuf,
    prlimit: PathBuf,
    bwrap: PathBuf,
    /// `/bin`, `/lib` and so on: links into `/usr` on a merged host (the target is here), else folders.
    roots: Vec<(&'static str, Option<PathBuf>)>,
}

impl Host {
    /// Looks at this host.
    pub fn look() -> Result<Self, EnvironmentError> {
        if let Some(program) = programs::missing().into_iter().next() {
            return Err(program.into());
        }
        let mut roots = Vec::new();
        for name in ["/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"] {
            match fs::read_link(name) {
                Ok(target) => roots.push((name, Some(target))),
                Err(error) if error.kind() == io::ErrorKind::InvalidInput => roots.push((name, None)),
                Err(_) => {}
            }
        }
        Ok(Self {
            sh: programs::tool("sh")?,
            setpriv: programs::tool("setpriv")?,
            prlimit: programs::tool("prlimit")?,
            bwrap: programs::tool("bwrap")?,
            roots,
        })
    }
}

/// How `/proc` comes into the sandbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Proc {
    /// The sandbox's own.
    Own,
    /// None at all: many containers forbid a new one, and the host's would show everybody's processes.
    Empty,
}

/// What stops further user namespaces inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NamespaceLimit {
    /// The kernel's own limit, and the filter of system calls.
    KernelAndFilter,
    /// The filter alone: where `/proc/sys` is read-only, as in many containers, bwrap can't set the kernel's limit.
    Filter,
}

/// What limits the processes of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ProcessLimit {
    /// Its cgroup, which also counts the refused. A limit of the user as well would be reached first and count none.
    Cgroup,
    /// A limit of its user, which is its own.
    User,
    /// A limit of its user, set inside: since Linux 5.14 the kernel counts a user's processes in each namespace for itself.
    Namespace,
    /// Nothing: older kernels count the processes of all sessions of a user together.
    None,
}

/// One session's sandbox.
#[derive(Debug)]
pub(super) struct Sandbox<'a> {
    pub host: &'a Host,
    pub proc: Proc,
    pub session: SessionId,
    /// A user id of its own outside, where the server may give one.
    pub uid: Option<u32>,
    /// Folder with the files that `outside.sh` opens.
    pub folder: &'a Path,
    /// Files to write a process id to, so that it joins the session's cgroups.
    pub cgroups: &'a [PathBuf],
    pub processes: ProcessLimit,
    /// May the application make user namespaces of its own?
    pub namespaces: UserNamespaces,
    pub namespace_limit: NamespaceLimit,
}

impl Sandbox<'_> {
    /// Program and arguments that run `script` with `arguments` inside.
    pub fn command_line(&self, script: &str, arguments: &[String]) -> Vec<OsString> {
        let mut line = Line(Vec::new());
        line.add([
            self.host.sh.as_os_str(),
            "-c".as_ref(),
            OUTSIDE.as_ref(),
            "outside".as_ref(),
        ]);
        line.add([self.folder.as_os_str(), self.cgroups.len().to_string().as_ref()]);
        line.add(self.cgroups);
        self.privileges(&mut line);
        self.limits(&mut line);
        self.namespaces(&mut line);
        self.files(&mut line);
        self.variables(&mut line);
        line.add(["--"]);
        if self.processes == ProcessLimit::Namespace {
            line.add([self.host.prlimit.as_os_str(), process_limit().as_ref()]);
        }
        line.add(["/bin/sh", "-c", script, "inside"]);
        line.add(arguments);
        line.0
    }

    fn privileges(&self, line: &mut Line) {
        line.add([&self.host.setpriv]);
        if let Some(uid) = self.uid {
            let uid = uid.to_string();
            line.add([
                "--reuid",
                &uid,
                "--regid",
                &uid,
                "--clear-groups",
                "--bounding-set=-all",
            ]);
        }
        line.add(["--inh-caps=-all", "--no-new-privs", "--pdeathsig", "KILL"]);
        line.add([
            self.host.sh.as_os_str(),
            "-c".as_ref(),
            ALIVE.as_ref(),
            "alive".as_ref(),
        ]);
        line.add([std::process::id().to_string()]);
    }

    fn limits(&self, line: &mut Line) {
        line.add([&self.host.prlimit]);
        // Of each process alone: the cgroup limits the session. Data rather than address space, for browsers and Java
        // reserve far more than they use.
        let data = PER_SESSION.memory;
        line.add([format!("--data={data}"), "--core=0".into(), "--nofile=4096".into()]);
        if self.processes == ProcessLimit::User {
            line.add([process_limit()]);
        }
    }

    fn namespaces(&self, line: &mut Line) {
        line.add([&self.host.bwrap]);
        line.add([
            "--unshare-user",
            "--unshare-pid",
            "--unshare-ipc",
            "--unshare-uts",
            "--unshare-net",
        ]);
        // As pid 1, so that the kernel ends all the rest when inside.sh ends, even if nobody is left to tell.
        line.add([
            "--unshare-cgroup-try",
            "--die-with-parent",
            "--as-pid-1",
            "--new-session",
            "--cap-drop",
            "ALL",
        ]);
        line.add([
            "--uid",
            INNER_ID,
            "--gid",
            INNER_ID,
            "--hostname",
            "session",
            "--json-status-fd",
            "3",
        ]);
        if (self.namespaces, self.namespace_limit) == (UserNamespaces::Denied, NamespaceLimit::KernelAndFilter) {
            line.add(["--disable-userns"]);
        }
        for (descriptor, _) in (FIRST_FILTER..).zip(FILES) {
            line.add(["--add-seccomp-fd", &descriptor.to_string()]);
        }
    }

    fn files(&self, line: &mut Line) {
        line.add(["--ro-bind", "/usr", "/usr"]);
        for (name, target) in &self.host.roots {
            match target {
                Some(target) => line.add(["--symlink".as_ref(), target.as_os_str(), name.as_ref()]),
                None => line.add(["--ro-bind", name, name]),
            }
        }
        for name in ETC
            .map(|name| format!("/etc/{name}"))
            .iter()
            .map(String::as_str)
            .chain(["/var/cache/fontconfig"])
        {
            line.add(["--ro-bind-try", name, name]);
        }
        line.add(match self.proc {
            Proc::Own => ["--proc", "/proc"],
            Proc::Empty => ["--dir", "/proc"],
        });
        line.add(["--dev", "/dev"]);
        // A tmpfs without a size may take half of the host's memory: each has one, and the rest is read-only. How many files
        // they hold bwrap can't limit: their inodes are memory of the session's cgroup, so its limit is theirs.
        line.tmpfs("/dev/shm", "1777", 64 * MIB);
        line.tmpfs("/tmp", "1777", 256 * MIB);
        line.tmpfs(HOME, "0700", 256 * MIB);
        line.tmpfs("/run/user/1000", "0700", 16 * MIB);
        line.add(["--ro-bind-data", "4", "/etc/Xauthority"]);
        line.add([
            "--ro-bind-data",
            "5",
            "/etc/passwd",
            "--ro-bind-data",
            "6",
            "/etc/group",
        ]);
        line.add(["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", HOME]);
    }

    fn variables(&self, line: &mut Line) {
        line.add(["--clearenv"]);
        let session = self.session.to_string();
        for (name, value) in [
            (MARK, session.as_str()),
            ("PATH", APPLICATION_PATH),
            ("HOME", HOME),
            ("USER", "user"),
            ("LOGNAME", "user"),
            ("SHELL", "/bin/bash"),
            ("LANG", "C.UTF-8"),
            ("DISPLAY", ":1"),
            ("XAUTHORITY", "/etc/Xauthority"),
            ("XDG_RUNTIME_DIR", "/run/user/1000"),
            // There is no message bus inside: don't look for one, don't start one, keep settings in memory.
            ("DBUS_SESSION_BUS_ADDRESS", "disabled:"),
            ("NO_AT_BRIDGE", "1"),
            ("GSETTINGS_BACKEND", "memory"),
            ("GIO_USE_VFS", "local"),
        ] {
            line.add(["--setenv", name, value]);
        }
    }
}

fn process_limit() -> String {
    format!("--nproc={}", PER_SESSION.processes)
}

struct Line(Vec<OsString>);

impl Line {
    fn add<T: Into<OsString>>(&mut self, words: impl IntoIterator<Item = T>) {
        self.0.extend(words.into_iter().map(Into::into));
    }

    fn tmpfs(&mut self, at: &str, mode: &str, size: u64) {
        self.add(["--perms", mode, "--size", &size.to_string(), "--tmpfs", at]);
    }
}

#[cfg(test)]
#[path = "sandbox_tests.rs"]
mod tests;
