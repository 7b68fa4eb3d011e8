//! The system calls that are denied to a session: seccomp filters that bwrap loads just before it
//! runs the first program.
//!
//! They deny the calls that no application needs and that most exploits of kernels used: mounts,
//! namespaces, keys, modules, tracing of the kernel. Everything else is allowed, because any
//! program can be an application.
//!
//! A filter answers with one error, so there are three filters. bwrap loads all of them, and the
//! kernel applies each.

use std::collections::BTreeMap;

use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch, sock_filter,
};

/// The permission to make user namespaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UserNamespaces {
    /// Denied: the default.
    Denied,
    /// Allowed, with pid, network and IPC namespaces in them, for the sandboxes of browsers. Mounts
    /// stay denied.
    Allowed,
}

/// The filters, each as the content of a file for bwrap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Filters([Vec<u8>; 3]);

/// System calls that are denied with any arguments, on every architecture.
const DENIED: [i64; 45] = [
    // Mounts, and the root of the file system.
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_open_tree,
    libc::SYS_move_mount,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_quotactl,
    libc::SYS_quotactl_fd,
    // Opening files by number, without a path.
    libc::SYS_open_by_handle_at,
    libc::SYS_fanotify_init,
    // Namespaces of other processes.
    libc::SYS_setns,
    // The kernel's keys have no namespaces.
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    // Programs and probes inside the kernel.
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_lookup_dcookie,
    // The memory placement of other processes.
    libc::SYS_move_pages,
    libc::SYS_migrate_pages,
    // The kernel itself, and the machine.
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    libc::SYS_kexec_file_load,
    libc::SYS_reboot,
    libc::SYS_syslog,
    libc::SYS_acct,
    libc::SYS_nfsservctl,
    libc::SYS_vhangup,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_clock_adjtime,
    libc::SYS_adjtimex,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
];

/// Further ones of x86-64.
#[cfg(target_arch = "x86_64")]
const DENIED_HERE: [i64; 5] = [
    libc::SYS_iopl,
    libc::SYS_ioperm,
    libc::SYS_modify_ldt,
    libc::SYS_uselib,
    libc::SYS__sysctl,
];
#[cfg(not(target_arch = "x86_64"))]
const DENIED_HERE: [i64; 0] = [];

/// The kinds of namespace, as flags of `clone` and `unshare` (linux/sched.h).
mod namespace {
    pub const MOUNT: u64 = 0x0002_0000;
    pub const CGROUP: u64 = 0x0200_0000;
    pub const UTS: u64 = 0x0400_0000;
    pub const IPC: u64 = 0x0800_0000;
    pub const USER: u64 = 0x1000_0000;
    pub const PID: u64 = 0x2000_0000;
    pub const NET: u64 = 0x4000_0000;
    /// Only of `unshare`: in `clone` this bit is part of the number of a signal.
    pub const TIME: u64 = 0x0000_0080;

    pub const OF_BROWSERS: [u64; 4] = [USER, PID, NET, IPC];
    pub const OTHERS: [u64; 3] = [MOUNT, CGROUP, UTS];
}

/// Input into the terminal of another process (asm-generic/ioctls.h), and the same through the
/// Linux console.
const TERMINAL: [u64; 2] = [0x5412, 0x541C];

/// The allowed execution domains: Linux, and the query of the current one.
const PERSONALITIES: [u64; 2] = [0, 0xFFFF_FFFF];

/// `AF_UNIX`, `AF_INET`, `AF_INET6`, `AF_NETLINK`.
const SOCKET_FAMILIES: [u64; 4] = [1, 2, 10, 16];

impl Filters {
    /// For the architecture of this server.
    pub fn new(namespaces: UserNamespaces) -> Result<Self, BackendError> {
        let unknown = missing()?;
        let denied = compile(denied(namespaces)?, libc::EPERM)?;
        let families = compile(families()?, libc::EAFNOSUPPORT)?;
        Ok(Self([unknown, denied, families].map(|program| bytes(&program))))
    }

    /// The name and the content of each file.
    pub fn files(&self) -> impl Iterator<Item = (&'static str, &[u8])> {
        FILES.into_iter().zip(self.0.iter().map(Vec::as_slice))
    }
}

/// The files of the filters in a session's folder; `outside.sh` opens them.
pub(crate) const FILES: [&str; 3] = ["seccomp-missing", "seccomp-denied", "seccomp-sockets"];

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// Calls that appear to be missing in this kernel, so that libraries use older calls.
fn missing() -> Result<BpfProgram, BackendError> {
    // The flags of clone3 are in memory, which a filter can't read.
    let rules = Rules::from([(libc::SYS_clone3, Vec::new())]);
    let program = compile(rules, libc::ENOSYS)?;
    Ok(if cfg!(target_arch = "x86_64") {
        without_x32(program)
    } else {
        program
    })
}

