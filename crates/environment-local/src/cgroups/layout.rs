//! The cgroup hierarchies that this process sees, read from `/proc/self/cgroup` and
//! `/proc/self/mountinfo`. Pure.

use std::path::{Component, Path, PathBuf};

/// The interface of a hierarchy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    V1,
    V2,
}

/// The controllers that limit a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Controller {
    Memory,
    Pids,
    Cpu,
}

impl Controller {
    pub const ALL: [Self; 3] = [Self::Memory, Self::Pids, Self::Cpu];

    /// Name in `cgroup.controllers`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Pids => "pids",
            Self::Cpu => "cpu",
        }
    }

    /// The controllers of [`Controller::ALL`] in a list of names.
    pub fn among<'a>(names: impl Iterator<Item = &'a str> + Clone) -> Vec<Self> {
        let named = |controller: &Self| names.clone().any(|name| name == controller.name());
        Self::ALL.into_iter().filter(named).collect()
    }
}

/// A mounted hierarchy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hierarchy {
    pub version: Version,
    /// The controllers of a v1 hierarchy. Empty in v2, where each group has its own list.
    pub controllers: Vec<Controller>,
    /// Mount point from `/proc/self/mountinfo`.
    pub mount: PathBuf,
    /// The group of this process.
    pub own: PathBuf,
}

/// All useful hierarchies, v2 first. `root` is prepended to each mount point; it is `/` except in
/// tests.
pub(super) fn hierarchies(cgroup: &str, mountinfo: &str, root: &Path) -> Vec<Hierarchy> {
    let mut found = Vec::new();
    let mut mounts: Vec<Mount<'_>> = mountinfo.lines().filter_map(Mount::parse).collect();
    // The same hierarchy may be mounted several times. The kernel refuses all changes in a
    // read-only mount.
    mounts.sort_by_key(|mount| (mount.version == Version::V1, mount.read_only));
    for mount in mounts {
        if mount.version == Version::V1 && mount.controllers.is_empty() {
            continue;
        }
        let same = |each: &Hierarchy| each.version == mount.version && each.controllers == mount.controllers;
        let Some(path) = own_path(cgroup, &mount).filter(|_| !found.iter().any(same)) else {
            continue;
        };
        let at = root.join(mount.at.trim_start_matches('/'));
        // Inside a container the path may be that of the host. Then the root of the mount is this
        // process's group.
        let below = Path::new(path).strip_prefix(mount.root).ok();
        let below = below.filter(|below| below.components().all(|part| matches!(part, Component::Normal(_))));
        let own = match below {
            Some(below) if below != Path::new("") => at.join(below),
            _ => at.clone(),
        };
        found.push(Hierarchy {
            version: mount.version,
            own,
            controllers: mount.controllers,
            mount: at,
        });
    }
    found
}

/// The path of this process in the hierarchy of a mount.
fn own_path<'a>(cgroup: &'a str, mount: &Mount<'_>) -> Option<&'a str> {
    let mut lines = cgroup
        .lines()
        .filter_map(|line| line.split_once(':')?.1.split_once(':'));
    let same = |controllers: &str| match mount.version {
        Version::V2 => controllers.is_empty(),
        Version::V1 => Controller::among(controllers.split(',')) == mount.controllers,
    };
    lines.find(|(controllers, _)| same(controllers)).map(|(_, path)| path)
}

/// A line of mountinfo that shows a cgroup hierarchy.
struct Mount<'a> {
    version: Version,
    controllers: Vec<Controller>,
    /// The group at the mount point.
    root: &'a str,
    at: &'a str,
    read_only: bool,
}

