//! Sessions of a server that crashed: their folders, and possibly a bwrap that waits indefinitely.
//! Of bwrap's two processes, the outer one always dies with the server. The inner one is not tied
//! to it for a few milliseconds, between its clone and the end of its preparations. No application
//! runs in it at that time.
//!
//! A session's folder exists before its first process, and its id is in the command line of the
//! outer bwrap and of the sandbox's pid 1 from the start. So nothing needs to be recorded after a
//! spawn, when a crash could prevent it. A process is identified by number and start time, and
//! ended through its descriptor.

use std::{
    collections::HashSet,
    fs, io,
    path::Path,
    time::{Duration, Instant},
};

use session::SessionId;

use crate::{
    cgroups::Cgroups,
    processes::{self, Process},
    sandbox::MARK,
};

/// The time limit for the end of all these processes together.
const PATIENCE: Duration = Duration::from_secs(5);

/// Ends and removes all sessions of earlier servers in `run_dir`, and returns their number. Nothing
/// else may use `run_dir` at that time.
pub(crate) fn clear(run_dir: &Path, cgroups: &Cgroups) -> io::Result<usize> {
    let mut sessions = HashSet::new();
    for entry in fs::read_dir(run_dir)? {
        let name = entry?.file_name();
        sessions.extend(name.to_str().and_then(|name| name.parse::<SessionId>().ok()));
    }
    if sessions.is_empty() {
        return Ok(0);
    }
    end(&sessions)?;
    for session in &sessions {
        cgroups.remove(*session);
        fs::remove_dir_all(run_dir.join(session.to_string()))?;
    }
    Ok(sessions.len())
}

/// Ends every process of these sessions and waits until they are gone.
pub(crate) fn end(sessions: &HashSet<SessionId>) -> io::Result<()> {
    let mut ended = Vec::new();
    for pid in processes::all() {
        let Some(started) = processes::started(pid) else {
            continue;
        };
        if marked(&processes::command_line(pid)).is_none_or(|session| !sessions.contains(&session)) {
            continue;
        }
        let Some(process) = Process::open(pid)? else { continue };
        // The descriptor is open: if the process is still the same, its number can't be reused any
        // more.
        if processes::started(pid) == Some(started) {
            process.kill()?;
            ended.push(process);
        }
    }
    let deadline = Instant::now() + PATIENCE;
    for process in ended {
        if !process.wait_for(deadline.saturating_duration_since(Instant::now()))? {
            return Err(io::Error::new(
                io::ErrorKind::TimedOut,
                "a process of an earlier session does not end",
            ));
        }
    }
    Ok(())
}

/// The session in the command line of a sandbox.
fn marked(words: &[String]) -> Option<SessionId> {
    let mark = words.iter().position(|word| word == MARK)?;
    words.get(mark + 1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::{
        io::Read,
        process::{Command, Stdio},
    };

    use uuid::Uuid;

    use super::*;

    #[test]
    fn marked_processes_of_these_folders_end_and_no_others() {
        let run_dir = tempfile::tempdir().unwrap();
        let (ours, theirs) = (SessionId(Uuid::now_v7()), SessionId(Uuid::now_v7()));
        fs::create_dir(run_dir.path().join(ours.to_string())).unwrap();
        fs::write(run_dir.path().join("lock"), "").unwrap();
        let spawn = |session: SessionId| {
            let mut command = Command::new("sh");
            command.args(["-c", "echo; read -r word", MARK, &session.to_string()]);
            let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
            // The command line appears shortly after the spawn.
            child.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
            child
        };
        let (mut our_child, mut their_child) = (spawn(ours), spawn(theirs));
        assert_eq!(clear(run_dir.path(), &Cgroups::default()).unwrap(), 1);
        assert!(!our_child.wait().unwrap().success());
        assert!(their_child.try_wait().unwrap().is_none());
        their_child.kill().unwrap();
        their_child.wait().unwrap();
        let left: Vec<_> = fs::read_dir(run_dir.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(left, ["lock"]);
        assert_eq!(clear(run_dir.path(), &Cgroups::default()).unwrap(), 0);
    }

    #[test]
    fn a_mark_without_an_id_is_none() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(marked(&words("bwrap --setenv CLOUD_DELIVERY_SESSION")), None);
        assert_eq!(marked(&words("grep CLOUD_DELIVERY_SESSION file")), None);
        assert_eq!(marked(&[]), None);
    }
}
