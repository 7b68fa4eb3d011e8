//! Processes of this host: identified by descriptor, so that a reused number never hits another
//! process, and read from `/proc`.

use std::{
    collections::HashSet,
    fs, io,
    os::fd::OwnedFd,
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::{Mode, OFlags, ResolveFlags, open, openat2},
    process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal},
};

/// A process. Dropping this does not end it.
#[derive(Debug)]
pub(crate) struct Process {
    descriptor: OwnedFd,
    pid: i32,
}

impl Process {
    /// Opens a process. `Ok(None)` if none has that number.
    pub fn open(pid: i32) -> io::Result<Option<Self>> {
        let Some(number) = Pid::from_raw(pid) else {
            return Ok(None);
        };
        match pidfd_open(number, PidfdFlags::empty()) {
            Ok(descriptor) => Ok(Some(Self { descriptor, pid })),
            Err(rustix::io::Errno::SRCH) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Sends SIGKILL. Succeeds if the process has ended already.
    pub fn kill(&self) -> io::Result<()> {
        match pidfd_send_signal(&self.descriptor, Signal::KILL) {
            Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Opens a folder as the process sees it. The caller must be a thread of its user: see
    /// [`as_user`](crate::as_user::as_user).
    pub fn folder(&self, path: &str) -> io::Result<OwnedFd> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = open(format!("/proc/{}/root", self.pid), flags, Mode::empty())?;
        // Otherwise another process has the number now.
        if self.wait_for(Duration::ZERO)? {
            return Err(io::ErrorKind::NotFound.into());
        }
        let within = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        Ok(openat2(root, path, flags, Mode::empty(), within)?)
    }

    /// Blocks this thread until the process has ended. The first process of a pid namespace ends
    /// after all others in the namespace.
    pub fn wait(&self) -> io::Result<()> {
        while !self.wait_for(Duration::from_secs(60))? {}
        Ok(())
    }

    /// The same with a time limit. True if the process has ended.
    pub fn wait_for(&self, patience: Duration) -> io::Result<bool> {
        let deadline = Instant::now() + patience;
        loop {
            let left = Timespec::try_from(deadline.saturating_duration_since(Instant::now()));
            let mut ended = [PollFd::new(&self.descriptor, PollFlags::IN)];
            match poll(&mut ended, Some(&left.map_err(io::Error::other)?)) {
                Ok(many) => return Ok(many > 0),
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// The numbers of all processes.
pub(crate) fn all() -> impl Iterator<Item = i32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// All user ids of all processes: real, effective, saved and of the file system.
pub(crate) fn users() -> HashSet<u32> {
    let of = |pid| {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let ids = status
            .lines()
            .find_map(|line| line.strip_prefix("Uid:"))
            .unwrap_or_default();
        ids.split_whitespace()
            .filter_map(|id| id.parse().ok())
            .collect::<Vec<u32>>()
    };
    all().flat_map(of).collect()
}

/// The command line of a process. Empty for kernel threads and for a process that has ended.
pub(crate) fn command_line(pid: i32) -> Vec<String> {
    let bytes = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    bytes
        .split(|byte| *byte == 0)
        .map(|word| String::from_utf8_lossy(word).into_owned())
        .collect()
}

/// The start time of a process, in ticks since boot. Number and start time together identify a
/// process.
pub(crate) fn started(pid: i32) -> Option<u64> {
    start_in(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

fn start_in(stat: &str) -> Option<u64> {
    // The second field is the name, in brackets, and may contain any character. The 22nd is the
    // start time.
    stat.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        process::{Command, Stdio},
    };

    use super::*;

    #[test]
    fn the_start_is_read_past_any_name() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4 5 6 7 8 9 10 11 12 20 0 1 0 4711 99 88";
        assert_eq!(start_in(stat), Some(4711));
        assert_eq!(start_in("rubbish"), None);
    }

    #[test]
    fn a_process_is_seen_held_and_ended() {
        let mut command = Command::new("cat");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        // An echo, because the command line appears shortly after the spawn.
        child.stdin.as_mut().unwrap().write_all(b"x").unwrap();
        child.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
        let pid = i32::try_from(child.id()).unwrap();
        assert!(all().any(|each| each == pid));
        assert_eq!(command_line(pid), ["cat", ""]);
        assert!(started(pid).is_some());
        let process = Process::open(pid).unwrap().unwrap();
        assert!(!process.wait_for(Duration::ZERO).unwrap());
        process.kill().unwrap();
        assert!(process.wait_for(Duration::from_secs(60)).unwrap());
        child.wait().unwrap();
        process.kill().unwrap();
        assert!(Process::open(pid).unwrap().is_none());
    }

    #[test]
    fn this_user_is_in_use() {
        assert!(users().contains(&rustix::process::getuid().as_raw()));
    }
}
