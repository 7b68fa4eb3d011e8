//! A user id for each session with a home of its own, and one for each person with a kept home, so
//! that the kernel keeps them apart from each other and from the server.

use std::{
    collections::HashSet,
    fs,
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
};

use crate::processes;

/// The ids of sessions with a home of their own, and those of people with a kept home.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Ranges {
    sessions: Range<u32>,
    homes: Range<u32>,
}

/// The ranges of ids; the first pair that this host maps completely is used. The first is free by
/// the conventions of systemd and Debian. The others are for containers that map few ids; they may
/// overlap with `subuid` ranges, which is one reason to skip every id that a process uses.
/// docs/operation.md names them.
const RANGES: [Ranges; 3] = [
    Ranges {
        sessions: 1_879_100_000..1_879_160_000,
        homes: 1_879_200_000..1_880_200_000,
    },
    Ranges {
        sessions: 100_000..130_000,
        homes: 130_000..160_000,
    },
    Ranges {
        sessions: 5_000..35_000,
        homes: 35_000..65_000,
    },
];

/// The Linux capabilities for setpriv and for killing: KILL, SETGID, SETUID, SETPCAP.
const CAPABILITIES: [u32; 4] = [5, 6, 7, 8];
/// The Linux capability for mounts.
const SYS_ADMIN: u32 = 21;

/// The ids of the range, and those in use.
#[derive(Debug)]
pub(crate) struct Identities {
    /// None if the server may not become another user: then every session runs as the server's own
    /// user.
    ranges: Option<Ranges>,
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
        let mapped = |range: &Range<u32>| maps(&users, range) && maps(&groups, range);
        let ranges = RANGES
            .into_iter()
            .find(|ranges| allowed && mapped(&ranges.sessions) && mapped(&ranges.homes));
        Self {
            ranges,
            taken: Arc::default(),
        }
    }

    /// True if each session gets a user of its own.
    pub fn are_given(&self) -> bool {
        self.ranges.is_some()
    }

    /// The user id of the owner of a kept home. `Ok(None)` if this server can't change users: then all
    /// homes belong to its own.
    pub fn of_home(&self, number: u32) -> Result<Option<u32>, String> {
        let Some(Ranges { homes, .. }) = &self.ranges else {
            return Ok(None);
        };
        let uid = homes.start.checked_add(number).filter(|uid| homes.contains(uid));
        uid.map(Some).ok_or_else(|| {
            format!(
                "there is no user id for the home of person {number}; the last is {}",
                homes.len() - 1
            )
        })
    }

    /// Takes an id that no process uses. `Ok(None)` if this server has none. Reads `/proc`, so it
    /// may block for a while.
    pub fn take(&self) -> Result<Option<Identity>, String> {
        let Some(Ranges { sessions: range, .. }) = self.ranges.clone() else {
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
    CAPABILITIES.iter().all(|capability| has(status, *capability))
}

/// True if a process with this `/proc/PID/status` may mount.
pub(crate) fn may_mount(status: &str) -> bool {
    has(status, SYS_ADMIN)
}

fn has(status: &str, capability: u32) -> bool {
    let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let set = effective
        .and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok())
        .unwrap_or(0);
    set & (1 << capability) != 0
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
            ranges: Some(Ranges {
                sessions: 1_900_000_000..1_900_000_002,
                homes: 1_900_000_002..1_900_000_005,
            }),
            taken: Arc::default(),
        };
        let one = identities.take().unwrap().unwrap();
        let two = identities.take().unwrap().unwrap();
        assert_ne!(one.uid(), two.uid());
        assert!(identities.take().is_err());
        drop(one);
        assert!(identities.take().is_ok());
        assert_eq!(identities.of_home(1), Ok(Some(1_900_000_003)));
        assert_eq!(identities.of_home(2), Ok(Some(1_900_000_004)));
        assert!(identities.of_home(3).is_err() && identities.of_home(u32::MAX).is_err());
    }

    #[test]
    fn ranges_never_overlap() {
        for Ranges { sessions, homes } in RANGES {
            assert!(sessions.end <= homes.start && homes.end <= 4_294_967_294);
            assert!(!homes.contains(&65_534) && !sessions.contains(&65_534), "nobody");
        }
    }

    #[test]
    fn without_a_range_there_are_none() {
        let identities = Identities {
            ranges: None,
            taken: Arc::default(),
        };
        assert!(identities.take().unwrap().is_none());
        assert_eq!(identities.of_home(1), Ok(None));
    }
}
