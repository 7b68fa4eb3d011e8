//! What a server that crashed left: folders of sessions, and perhaps a bwrap that waits for ever. Of bwrap's two
//! processes the outer dies with the server at any moment, but for the few milliseconds between its clone and the end
//! of its preparations the inner one waits for it and has no tie yet. No application runs there by then.
//!
//! A session's folder is made before its first process, and its id stands in the command line of the outer bwrap and
//! of the sandbox's pid 1 from the first moment on. So nothing has to be written down after a spawn, when it could be
//! too late. A process is taken by number and start time, and ended through its descriptor.

use std::{
    collections::HashSet,
    fs, io,
    path::Path,
    time::{Duration, Instant},
};

use session::SessionId;

use super::{
    cgroups::Cgroups,
    processes::{self, Process},
    sandbox::MARK,
};

/// How long the ended may take to be gone, all together.
const PATIENCE: Duration = Duration::from_secs(5);

/// Ends and removes all that earlier servers left in `run_dir`, and says how many sessions that were. Nobody else may
/// use `run_dir` at that time.
pub(super) fn clear(run_dir: &Path, cgroups: &Cgroups) -> io::Result<usize> {
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
pub(super) fn end(sessions: &HashSet<SessionId>) -> io::Result<()> {
    let mut ended = Vec::new();
    for pid in processes::all() {
        let Some(started) = processes::started(pid) else {
            continue;
        };
        if marked(&processes::command_line(pid)).is_none_or(|session| !sessions.contains(&session)) {
            continue;
        }
        let Some(process) = Process::open(pid)? else { continue };
        // Held now: if it is still the one that was read, the number can't change hands any more.
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

/// The session whose sandbox a command line starts.
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
            // Its command line is there a moment after the spawn only.
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
