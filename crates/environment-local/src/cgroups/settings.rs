//! The files of a group that set the limits, in both versions.

use std::{fs, path::Path, thread::available_parallelism};

use super::layout::{Controller, Version};
use crate::limits::{CPU_WEIGHT, Limit, Limits};

/// The resources of this machine.
#[derive(Clone, Copy, Debug)]
pub(super) struct Machine {
    /// Bytes of memory.
    pub memory: u64,
    /// The most processes and threads.
    pub processes: u64,
    /// The CPUs that this process may use.
    pub cpus: u32,
}

impl Machine {
    /// Reads them from `/proc`.
    pub fn detect() -> Self {
        let number = |file: &str| {
            let text = fs::read_to_string(file).ok()?;
            text.trim().parse::<u64>().ok()
        };
        let meminfo = fs::read_to_string("/proc/meminfo").unwrap_or_default();
        let kib = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"));
        let kib = kib.and_then(|text| text.split_whitespace().next()?.parse::<u64>().ok());
        let processes = ["/proc/sys/kernel/pid_max", "/proc/sys/kernel/threads-max"];
        Self {
            memory: kib.map_or(u64::MAX, |kib| kib * 1024),
            processes: processes.into_iter().filter_map(number).min().unwrap_or(u64::MAX),
            cpus: available_parallelism().map_or(1, |cpus| u32::try_from(cpus.get()).unwrap_or(u32::MAX)),
        }
    }
}

/// A value for a file of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Setting {
    /// The limit that it sets; `None` if it only is a part of another limit.
    pub limit: Option<Limit>,
    pub file: &'static str,
    pub value: String,
}

/// The settings of each session.
pub(super) fn each(version: Version, controller: Controller, limits: Limits) -> Vec<Setting> {
    let set = |limit, file, value: String| Setting { limit, file, value };
    let memory = limits.memory.to_string();
    match (controller, version) {
        (Controller::Memory, Version::V2) => vec![
            set(Some(Limit::Memory), "memory.max", memory),
            set(Some(Limit::Swap), "memory.swap.max", "0".to_owned()),
            // The whole session ends, because the rest of it is useless.
            set(None, "memory.oom.group", "1".to_owned()),
        ],
        (Controller::Memory, Version::V1) => vec![
            set(Some(Limit::Memory), "memory.limit_in_bytes", memory.clone()),
            // Memory and swap together: nothing is left for swap.
            set(Some(Limit::Swap), "memory.memsw.limit_in_bytes", memory),
        ],
        (Controller::Pids, _) => vec![set(Some(Limit::Processes), "pids.max", limits.processes.to_string())],
        (Controller::Cpu, Version::V2) => vec![set(Some(Limit::Cpu), "cpu.weight", CPU_WEIGHT.to_string())],
        (Controller::Cpu, Version::V1) => vec![set(Some(Limit::Cpu), "cpu.shares", shares(CPU_WEIGHT))],
    }
}

/// The settings of all sessions together, which reserve resources for the server and the rest of
/// the host.
pub(super) fn shared(version: Version, controller: Controller, machine: Machine, base: &Path) -> Setting {
    let set = |file, value: String| Setting {
        limit: None,
        file,
        value,
    };
    // The base may have a limit itself: that of a unit or a container.
    let within = |total: u64, file: &str| {
        let text = fs::read_to_string(base.join(file)).unwrap_or_default();
        text.trim().parse().map_or(total, |own: u64| own.min(total))
    };
    let memory = |file| {
        let total = within(machine.memory, file);
        set(file, (total - total / 8).to_string())
    };
    match (controller, version) {
        (Controller::Memory, Version::V2) => memory("memory.max"),
        (Controller::Memory, Version::V1) => memory("memory.limit_in_bytes"),
        (Controller::Pids, _) => {
            let total = within(machine.processes, "pids.max");
            set("pids.max", (total - total / 4).to_string())
        }
        (Controller::Cpu, Version::V2) => set("cpu.weight", CPU_WEIGHT.to_string()),
        // In v1 it competes with processes, not with groups. A group's shares are spread over the
        // CPUs, so this equals one process on each of them.
        (Controller::Cpu, Version::V1) => set("cpu.shares", shares(CPU_WEIGHT.saturating_mul(machine.cpus))),
    }
}

/// The shares of v1 for a weight of v2. The defaults are 1024 and 100.
fn shares(weight: u32) -> String {
    (u64::from(weight) * 1024 / 100).to_string()
}
