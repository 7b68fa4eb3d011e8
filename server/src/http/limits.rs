//! Timeouts and maximum numbers of connections.

use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Open files beside connections: the database, the log, the listener, and pipes of starting
/// programs.
const OTHER_FILES: u64 = 64;

/// Timeouts for clients, and limits on their connections.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Timeout for the head of a request. It also limits the idle time of a connection, because
    /// hyper has one timer for both.
    pub request_head: Duration,
    /// Timeout for the whole body of a request.
    pub request_body: Duration,
    /// Time after which a client is cut off that reads nothing of a pending answer: a page,
    /// server-sent events or a session's stream.
    pub stalled: Duration,
    /// Time after which a session's tab is closed that sends nothing, not even the answer to a
    /// ping.
    pub silent_tab: Duration,
    /// Concurrent connections, upgraded ones included.
    pub connections: usize,
    /// Concurrent connections of one address.
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

/// The number of connections for a limit of open files. A tab needs a second file, its
/// application's socket or a connection to another node. So half of the files are reserved, and
/// `accept` never fails for lack of one.
pub fn connections(open_files: u64) -> usize {
    let half = open_files.saturating_sub(OTHER_FILES) / 2;
    // The limit can be “unlimited”. No machine has memory for more connections than this.
    usize::try_from(half.clamp(16, 1 << 20)).unwrap_or(1 << 20)
}

/// Raises the soft limit of open files to the hard limit, and returns the limit in effect. Each
/// connection is a file. Most systems start a process with a soft limit of 1,024 and a far higher
/// hard limit.
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
