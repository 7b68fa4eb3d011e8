//! A limit for the memory of a whole session, where the host lets us set one: cgroup v2, else v1. Elsewhere the limits
//! for each process that `sandbox` sets must do.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use session::SessionId;

use super::processes::Process;

/// What one session may use, its files in `/tmp` and home included.
const LIMIT: u64 = 2 << 30;

/// How often a group that is not empty is emptied, and how long each process in it may take to end.
const TRIES: u32 = 20;
const PATIENCE: Duration = Duration::from_millis(200);

/// Where the groups of sessions are made, if anywhere.
#[derive(Clone, Debug, Default)]
pub(super) struct Memory(Option<Hierarchy>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Hierarchy {
    /// Our own group, below which those of sessions are made.
    base: PathBuf,
    /// The file of a group that takes the limit; it has another name in each version.
    limit: &'static str,
}

impl Memory {
    /// Tries what this host offers.
    pub fn detect() -> Self {
        let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        let candidates = candidates(&own, Path::new("/sys/fs/cgroup"));
        Self(candidates.into_iter().find(|hierarchy| hierarchy.works().is_ok()))
    }

    /// Makes a session's group. Returns the file into which a process writes its id to join. None: there is no group.
    pub fn make(&self, session: SessionId) -> io::Result<Option<PathBuf>> {
        let Some(hierarchy) = &self.0 else { return Ok(None) };
        hierarchy
            .make(&session.to_string())
            .map(|group| Some(group.join("cgroup.procs")))
    }

    /// Removes a session's group, and ends what may still be in it. May block for a moment.
    pub fn remove(&self, session: SessionId) {
        let Some(hierarchy) = &self.0 else { return };
        if let Err(error) = empty_and_remove(&hierarchy.group(&session.to_string())) {
            tracing::warn!(%session, %error, "the cgroup of a session could not be removed");
        }
    }
}

fn empty_and_remove(group: &Path) -> io::Result<()> {
    let mut removed = fs::remove_dir(group).or_else(unless_absent);
    for _ in 0..TRIES {
        match &removed {
            Err(error) if error.kind() == io::ErrorKind::ResourceBusy => {}
            _ => break,
        }
        // A process counts until it has ended altogether, which is a little later than it looks from outside.
        for pid in fs::read_to_string(group.join("cgroup.procs"))?
            .lines()
            .filter_map(|line| line.parse().ok())
        {
            if let Some(process) = Process::open(pid)? {
                process.kill()?;
                process.wait_for(PATIENCE)?;
            }
        }
        removed = fs::remove_dir(group).or_else(unless_absent);
    }
    removed
}

impl Hierarchy {
    fn group(&self, name: &str) -> PathBuf {
        self.base.join(format!("cloud-delivery-{name}"))
    }

    fn make(&self, name: &str) -> io::Result<PathBuf> {
        let group = self.group(name);
        fs::create_dir(&group).or_else(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => Ok(()),
            _ => Err(error),
        })?;
        fs::write(group.join(self.limit), LIMIT.to_string())?;
        Ok(group)
    }

    /// Makes a group, limits it and removes it again.
    fn works(&self) -> io::Result<()> {
        let name = format!("trial-{}", std::process::id());
        let made = self.make(&name);
        fs::remove_dir(self.group(&name)).or_else(unless_absent)?;
        made.map(drop)
    }
}

fn unless_absent(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::NotFound {
        Ok(())
    } else {
        Err(error)
    }
}

/// Where groups might be made, best first. `own` is `/proc/self/cgroup`; inside a container its paths may be the
/// host's and not be there, so the root of the hierarchy is tried as well.
fn candidates(own: &str, root: &Path) -> Vec<Hierarchy> {
    let mut found = Vec::new();
    let mut add = |mount: PathBuf, path: &str, limit| {
        let below = path.trim_start_matches('/');
        if !below.is_empty() {
            found.push(Hierarchy {
                base: mount.join(below),
                limit,
            });
        }
        found.push(Hierarchy { base: mount, limit });
    };
    let lines = || own.lines().filter_map(|line| line.split_once(':')?.1.split_once(':'));
    for (_, path) in lines().filter(|(controllers, _)| controllers.is_empty()) {
        add(root.to_owned(), path, "memory.max");
    }
    for (_, path) in lines().filter(|(controllers, _)| controllers.split(',').any(|each| each == "memory")) {
        add(root.join("memory"), path, "memory.limit_in_bytes");
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn v2_comes_before_v1_and_our_own_group_before_the_root() {
        let own = "5:cpu,memory:/docker/x\n1:name=systemd:/\n0::/user.slice\n";
        let found: Vec<_> = candidates(own, Path::new("/c"))
            .into_iter()
            .map(|each| each.base.join(each.limit))
            .collect();
        let expected = [
            "/c/user.slice/memory.max",
            "/c/memory.max",
            "/c/memory/docker/x/memory.limit_in_bytes",
            "/c/memory/memory.limit_in_bytes",
        ];
        assert_eq!(found, expected.map(PathBuf::from));
        assert_eq!(candidates("", Path::new("/c")), []);
    }

    #[test]
    fn a_folder_that_is_no_cgroup_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let hierarchy = Hierarchy {
            base: folder.path().join("absent"),
            limit: "memory.max",
        };
        assert!(hierarchy.works().is_err());
        let memory = Memory::default();
        let session = SessionId(uuid::Uuid::nil());
        assert_eq!(memory.make(session).unwrap(), None);
        memory.remove(session);
    }
}
