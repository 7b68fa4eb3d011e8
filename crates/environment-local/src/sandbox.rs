//! The command line of a session: its user, its limits, and the files that it can see. Pure, so
//! that a test can read it.
//!
//! `bash outside.sh` (opens files) → perhaps `unshare` (mounts the home) → `setpriv` (no privileges; dies with the server) → `prlimit`
//! (limits) → `bwrap` (own namespaces, own root) → `sh inside.sh` (display, window manager,
//! application). Each except the last becomes the next by exec, so the spawned process finally is
//! the outer bwrap. setpriv comes before bwrap, because a bwrap that root runs keeps capabilities.

use std::{
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
};

use environments::EnvironmentError;
use session::SessionId;

use crate::{
    limits::PER_SESSION,
    locales::Locale,
    programs::{self, APPLICATION_PATH, PRINTER},
    syscalls::{FILES, UserNamespaces},
};

/// The script of the first program inside.
pub(crate) const INSIDE: &str = concat!(include_str!("printing.sh"), include_str!("inside.sh"));
/// The keyboard map of the display, which `scripts/keymap` writes.
const KEYMAP: &str = include_str!("keymap.xkb");
const OUTSIDE: &str = include_str!("outside.sh");

/// Mounts a kept home where its user can reach it by name, for this session only: the folders above
/// may be closed to everybody else. The sandbox has a `/tmp` of its own.
const MOUNT: &str = r#""$1" --no-mtab --bind "$2" /tmp || exit 125; shift 2; exec "$@""#;
/// The place of that mount.
const MOUNTED: &str = "/tmp";

/// Continues only if the server still lives: from setpriv on, the death of the server is a signal.
const ALIVE: &str = r#"[ "$PPID" = "$1" ] || exit 125; shift; exec "$@""#;

/// The variable with the session of a process. `leftovers` finds it in bwrap's command line.
pub(crate) const MARK: &str = "CLOUD_DELIVERY_SESSION";

/// The descriptor of the first filter of system calls in `outside.sh`; the others follow.
const FIRST_FILTER: u32 = 7;

/// The user and group id inside, independent of those outside.
const INNER_ID: &str = "1000";
/// The home inside.
pub(crate) const HOME: &str = "/home/user";
const MIB: u64 = 1 << 20;

/// The user database inside: one user, with a name and a home for shells.
pub(crate) const PASSWD: &str = "user:x:1000:1000:User:/home/user:/bin/bash\n";
/// The groups inside.
pub(crate) const GROUP: &str = "user:x:1000:\n";

/// The parts of `/etc` that libraries need and that contain no secret. Not all of it, because it
/// names the host's users.
const ETC: [&str; 11] = [
    "alsa",
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

/// The root folder of this host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Host {
    bash: PathBuf,
    sh: PathBuf,
    setpriv: PathBuf,
    prlimit: PathBuf,
    bwrap: PathBuf,
    /// `unshare` and `mount`, if they are installed.
    mounting: Option<(PathBuf, PathBuf)>,
    /// `/bin`, `/lib` and so on: links into `/usr` on a merged host, with their target; otherwise
    /// folders.
    roots: Vec<(&'static str, Option<PathBuf>)>,
    /// True if this host has the programs of a printer.
    printing: bool,
}

impl Host {
    /// Reads this host.
    pub fn read() -> Result<Self, EnvironmentError> {
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
            bash: programs::tool("bash")?,
            sh: programs::tool("sh")?,
            setpriv: programs::tool("setpriv")?,
            prlimit: programs::tool("prlimit")?,
            bwrap: programs::tool("bwrap")?,
            mounting: programs::tool("unshare").ok().zip(programs::tool("mount").ok()),
            roots,
            printing: programs::can_print(),
        })
    }

    /// True if this host has the programs for a private mount.
    pub fn can_mount(&self) -> bool {
        self.mounting.is_some()
    }
}

/// The way of a kept home into the sandbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HomeMount {
    /// A private mount by the server, before it drops its privileges.
    Private,
    /// By its path: the user of the session must be able to reach it.
    Path,
}

/// The kind of `/proc` in the sandbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Proc {
    /// A private one.
    Own,
    /// An empty one: many containers forbid a private one, and the host's shows the processes of
    /// all users.
    Empty,
}

/// The limit of further user namespaces inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NamespaceLimit {
    /// The kernel's limit and the filter of system calls.
    KernelAndFilter,
    /// Only the filter: bwrap can't set the kernel's limit if `/proc/sys` is read-only, as in many
    /// containers.
    Filter,
}

/// The limit of the processes of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProcessLimit {
    /// Its cgroup, which also counts refused processes. A limit of the user would be reached first,
    /// and counts none.
    Cgroup,
    /// A limit of its user, which no other session has.
    User,
    /// A limit of its user, set inside: since Linux 5.14 the kernel counts a user's processes
    /// separately in each namespace.
    Namespace,
    /// Nothing: older kernels count the processes of all sessions of a user together.
    None,
}

