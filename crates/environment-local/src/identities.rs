//! A user id for each session, so that the kernel keeps sessions apart from each other and from the
//! server.

use std::{
    collections::HashSet,
    fs,
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
};

use crate::processes;

/// The number of ids of a range.
const MANY: u32 = 60_000;

/// The ranges of ids; the first one that this host maps completely is used. The first is free by
/// the conventions of systemd and Debian. The others are for containers that map few ids; they may
/// overlap with `subuid` ranges, which is one reason to skip every id that a process uses.
const STARTS: [u32; 3] = [1_879_100_000, 100_000, 5_000];

/// The Linux capabilities for setpriv and for killing: KILL, SETGID, SETUID, SETPCAP.
const CAPABILITIES: [u32; 4] = [5, 6, 7, 8];

/// The ids of the range, and those in use.
#[derive(Debug)]
pub(crate) struct Identities {
    /// None if the server may not become another user: then every session runs as the server's own
    /// user.
    range: Option<Range<u32>>,
    taken: Arc<Mutex<HashSet<u32>>>,
}

/// The user id of one session, until this is dropped.
#[derive(Debug)]
pub(crate) struct Identity {
    uid: u32,
    taken: Arc<Mutex<HashSet<u32>>>,
}

impl Identities {
    /// Detects the capabilities of this process.
    pub fn detect() -> Self {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let users = fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
        let groups = fs::read_to_string("/proc/self/gid_map").unwrap_or_default();
        let set_groups = fs::read_to_string("/proc/self/setgroups").unwrap_or_default();
        let allowed = may_switch(&status) && set_groups.trim() != "deny";
        let range = STARTS
            .map(|start| start..start + MANY)
            .into_iter()
            .find(|range| allowed && maps(&users, range) && maps(&groups, range));
        Self {
            range,
            taken: Arc::default(),
        }
    }

    /// True if each session gets a user of its own.
    pub fn are_given(&self) -> bool {
        self.range.is_some()
    }

    /// Takes an id that no process uses. `Ok(None)` if this server has none. Reads `/proc`, so it
    /// may block for a while.
    pub fn take(&self) -> Result<Option<Identity>, String> {
        let Some(range) = self.range.clone() else {
            return Ok(None);
        };
        let in_use = processes::users();
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        // Starts at a random id, so that two servers on one host rarely try the same.
        let first = rand::random_range(range.clone());
        let free = (first..range.end)
            .chain(range.start..first)
            .find(|uid| !in_use.contains(uid) && !taken.contains(uid));
        let uid = free.ok_or("every user id for sessions is in use")?;
        taken.insert(uid);
        Ok(Some(Identity {
            uid,
            taken: Arc::clone(&self.taken),
        }))
    }
}

impl Identity {
    pub fn uid(&self) -> u32 {
        self.uid
    }
}

impl Drop for Identity {
    fn drop(&mut self) {
        self.taken
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.uid);
    }
}

/// True if a process with this `/proc/PID/status` may become another user, and end that user's
/// processes.
fn may_switch(status: &str) -> bool {
    let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let set = effective
        .and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok())
        .unwrap_or(0);
    CAPABILITIES.iter().all(|capability| set & (1 << capability) != 0)
}

/// True if a `/proc/PID/uid_map` maps the whole range in one line.
fn maps(map: &str, range: &Range<u32>) -> bool {
    map.lines().any(|line| {
        let mut numbers = line.split_whitespace().map(str::parse::<u64>);
        let (Some(Ok(first)), Some(Ok(_)), Some(Ok(many))) = (numbers.next(), numbers.next(), numbers.next()) else {
            return false;
        };
        first <= u64::from(range.start) && u64::from(range.end) <= first + many
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capabilities_decide_and_not_the_name_root() {
        assert!(may_switch("Name:\tx\nCapEff:\t000001ffffffffff\n"));
        assert!(may_switch("CapEff:\t00000000a80425fb\n"), "what docker leaves");
        assert!(!may_switch("CapEff:\t0000000000000000\n"));
        assert!(!may_switch("CapEff:\t00000000000000c0\n"), "without KILL");
        assert!(!may_switch(""));
    }

    #[test]
    fn a_range_must_be_mapped_in_full() {
        let whole = "         0          0 4294967295\n";
        assert!(maps(whole, &(1_879_100_000..1_879_160_000)));
        let container = "0 1000 1\n1 100000 65536\n";
        assert!(!maps(container, &(100_000..160_000)));
        assert!(maps(container, &(5_000..65_000)));
        assert!(!maps("0 1000 1\n", &(5_000..65_000)) && !maps("", &(5_000..65_000)));
    }

    #[test]
    fn ids_differ_and_come_back() {
        let identities = Identities {
            range: Some(1_900_000_000..1_900_000_002),
            taken: Arc::default(),
        };
        let one = identities.take().unwrap().unwrap();
        let two = identities.take().unwrap().unwrap();
        assert_ne!(one.uid(), two.uid());
        assert!(identities.take().is_err());
        drop(one);
        assert!(identities.take().is_ok());
    }

    #[test]
    fn without_a_range_there_are_none() {
        let identities = Identities {
            range: None,
            taken: Arc::default(),
        };
        assert!(identities.take().unwrap().is_none());
    }
}