/// Denies the second table of system calls that some kernels have on x86-64. Its numbers differ
/// from those in the filters.
fn without_x32(program: BpfProgram) -> BpfProgram {
    const LOAD_NUMBER: u16 = 0x20;
    const JUMP_IF_AT_LEAST: u16 = 0x35;
    const RETURN: u16 = 0x06;
    const FIRST_OF_X32: u32 = 0x4000_0000;
    const FAIL: u32 = 0x0005_0000;
    let step = |code, jf, k| sock_filter { code, jt: 0, jf, k };
    let mut all = vec![
        step(LOAD_NUMBER, 0, 0),
        step(JUMP_IF_AT_LEAST, 1, FIRST_OF_X32),
        step(RETURN, 0, FAIL | libc::ENOSYS as u32),
    ];
    all.extend(program);
    all
}

fn denied(namespaces: UserNamespaces) -> Result<Rules, BackendError> {
    let mut rules: Rules = DENIED
        .into_iter()
        .chain(DENIED_HERE)
        .map(|call| (call, Vec::new()))
        .collect();
    let mut kinds = namespace::OTHERS.to_vec();
    if namespaces == UserNamespaces::Denied {
        kinds.extend(namespace::OF_BROWSERS);
    }
    let flag = |kind: &u64| rule(&[(0, SeccompCmpArgLen::Qword, SeccompCmpOp::MaskedEq(*kind), *kind)]);
    let clone: Vec<SeccompRule> = kinds.iter().map(flag).collect::<Result<_, _>>()?;
    kinds.push(namespace::TIME);
    let unshare: Vec<SeccompRule> = kinds.iter().map(flag).collect::<Result<_, _>>()?;
    rules.insert(libc::SYS_clone, clone);
    rules.insert(libc::SYS_unshare, unshare);
    // The kernel reads 32 bits of a request.
    let request = |number: u64| rule(&[(1, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, number)]);
    rules.insert(
        libc::SYS_ioctl,
        TERMINAL.map(request).into_iter().collect::<Result<_, _>>()?,
    );
    rules.insert(libc::SYS_personality, vec![none_of(&PERSONALITIES)?]);
    Ok(rules)
}

fn families() -> Result<Rules, BackendError> {
    let rule = none_of(&SOCKET_FAMILIES)?;
    Ok(Rules::from([
        (libc::SYS_socket, vec![rule.clone()]),
        (libc::SYS_socketpair, vec![rule]),
    ]))
}

/// Matches if the first argument is none of these.
fn none_of(values: &[u64]) -> Result<SeccompRule, BackendError> {
    let differs = |value: &u64| (0, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, *value);
    rule(&values.iter().map(differs).collect::<Vec<_>>())
}

/// Matches if all conditions match: number of the argument, its length, comparison, value.
fn rule(conditions: &[(u8, SeccompCmpArgLen, SeccompCmpOp, u64)]) -> Result<SeccompRule, BackendError> {
    let conditions = conditions
        .iter()
        .map(|(argument, length, compare, value)| {
            SeccompCondition::new(*argument, length.clone(), compare.clone(), *value)
        })
        .collect::<Result<_, _>>()?;
    SeccompRule::new(conditions)
}

fn compile(rules: Rules, error: i32) -> Result<BpfProgram, BackendError> {
    let fail = SeccompAction::Errno(error.unsigned_abs());
    let arch = TargetArch::try_from(std::env::consts::ARCH)?;
    SeccompFilter::new(rules, SeccompAction::Allow, fail, arch)?.try_into()
}

/// The memory layout of `struct sock_filter`.
fn bytes(program: &BpfProgram) -> Vec<u8> {
    let instruction = |step: &sock_filter| {
        let mut bytes = step.code.to_ne_bytes().to_vec();
        bytes.extend([step.jt, step.jf]);
        bytes.extend(step.k.to_ne_bytes());
        bytes
    };
    program.iter().flat_map(instruction).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_filter_is_a_program_that_the_kernel_takes() {
        for namespaces in [UserNamespaces::Denied, UserNamespaces::Allowed] {
            let filters = Filters::new(namespaces).unwrap();
            for (name, program) in filters.files() {
                assert_eq!(program.len() % 8, 0, "{name}");
                assert!((1..=4096).contains(&(program.len() / 8)), "{name}");
            }
        }
        let [denied, allowed] =
            [UserNamespaces::Denied, UserNamespaces::Allowed].map(|each| Filters::new(each).unwrap());
        assert_ne!(denied, allowed);
    }

    #[test]
    fn the_first_filter_begins_with_the_second_table() {
        let program = without_x32(Vec::new());
        assert_eq!(program.len(), 3);
        // The jump skips the return: one instruction.
        assert_eq!((program[1].jt, program[1].jf), (0, 1));
        assert_eq!(program[2].k & 0xFFFF, libc::ENOSYS as u32);
    }
}
