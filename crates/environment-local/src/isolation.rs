//! The isolation between sessions that this host offers: detected once at the start, and logged.

use std::{
    fs,
    sync::atomic::{AtomicBool, Ordering},
};

use environments::EnvironmentError;

use crate::{
    cgroups::Cgroups,
    identities::{Identities, may_mount},
    limits::{Enforced, Limit, PER_SESSION},
    sandbox::{HomeMount, Host, NamespaceLimit, Proc, ProcessLimit},
    syscalls::{Filters, UserNamespaces},
};

/// The features of this host, and those that failed in use.
#[derive(Debug)]
pub(crate) struct Isolation {
    pub identities: Identities,
    pub cgroups: Cgroups,
    pub processes: ProcessLimit,
    enforced: Enforced,
    without_namespaces: Filters,
    with_namespaces: Filters,
    /// Set after this host refused a private `/proc` for a sandbox.
    no_proc: AtomicBool,
    /// Set if this server may not mount, or after this host refused a private mount of a home.
    no_mount: AtomicBool,
    /// Set after this host refused to limit the user namespaces of a sandbox.
    no_namespace_limit: AtomicBool,
}

impl Isolation {
    /// Detects the features of this host.
    pub fn detect() -> Result<Self, EnvironmentError> {
        let unsupported = |error| EnvironmentError::Failed(format!("system calls can't be filtered: {error}"));
        let filters = |namespaces| Filters::new(namespaces).map_err(unsupported);
        let (identities, cgroups) = (Identities::detect(), Cgroups::detect(PER_SESSION));
        let in_cgroups = Enforced::new(cgroups.limits());
        let processes = match rustix::system::uname().release().to_string_lossy() {
            _ if in_cgroups.has(Limit::Processes) => ProcessLimit::Cgroup,
            _ if identities.are_given() => ProcessLimit::User,
            release if counts_by_namespace(&release) => ProcessLimit::Namespace,
            _ => ProcessLimit::None,
        };
        let limited = (processes != ProcessLimit::None).then_some(Limit::Processes);
        let enforced = Enforced::new(cgroups.limits().chain(limited));
        Ok(Self {
            identities,
            cgroups,
            processes,
            enforced,
            without_namespaces: filters(UserNamespaces::Denied)?,
            with_namespaces: filters(UserNamespaces::Allowed)?,
            no_proc: AtomicBool::new(false),
            no_mount: AtomicBool::new(!may_mount(&fs::read_to_string("/proc/self/status").unwrap_or_default())),
            no_namespace_limit: AtomicBool::new(false),
        })
    }

    /// The limits that this host could put in force.
    pub fn enforced(&self) -> &Enforced {
        &self.enforced
    }

    /// Logs the limits in force, and warns of each missing one.
    pub fn report(&self) {
        tracing::info!("{}", self.enforced.words(PER_SESSION));
        for limit in self.enforced.absent() {
            tracing::warn!(
                "this host does not limit the {} of a session: one session can exhaust it for the others and for the server",
                limit.label()
            );
        }
        if self.identities.are_given() {
            tracing::info!("each session runs as a user of its own, or of the owner of its home");
        } else {
            tracing::warn!("the server may not become another user: all sessions run as its own user");
        }
    }

    /// The filters of system calls for a session.
    pub fn filters(&self, namespaces: UserNamespaces) -> &Filters {
        match namespaces {
            UserNamespaces::Denied => &self.without_namespaces,
            UserNamespaces::Allowed => &self.with_namespaces,
        }
    }

    /// The kind of `/proc` in a sandbox.
    pub fn proc(&self) -> Proc {
        if self.no_proc.load(Ordering::Acquire) {
            Proc::Empty
        } else {
            Proc::Own
        }
    }

    /// The way of a kept home into a sandbox.
    pub fn home_mount(&self, host: &Host) -> HomeMount {
        if self.no_mount.load(Ordering::Acquire) || !host.can_mount() || !self.identities.are_given() {
            HomeMount::Path
        } else {
            HomeMount::Private
        }
    }

    /// The limit of user namespaces in a sandbox.
    pub fn namespace_limit(&self) -> NamespaceLimit {
        if self.no_namespace_limit.load(Ordering::Acquire) {
            NamespaceLimit::Filter
        } else {
            NamespaceLimit::KernelAndFilter
        }
    }

    /// Detects from the last output of a failed start a feature that this host refuses. True if
    /// that is new: then another attempt without the feature may succeed.
    pub fn learn(&self, last_words: &str) -> bool {
        /// bwrap's message if a new `/proc` is forbidden, as in many containers.
        const NO_PROC: &str = "Can't mount proc";
        /// The file that bwrap can't write if `/proc/sys` is read-only.
        const NO_NAMESPACE_LIMIT: &str = "max_user_namespaces";
        /// The messages of `unshare` and `mount`, as in containers whose security module forbids them.
        const NO_MOUNT: [&str; 2] = ["unshare: ", "mount: /tmp: "];
        let (refused, consequence) = if last_words.contains(NO_PROC) {
            (
                &self.no_proc,
                "this host does not allow a private /proc in sandboxes; mounting an empty one",
            )
        } else if NO_MOUNT.iter().any(|message| last_words.contains(message)) {
            let consequence = "this host does not allow private mounts; sessions reach their homes by path";
            (&self.no_mount, consequence)
        } else if last_words.contains(NO_NAMESPACE_LIMIT) {
            let consequence = "this host does not let the kernel limit user namespaces in sandboxes; only the filter \
                of system calls denies them";
            (&self.no_namespace_limit, consequence)
        } else {
            return false;
        };
        let known = refused.swap(true, Ordering::AcqRel);
        if !known {
            tracing::warn!(last_words, "{consequence}");
        }
        true
    }
}

/// True if a kernel of this release, e.g. `6.1.0-18-amd64`, counts the processes of a user
/// separately in each user namespace.
fn counts_by_namespace(release: &str) -> bool {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(str::parse::<u32>);
    matches!((numbers.next(), numbers.next()), (Some(Ok(major)), Some(Ok(minor))) if (major, minor) >= (5, 14))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_counts_processes_by_namespace_since_5_14() {
        for release in ["5.14.0", "6.1.0-18-amd64", "10.0"] {
            assert!(counts_by_namespace(release), "{release}");
        }
        for release in ["5.13.19", "4.19.0-26-amd64", "5", "", "x.y"] {
            assert!(!counts_by_namespace(release), "{release}");
        }
    }

    #[test]
    fn what_the_host_refused_is_not_tried_again() {
        let isolation = Isolation::detect().unwrap();
        assert_eq!(isolation.proc(), Proc::Own);
        assert!(isolation.learn("bwrap: Can't mount proc on /newroot/proc: Operation not permitted"));
        assert_eq!(isolation.proc(), Proc::Empty);
        assert_eq!(isolation.namespace_limit(), NamespaceLimit::KernelAndFilter);
        assert!(isolation.learn("bwrap: cannot open /proc/sys/user/max_user_namespaces: Read-only file system"));
        assert_eq!(isolation.namespace_limit(), NamespaceLimit::Filter);
        assert!(!isolation.learn("bwrap: No permissions to creating new namespace"));
    }
}
