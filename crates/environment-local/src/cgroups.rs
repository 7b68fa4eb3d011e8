//! A control group for each session, if the host allows it: in cgroup v2, in v1, or partly in each.

mod layout;
mod settings;
#[cfg(test)]
mod tests;
mod tree;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use session::SessionId;

use self::{
    layout::{Controller, hierarchies},
    settings::Machine,
    tree::Tree,
};
use crate::limits::{Hits, Limit, Limits};

/// The places for the groups of sessions, if there are any. Dropping this removes the groups of all
/// sessions.
#[derive(Debug, Default)]
pub(crate) struct Cgroups {
    /// Each controller is in one of them at most.
    trees: Vec<Tree>,
}

impl Cgroups {
    /// Detects the cgroups of this host.
    pub fn detect(limits: Limits) -> Self {
        let cgroup = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        let mountinfo = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        Self::from_host(&cgroup, &mountinfo, Path::new("/"), limits, Machine::detect())
    }

    fn from_host(cgroup: &str, mountinfo: &str, root: &Path, limits: Limits, machine: Machine) -> Self {
        let mut trees: Vec<Tree> = Vec::new();
        for hierarchy in hierarchies(cgroup, mountinfo, root) {
            let taken: Vec<Controller> = trees
                .iter()
                .flat_map(|tree| tree.controllers().iter().copied())
                .collect();
            trees.extend(Tree::open(&hierarchy, &taken, limits, machine));
        }
        Self { trees }
    }

    /// The limits that the groups enforce.
    pub fn limits(&self) -> impl Iterator<Item = Limit> {
        self.trees.iter().flat_map(Tree::limits)
    }

    /// Makes a session's groups. Returns the files that add a process when its id is written into
    /// them.
    pub fn make(&self, session: SessionId) -> io::Result<Vec<PathBuf>> {
        let name = session.to_string();
        self.trees.iter().map(|tree| tree.make(&name)).collect()
    }

    /// The limits that a session has reached so far.
    pub fn hits(&self, session: SessionId) -> Hits {
        let name = session.to_string();
        let add = |sum: Hits, hits: Hits| Hits {
            oom_kills: sum.oom_kills + hits.oom_kills,
            memory: sum.memory + hits.memory,
            processes: sum.processes + hits.processes,
        };
        self.trees
            .iter()
            .map(|tree| tree.hits(&name))
            .fold(Hits::default(), add)
    }

    /// Removes a session's groups, and ends the processes that are still in them. May block for a
    /// moment.
    pub fn remove(&self, session: SessionId) {
        for tree in &self.trees {
            if let Err(error) = tree.remove(&session.to_string()) {
                tracing::warn!(%session, %error, "could not remove the cgroup of a session");
            }
        }
    }
}

impl Drop for Cgroups {
    fn drop(&mut self) {
        for tree in &self.trees {
            tree.close();
        }
    }
}
