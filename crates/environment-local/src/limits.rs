//! The resource limits of a session, and the ones that this host enforces.

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// The resource limits of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Bytes of memory. Files in `/tmp`, the home and `/dev/shm`, and the kernel's memory for their
    /// inodes, count too.
    pub memory: u64,
    /// Processes and threads.
    pub processes: u32,
}

/// The limits of every session.
pub(crate) const PER_SESSION: Limits = Limits {
    memory: 2 * GIB,
    processes: 512,
};

/// The CPU weight of a session among sessions, and of all sessions together beside the server. The
/// kernel's default.
pub(crate) const CPU_WEIGHT: u32 = 100;

/// The CPU weight of the server beside all sessions together: it needs little CPU time, but without
/// delay.
pub(crate) const SERVER_CPU_WEIGHT: u32 = 1000;

impl Limits {
    /// The memory as a text for people.
    pub fn memory_words(self) -> String {
        if self.memory.is_multiple_of(GIB) {
            format!("{} GiB", self.memory / GIB)
        } else {
            format!("{} MiB", self.memory / MIB)
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Limit {
    Memory,
    Swap,
    Processes,
    Cpu,
}

impl Limit {
    pub const ALL: [Self; 4] = [Self::Memory, Self::Processes, Self::Cpu, Self::Swap];

    /// Its text for people.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Swap => "swap",
            Self::Processes => "processes",
            Self::Cpu => "CPU",
        }
    }
}

/// The limits in force for every session of this server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Enforced(Vec<Limit>);

impl Enforced {
    /// These limits, each one once.
    pub fn new(limits: impl IntoIterator<Item = Limit>) -> Self {
        let found: Vec<Limit> = limits.into_iter().collect();
        Self(Limit::ALL.into_iter().filter(|limit| found.contains(limit)).collect())
    }

    /// True if this limit is in force.
    pub fn has(&self, limit: Limit) -> bool {
        self.0.contains(&limit)
    }

    /// The limits that are not in force.
    pub fn absent(&self) -> impl Iterator<Item = Limit> {
        Limit::ALL.into_iter().filter(|limit| !self.has(*limit))
    }

    /// True if memory and processes are limited, as the setting `require_limits` demands.
    pub fn is_enough(&self) -> bool {
        self.has(Limit::Memory) && self.has(Limit::Processes)
    }

    /// For people:
    /// `Limits per session: 2 GiB memory, 512 processes, CPU share; swap is not limited`.
    pub fn words(&self, limits: Limits) -> String {
        let words = |limit: &Limit| match limit {
            Limit::Memory => format!("{} memory", limits.memory_words()),
            Limit::Processes => format!("{} processes", limits.processes),
            Limit::Cpu => "CPU share".to_owned(),
            Limit::Swap => "no swap".to_owned(),
        };
        let present: Vec<String> = self.0.iter().map(words).collect();
        let absent: Vec<&str> = self.absent().map(Limit::label).collect();
        let verb = if matches!(absent[..], ["processes"] | [_, _, ..]) {
            "are"
        } else {
            "is"
        };
        let present = if present.is_empty() {
            "none".to_owned()
        } else {
            present.join(", ")
        };
        match absent.split_last() {
            None => format!("Limits per session: {present}"),
            Some((last, [])) => format!("Limits per session: {present}; {last} {verb} not limited"),
            Some((last, first)) => {
                format!(
                    "Limits per session: {present}; {} and {last} {verb} not limited",
                    first.join(", ")
                )
            }
        }
    }
}

/// The limits that a session has reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Hits {
    /// The number of processes that the kernel killed because memory was short.
    pub oom_kills: u64,
    /// Not zero if the session has reached its own memory limit.
    pub memory: u64,
    /// The number of processes that the session could not start.
    pub processes: u64,
}

impl Hits {
    /// The reason of the end, if memory was the reason.
    pub fn memory_words(self, limits: Limits) -> Option<String> {
        match self {
            Self { oom_kills: 0, .. } => None,
            Self { memory: 0, .. } => {
                Some("Ended: all sessions together used the memory that this host has for them.".to_owned())
            }
            _ => Some(format!(
                "Ended: it used more than its {} of memory.",
                limits.memory_words()
            )),
        }
    }

    /// An addition to another reason of the end.
    pub fn processes_words(self, limits: Limits) -> Option<String> {
        (self.processes > 0).then(|| format!("it had reached its limit of {} processes", limits.processes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_force_and_what_is_not_is_one_sentence() {
        let words = |limits: &[Limit]| Enforced::new(limits.iter().copied()).words(PER_SESSION);
        assert_eq!(
            words(&Limit::ALL),
            "Limits per session: 2 GiB memory, 512 processes, CPU share, no swap"
        );
        assert_eq!(
            words(&[Limit::Cpu, Limit::Memory, Limit::Processes]),
            "Limits per session: 2 GiB memory, 512 processes, CPU share; swap is not limited"
        );
        assert_eq!(
            words(&[Limit::Processes]),
            "Limits per session: 512 processes; memory, CPU and swap are not limited"
        );
        assert_eq!(
            words(&[]),
            "Limits per session: none; memory, processes, CPU and swap are not limited"
        );
    }

    #[test]
    fn memory_and_processes_are_what_is_required() {
        assert!(Enforced::new([Limit::Memory, Limit::Processes]).is_enough());
        assert!(!Enforced::new([Limit::Memory, Limit::Cpu, Limit::Swap]).is_enough());
        assert!(!Enforced::default().is_enough());
    }

    #[test]
    fn a_session_says_which_limit_it_ran_into() {
        let hits = Hits {
            oom_kills: 1,
            memory: 3,
            processes: 0,
        };
        let own = hits.memory_words(PER_SESSION);
        assert_eq!(own.as_deref(), Some("Ended: it used more than its 2 GiB of memory."));
        let shared = Hits { memory: 0, ..hits }.memory_words(PER_SESSION).unwrap();
        assert!(shared.starts_with("Ended: all sessions together"), "{shared}");
        assert_eq!(Hits { oom_kills: 0, ..hits }.memory_words(PER_SESSION), None);
        assert_eq!(hits.processes_words(PER_SESSION), None);
        let forks = Hits { processes: 9, ..hits }.processes_words(PER_SESSION).unwrap();
        assert_eq!(forks, "it had reached its limit of 512 processes");
        let small = Limits {
            memory: 300 * MIB,
            ..PER_SESSION
        };
        assert_eq!(small.memory_words(), "300 MiB");
    }
}