/// One session's sandbox.
#[derive(Debug)]
pub(crate) struct Sandbox<'a> {
    pub host: &'a Host,
    pub proc: Proc,
    pub session: SessionId,
    /// The user id outside, of the session or of the owner of its home, if the server may assign one.
    pub uid: Option<u32>,
    /// The folder with the files that `outside.sh` opens.
    pub folder: &'a Path,
    /// The files that add a process to the session's cgroups when its id is written into them.
    pub cgroups: &'a [PathBuf],
    pub processes: ProcessLimit,
    /// True if the application may make user namespaces of its own.
    pub namespaces: UserNamespaces,
    pub namespace_limit: NamespaceLimit,
    /// The folder of the kept home; `None` = a home in memory.
    pub home: Option<&'a Path>,
    pub home_mount: HomeMount,
    pub locale: &'a Locale,
}

impl Sandbox<'_> {
    /// The program and the arguments that run `script` with `arguments` inside.
    pub fn command_line(&self, script: &str, arguments: &[String]) -> Vec<OsString> {
        let mut line = Line(Vec::new());
        line.add([
            self.host.bash.as_os_str(),
            "-c".as_ref(),
            OUTSIDE.as_ref(),
            "outside".as_ref(),
        ]);
        line.add([self.folder.as_os_str(), self.cgroups.len().to_string().as_ref()]);
        line.add(self.cgroups);
        self.mount(&mut line);
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

    /// The private mount of a kept home, if that is the way.
    fn mount(&self, line: &mut Line) {
        let (HomeMount::Private, Some(home), Some((unshare, mount))) =
            (self.home_mount, self.home, &self.host.mounting)
        else {
            return;
        };
        line.add([
            unshare.as_os_str(),
            "--mount".as_ref(),
            "--propagation".as_ref(),
            "slave".as_ref(),
        ]);
        line.add([
            self.host.sh.as_os_str(),
            "-c".as_ref(),
            MOUNT.as_ref(),
            "mount".as_ref(),
        ]);
        line.add([mount.as_os_str(), home.as_os_str()]);
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
        // Limits of a single process; the cgroup limits the session. Data and not address space,
        // because browsers and Java reserve far more address space than they use.
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
        // As pid 1, so that the kernel ends every process inside when inside.sh ends, even after
        // the server is gone.
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
        // A tmpfs without a size may use half of the host's memory, so each has a size, and
        // everything else is read-only. bwrap can't limit the number of files, but their inodes are
        // memory of the session's cgroup, which is limited.
        line.tmpfs("/dev/shm", "1777", 64 * MIB);
        line.tmpfs("/tmp", "1777", 256 * MIB);
        match (self.home, self.home_mount) {
            (None, _) => line.tmpfs(HOME, "0700", 256 * MIB),
            (Some(_), HomeMount::Private) => line.add(["--bind", MOUNTED, HOME]),
            (Some(home), HomeMount::Path) => line.add(["--bind".as_ref(), home.as_os_str(), HOME.as_ref()]),
        }
        line.tmpfs("/run/user/1000", "0700", 16 * MIB);
        line.add(["--ro-bind-data", "4", "/etc/Xauthority"]);
        line.add([
            "--ro-bind-data",
            "5",
            "/etc/passwd",
            "--ro-bind-data",
            "10",
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
            ("LANG", self.locale.lang.as_str()),
            ("DISPLAY", ":1"),
            ("XAUTHORITY", "/etc/Xauthority"),
            ("XDG_RUNTIME_DIR", "/run/user/1000"),
            // There is no message bus inside: applications must not search or start one, and keep
            // settings in memory.
            ("DBUS_SESSION_BUS_ADDRESS", "disabled:"),
            ("NO_AT_BRIDGE", "1"),
            ("GSETTINGS_BACKEND", "memory"),
            ("GIO_USE_VFS", "local"),
            // Set even without sound: otherwise the library of PulseAudio starts a server by itself.
            ("PULSE_SERVER", "unix:/run/user/1000/pulse/native"),
            // Otherwise each program writes a secret into the home.
            ("PULSE_COOKIE", "/run/user/1000/pulse-cookie"),
            // `inside.sh` removes it. It is no file, because `outside.sh` has no descriptor left.
            ("KEYMAP", KEYMAP),
        ] {
            line.add(["--setenv", name, value]);
        }
        if self.host.printing {
            line.add(["--setenv", "CUPS_SERVER", PRINTER]);
        }
        if let Some(zone) = &self.locale.time_zone {
            line.add(["--setenv", "TZ", zone]);
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
mod tests;