impl<'a> Mount<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        // 36 35 98:0 ROOT POINT OPTIONS [optional fields…] - TYPE SOURCE SUPER_OPTIONS
        let (mount, filesystem) = line.split_once(" - ")?;
        let mut fields = mount.split(' ').skip(3);
        let (root, at, options) = (fields.next()?, fields.next()?, fields.next()?);
        let mut fields = filesystem.split(' ');
        let version = match fields.next()? {
            "cgroup" => Version::V1,
            "cgroup2" => Version::V2,
            _ => return None,
        };
        let of_hierarchy = fields.nth(1)?;
        let controllers = match version {
            Version::V1 => Controller::among(of_hierarchy.split(',')),
            Version::V2 => Vec::new(),
        };
        let read_only = [options, of_hierarchy]
            .iter()
            .any(|options| options.split(',').any(|option| option == "ro"));
        Some(Self {
            version,
            controllers,
            root,
            at,
            read_only,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(cgroup: &str, mountinfo: &str) -> Vec<(Version, Vec<Controller>, String)> {
        hierarchies(cgroup, mountinfo, Path::new("/"))
            .into_iter()
            .map(|each| (each.version, each.controllers, each.own.display().to_string()))
            .collect()
    }

    #[test]
    fn a_systemd_unit_on_v2() {
        let cgroup = "0::/system.slice/cloud-delivery.service/server\n";
        let mountinfo = "24 30 0:22 / /proc rw - proc proc rw\n\
            29 23 0:26 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:9 - cgroup2 cgroup2 rw,nsdelegate\n";
        let own = "/sys/fs/cgroup/system.slice/cloud-delivery.service/server".to_owned();
        assert_eq!(seen(cgroup, mountinfo), [(Version::V2, vec![], own)]);
    }

    #[test]
    fn a_container_whose_paths_are_the_hosts() {
        let mountinfo = "29 23 0:26 /docker/one /sys/fs/cgroup ro,nosuid - cgroup2 cgroup rw\n";
        for cgroup in ["0::/docker/one\n", "0::/\n", "0::/../two\n"] {
            assert_eq!(
                seen(cgroup, mountinfo),
                [(Version::V2, vec![], "/sys/fs/cgroup".to_owned())]
            );
        }
        let whole = mountinfo.replace("/docker/one", "/");
        assert_eq!(seen("0::/../two\n", &whole), seen("0::/\n", &whole));
        let below = seen("0::/docker/one/init\n", mountinfo);
        assert_eq!(below, [(Version::V2, vec![], "/sys/fs/cgroup/init".to_owned())]);
    }

    #[test]
    fn each_hierarchy_of_v1_with_its_own_path() {
        let cgroup = "9:memory:/a\n8:pids:/b\n3:cpu,cpuacct:/\n2:freezer:/\n1:name=systemd:/c\n";
        let mountinfo = "1 0 0:1 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n\
            2 0 0:2 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n\
            3 0 0:3 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n\
            4 0 0:4 / /sys/fs/cgroup/freezer rw - cgroup cgroup rw,freezer\n\
            5 0 0:5 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd\n";
        assert_eq!(
            seen(cgroup, mountinfo),
            [
                (
                    Version::V1,
                    vec![Controller::Memory],
                    "/sys/fs/cgroup/memory/a".to_owned()
                ),
                (Version::V1, vec![Controller::Pids], "/sys/fs/cgroup/pids/b".to_owned()),
                (
                    Version::V1,
                    vec![Controller::Cpu],
                    "/sys/fs/cgroup/cpu,cpuacct".to_owned()
                ),
            ]
        );
    }

    #[test]
    fn hybrid_has_both_and_a_writable_mount_comes_before_a_read_only_one() {
        let cgroup = "4:memory:/m\n0::/u\n";
        let mountinfo = "1 0 0:1 / /old/memory ro - cgroup cgroup rw,memory\n\
            2 0 0:1 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n\
            3 0 0:9 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";
        assert_eq!(
            seen(cgroup, mountinfo),
            [
                (Version::V2, vec![], "/sys/fs/cgroup/unified/u".to_owned()),
                (
                    Version::V1,
                    vec![Controller::Memory],
                    "/sys/fs/cgroup/memory/m".to_owned()
                ),
            ]
        );
    }

    #[test]
    fn nothing_is_found_where_there_is_nothing() {
        assert_eq!(seen("", ""), []);
        assert_eq!(seen("0::/\n", "rubbish\n1 2 - cgroup2\n - \n"), []);
    }
}
