//! A hierarchy for the groups of sessions: `BASE/cloud-delivery-sessions/SESSION`.
//!
//! In v2 a group with processes can't pass controllers to groups below it. So if the base is the
//! server's own group, the server moves into `BASE/server` first. A unit with
//! `DelegateSubgroup=server` starts there.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use uuid::Uuid;

use super::{
    layout::{Controller, Hierarchy, Version},
    settings::{Machine, Setting, each, shared},
};
use crate::{
    limits::{Hits, Limit, Limits, SERVER_CPU_WEIGHT},
    processes::Process,
};

/// The group of all sessions.
pub(super) const SESSIONS: &str = "cloud-delivery-sessions";
/// The server's own group; also in packaging/cloud-delivery.service, as `DelegateSubgroup=`.
pub(super) const SERVER: &str = "server";

const PROCS: &str = "cgroup.procs";
const SUBTREE: &str = "cgroup.subtree_control";

/// The kernel charges memory to a group in portions: this close to the limit, it refuses the next
/// one.
const NEAR: u64 = 1 << 20;

/// The attempts to empty a group, and the time limit for the end of each process in it.
const TRIES: u32 = 20;
const PATIENCE: Duration = Duration::from_millis(200);

/// The place for the groups of sessions, with their settings.
#[derive(Debug)]
pub(super) struct Tree {
    version: Version,
    sessions: PathBuf,
    controllers: Vec<Controller>,
    /// For all sessions together.
    shared: Vec<Setting>,
    /// For each session: only settings that this kernel accepted.
    each: Vec<Setting>,
}

impl Tree {
    /// Finds the place in a hierarchy for groups with controllers other than `taken`.
    pub fn open(hierarchy: &Hierarchy, taken: &[Controller], limits: Limits, machine: Machine) -> Option<Self> {
        bases(hierarchy)
            .iter()
            .find_map(|base| Self::at(base, hierarchy, taken, limits, machine))
    }

    fn at(base: &Path, hierarchy: &Hierarchy, taken: &[Controller], limits: Limits, machine: Machine) -> Option<Self> {
        let version = hierarchy.version;
        let mut controllers = match version {
            Version::V1 => hierarchy.controllers.clone(),
            Version::V2 => enable(base, &hierarchy.own).unwrap_or_default(),
        };
        controllers.retain(|controller| !taken.contains(controller));
        if controllers.is_empty() {
            return None;
        }
        let mut tree = Self {
            version,
            sessions: base.join(SESSIONS),
            shared: controllers
                .iter()
                .map(|controller| shared(version, *controller, machine, base))
                .collect(),
            each: controllers
                .iter()
                .flat_map(|controller| each(version, *controller, limits))
                .collect(),
            controllers,
        };
        match tree.try_out() {
            Ok(()) if !tree.each.is_empty() => {}
            tried => {
                tracing::debug!(base = %base.display(), ?tried, "could not make cgroups here");
                tree.close();
                return None;
            }
        }
        let server = base.join(SERVER);
        if version == Version::V2 && tree.has(Controller::Cpu) && server.exists() {
            write_if_possible(&server, "cpu.weight", &SERVER_CPU_WEIGHT.to_string());
        }
        Some(tree)
    }

    /// Makes a group to find the settings that it accepts, and removes it.
    fn try_out(&mut self) -> io::Result<()> {
        let group = self.create(&format!("trial-{}", Uuid::now_v7()))?;
        self.each
            .retain(|setting| write_if_possible(&group, setting.file, &setting.value));
        if let Err(error) = fs::remove_dir(&group) {
            tracing::warn!(group = %group.display(), %error, "could not remove a trial cgroup");
        }
        Ok(())
    }

    /// True if it has this controller.
    pub fn has(&self, controller: Controller) -> bool {
        self.controllers.contains(&controller)
    }

    /// Its controllers.
    pub fn controllers(&self) -> &[Controller] {
        &self.controllers
    }

    /// The limits that it enforces.
    pub fn limits(&self) -> impl Iterator<Item = Limit> {
        self.each.iter().filter_map(|setting| setting.limit)
    }

    /// Makes a group with its limits. Returns the file that adds a process when its id is written
    /// into it.
    pub fn make(&self, name: &str) -> io::Result<PathBuf> {
        let group = self.create(name)?;
        for setting in &self.each {
            fs::write(group.join(setting.file), &setting.value)?;
        }
        Ok(group.join(PROCS))
    }

