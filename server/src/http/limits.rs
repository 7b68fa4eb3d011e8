//! The limits of connections: in time, and in number.

use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Open files beside connections: the database, the log, the listener, pipes of programs that start.
const OTHER_FILES: u64 = 64;

/// What a client may take of the server.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How long the head of a request may take to arrive. It also limits how long a connection may be idle: hyper has
    /// one timer for both.
    pub request_head: Duration,
    /// How long the body of a request may take to arrive, as a whole.
    pub request_body: Duration,
    /// How long a client may read nothing of what waits for it: a page, server-sent events, a session's stream.
    pub stalled: Duration,
    /// How long a session's tab may send nothing, not even the answer to a ping.
    pub silent_tab: Duration,
    /// Connections at the same time. Those that were upgraded count.
    pub connections: usize,
    /// Connections of one address at the same time.
    pub connections_per_address: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            request_head: Duration::from_secs(30),
            request_body: Duration::from_secs(30),
            stalled: Duration::from_secs(30),
            silent_tab: Duration::from_secs(30),
            connections: connections(1024),
            connections_per_address: 4096,
        }
    }
}

/// Connections that fit into a limit of open files. Half of the files are kept for what a connection opens: a tab needs
/// its application's socket, or a connection to another node. So `accept` never fails for want of a file.
pub fn connections(open_files: u64) -> usize {
    let half = open_files.saturating_sub(OTHER_FILES) / 2;
    // A limit of files can be “unlimited”. No machine has memory for more connections than this.
    usize::try_from(half.clamp(16, 1 << 20)).unwrap_or(1 << 20)
}

/// Raises the limit of open files as far as it goes, and answers what it is then. Each connection is a file. A shell gives a
/// process 1,024 at first, and allows many more.
pub fn raise_open_files() -> u64 {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let all = Rlimit {
        current: maximum,
        maximum,
    };
    // `None` is “unlimited”.
    match setrlimit(Resource::Nofile, all) {
        Ok(()) => maximum.unwrap_or(u64::MAX),
        Err(error) => {
            tracing::warn!(%error, "could not raise the open-file limit; fewer connections will be accepted");
            current.unwrap_or(u64::MAX)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_files_for_everything_else() {
        assert_eq!(connections(1024), 480);
        assert_eq!(connections(0), 16);
        assert_eq!(connections(u64::MAX), 1 << 20);
    }
}