    fn create(&self, name: &str) -> io::Result<PathBuf> {
        let group = self.sessions.join(name);
        // Another server in the same place may remove the empty parent at any time.
        for _ in 0..TRIES {
            self.prepare()?;
            match fs::create_dir(&group) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                _ => return Ok(group),
            }
        }
        Err(io::Error::new(
            io::ErrorKind::NotFound,
            "the cgroup of all sessions is gone",
        ))
    }

    /// Makes the group of all sessions if it is missing.
    fn prepare(&self) -> io::Result<()> {
        match fs::create_dir(&self.sessions) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
            made => made?,
        }
        for Setting { file, value, .. } in &self.shared {
            write_if_possible(&self.sessions, file, value);
        }
        match self.version {
            Version::V1 => Ok(()),
            Version::V2 => fs::write(self.sessions.join(SUBTREE), plus(&self.controllers)),
        }
    }

    /// The limits that a session has reached. Zero for a value that can't be read.
    pub fn hits(&self, name: &str) -> Hits {
        let group = self.sessions.join(name);
        let count = |file: &str, key: &str| keyed(&fs::read_to_string(group.join(file)).unwrap_or_default(), key);
        // The counters of v1 for this (`failcnt`) stay zero in recent kernels.
        let reached_limit = || {
            let limit = count("memory.limit_in_bytes", "");
            limit > 0 && count("memory.max_usage_in_bytes", "") + NEAR >= limit
        };
        let mut hits = Hits::default();
        if self.has(Controller::Memory) {
            (hits.oom_kills, hits.memory) = match self.version {
                Version::V2 => (count("memory.events", "oom_kill"), count("memory.events", "oom")),
                Version::V1 => (count("memory.oom_control", "oom_kill"), u64::from(reached_limit())),
            };
        }
        if self.has(Controller::Pids) {
            hits.processes = count("pids.events", "max");
        }
        hits
    }

    /// Removes a group, and ends the processes that are still in it. May block for a moment.
    pub fn remove(&self, name: &str) -> io::Result<()> {
        let group = self.sessions.join(name);
        let mut removed = fs::remove_dir(&group).or_else(unless_absent);
        for _ in 0..TRIES {
            match &removed {
                Err(error) if error.kind() == io::ErrorKind::ResourceBusy => {}
                _ => break,
            }
            // The kernel counts a process a little longer than it is visible.
            for pid in fs::read_to_string(group.join(PROCS))?
                .lines()
                .filter_map(|line| line.parse().ok())
            {
                if let Some(process) = Process::open(pid)? {
                    process.kill()?;
                    process.wait_for(PATIENCE)?;
                }
            }
            removed = fs::remove_dir(&group).or_else(unless_absent);
        }
        removed
    }

    /// Removes the group of all sessions, unless another server still uses it.
    pub fn close(&self) {
        if let Err(error) = fs::remove_dir(&self.sessions).or_else(unless_absent) {
            tracing::debug!(group = %self.sessions.display(), %error, "kept the cgroup of all sessions: it is in use");
        }
    }
}

/// The possible places for groups, best first: beside or below the server's own group, then below
/// the root.
fn bases(hierarchy: &Hierarchy) -> Vec<PathBuf> {
    let Hierarchy {
        version, mount, own, ..
    } = hierarchy;
    let in_leaf = *version == Version::V2 && own.file_name().is_some_and(|name| name == SERVER);
    let own = own.parent().filter(|_| in_leaf).unwrap_or(own);
    let mut bases = vec![own.to_owned()];
    if own != mount {
        bases.push(mount.clone());
    }
    bases
}

/// Passes the controllers of `base` to the groups below it. Moves this process out of its group
/// `own` if that is the base.
fn enable(base: &Path, own: &Path) -> io::Result<Vec<Controller>> {
    let present = |file: &str| -> io::Result<Vec<Controller>> {
        let text = fs::read_to_string(base.join(file))?;
        Ok(Controller::among(
            text.split_whitespace().map(|name| name.trim_start_matches('+')),
        ))
    };
    let wanted = present("cgroup.controllers")?;
    if wanted.is_empty() || present(SUBTREE)? == wanted {
        return Ok(wanted);
    }
    // Only the root of all groups may have both processes and controllers. Only the root has no
    // type.
    let moves = base == own && base.join("cgroup.type").exists();
    let leaf = base.join(SERVER);
    if moves {
        fs::create_dir(&leaf).or_else(unless_present)?;
    }
    let this = std::process::id().to_string();
    let moved = if moves {
        fs::write(leaf.join(PROCS), &this)
    } else {
        Ok(())
    };
    let enabled = moved
        .and_then(|()| fs::write(base.join(SUBTREE), plus(&wanted)))
        .and_then(|()| present(SUBTREE));
    if enabled.is_err() && moves {
        // Other processes are in the group too, so it can't be used.
        fs::write(base.join(PROCS), &this)?;
        fs::remove_dir(&leaf)?;
    }
    enabled
}

/// The text that enables these controllers.
fn plus(controllers: &[Controller]) -> String {
    let words: Vec<String> = controllers.iter().map(|each| format!("+{}", each.name())).collect();
    words.join(" ")
}

/// The number after a key at the start of a line. An empty key reads a file that only contains a
/// number.
fn keyed(text: &str, key: &str) -> u64 {
    let mut values = text.lines().filter_map(|line| match key {
        "" => Some(line),
        _ => line.strip_prefix(key)?.strip_prefix(' '),
    });
    values.next().and_then(|value| value.trim().parse().ok()).unwrap_or(0)
}

fn write_if_possible(group: &Path, file: &str, value: &str) -> bool {
    let written = fs::write(group.join(file), value);
    if let Err(error) = &written {
        tracing::debug!(group = %group.display(), file, value, %error, "could not set a limit");
    }
    written.is_ok()
}

fn unless_present(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::AlreadyExists {
        Ok(())
    } else {
        Err(error)
    }
}

fn unless_absent(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::NotFound {
        Ok(())
    } else {
        Err(error)
    }
}
