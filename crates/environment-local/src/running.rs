//! A sandbox, from its spawn to the end of its last process.

use std::{
    collections::{HashSet, VecDeque},
    ffi::OsString,
    io,
    os::{
        fd::OwnedFd,
        unix::{net::UnixStream as StdUnixStream, process::ExitStatusExt},
    },
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use session::SessionId;
use tokio::{
    io::AsyncReadExt,
    net::{UnixStream, unix::pipe},
    task::spawn_blocking,
    time::timeout,
};

use crate::{
    desk::Command as DeskCommand,
    launcher::Launcher,
    leftovers,
    processes::Process,
    readiness::{Readiness, Report},
};

/// The time limit for the end of the outer process after the inner one. It usually takes a
/// millisecond.
const GRACE: Duration = Duration::from_millis(200);

/// The number of bytes of a sandbox's stderr to keep for the reason of a failed start.
const NOISE: usize = 4096;

/// The last output on stderr.
type Noise = Arc<Mutex<Vec<u8>>>;

/// A running sandbox. Dropping this does not end it: call [`Running::end`].
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    outer: Process,
    inner: Option<Arc<Process>>,
    /// Reports in one direction, commands in the other.
    status: UnixStream,
    readiness: Readiness,
    reports: VecDeque<Report>,
    noise: Noise,
}

/// A change of a sandbox that its supervisor must act on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// Any report but `Init`.
    Report(Report),
    /// Nothing of the sandbox is left.
    Ended,
}

impl Running {
    /// Runs a command line with `stdin`, and no other descriptor of this process.
    pub async fn spawn(launcher: &Launcher, line: Vec<OsString>, stdin: Stdio) -> io::Result<Self> {
        let mut words = line.into_iter();
        let mut command = Command::new(words.next().unwrap_or_default());
        command.args(words).env_clear().current_dir("/");
        let (status, inside) = StdUnixStream::pair()?;
        status.set_nonblocking(true)?;
        let status = UnixStream::from_std(status)?;
        // Only the sandbox holds the other end, so it closes when nothing of the sandbox is left.
        command
            .stdin(stdin)
            .stdout(OwnedFd::from(inside))
            .stderr(Stdio::piped());
        let mut child = launcher.spawn(command).await?;
        match Self::hold(&mut child) {
            Ok((outer, noise)) => Ok(Self {
                child,
                outer,
                inner: None,
                status,
                readiness: Readiness::default(),
                reports: VecDeque::new(),
                noise,
            }),
            Err(error) => {
                // It can't be monitored, so it must end.
                child.kill()?;
                child.wait()?;
                Err(error)
            }
        }
    }

    fn hold(child: &mut Child) -> io::Result<(Process, Noise)> {
        let pid = i32::try_from(child.id()).map_err(io::Error::other)?;
        let process = Process::open(pid)?.ok_or_else(|| io::Error::other("a program ended unseen"))?;
        let stderr = child
            .stderr
            .take()
            .ok_or_else(|| io::Error::other("a pipe is missing"))?;
        let stderr = pipe::Receiver::from_owned_fd(stderr.into())?;
        let noise = Noise::default();
        tokio::spawn(listen(stderr, Arc::clone(&noise)));
        Ok((process, noise))
    }

    /// Waits for the next event. May be dropped and called again.
    pub async fn next(&mut self) -> io::Result<Event> {
        let mut bytes = [0; 512];
        loop {
            while let Some(report) = self.reports.pop_front() {
                match report {
                    Report::Init(pid) => self.inner = Process::open(pid)?.map(Arc::new),
                    report => return Ok(Event::Report(report)),
                }
            }
            let many = match self.status.read(&mut bytes).await {
                Ok(many) => many,
                // It ended with unread commands.
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => 0,
                Err(error) => return Err(error),
            };
            if many == 0 {
                // Only a running sandbox keeps the other end open.
                return Ok(Event::Ended);
            }
            self.reports.extend(self.readiness.feed(&bytes[..many]));
        }
    }

    /// The first process inside; `None` before its report.
    pub fn inner(&self) -> Option<Arc<Process>> {
        self.inner.clone()
    }

    /// Returns when the number of the inner process is known, or the sandbox has ended.
    async fn init(&mut self) {
        while self.inner.is_none() && matches!(self.next().await, Ok(Event::Report(_))) {}
    }

    /// Sends a command. Drops it if the sandbox does not read: nothing may wait for a sandbox.
    pub fn send(&self, command: DeskCommand) {
        let line = command.line();
        if !matches!(self.status.try_write(line.as_bytes()), Ok(written) if written == line.len()) {
            tracing::debug!(?command, "a sandbox does not read its commands; dropped one");
        }
    }

    /// Ends the sandbox. Returns the status of the outer process and its last output when nothing
    /// of the sandbox is left.
    ///
    /// The inner process ends first, and with it everything in its pid namespace. The outer one
    /// then reaps it, so it leaves no zombie to a container's pid 1, which may not reap orphans.
    pub async fn end(mut self, session: SessionId) -> io::Result<(ExitStatus, String)> {
        if self.inner.is_none() {
            // For a few milliseconds, between its clone and its report, bwrap has a child that does
            // not depend on it yet. If bwrap is killed at that time, the child waits indefinitely.
            let _ended_or_reported = timeout(GRACE, self.init()).await;
        }
        let Self {
            child,
            outer,
            inner,
            noise,
            ..
        } = self;
        let ending = spawn_blocking(move || finish(child, &outer, inner.as_deref(), session));
        let status = ending.await.map_err(io::Error::other)??;
        let noise = noise.lock().unwrap_or_else(PoisonError::into_inner);
        Ok((status, last_line(&noise)))
    }
}

fn finish(mut child: Child, outer: &Process, inner: Option<&Process>, session: SessionId) -> io::Result<ExitStatus> {
    if let Some(inner) = inner {
        inner.kill()?;
        inner.wait()?;
        outer.wait_for(GRACE)?;
    }
    outer.kill()?;
    outer.wait()?;
    if inner.is_none() {
        leftovers::end(&HashSet::from([session]))?;
    }
    child.wait()
}

/// The text of an end, for people. `ready` is true if the application had been started.
pub(crate) fn describe(status: ExitStatus, last_words: &str, ready: bool) -> String {
    // The status of a shell whose child was ended by a signal is 128 plus the signal.
    let signal = status
        .signal()
        .or_else(|| status.code().filter(|code| *code > 128).map(|code| code - 128));
    match (ready, signal, status.code()) {
        (true, Some(signal), _) => format!("the application was ended by signal {signal}"),
        (true, None, Some(0)) | (true, None, None) => "the application ended".to_owned(),
        (true, None, Some(code)) => format!("the application ended with status {code}"),
        (false, ..) if last_words.is_empty() => format!("the application could not be started ({status})"),
        (false, ..) => format!("the application could not be started: {last_words}"),
    }
}

/// Reads a pipe to its end, so that no writer ever blocks, and keeps the last bytes.
async fn listen(mut stderr: pipe::Receiver, noise: Noise) {
    let mut bytes = [0; 1024];
    while let Ok(many @ 1..) = stderr.read(&mut bytes).await {
        let mut kept = noise.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend_from_slice(&bytes[..many]);
        let excess = kept.len().saturating_sub(NOISE);
        kept.drain(..excess);
    }
}

/// The last line that is not blank, as printable text.
fn last_line(noise: &[u8]) -> String {
    let text = String::from_utf8_lossy(noise);
    let line = text
        .lines()
        .rev()
        .map(str::trim)
        .find(|line| !line.is_empty())
        .unwrap_or_default();
    line.chars().filter(|c| !c.is_control()).take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_described_in_words() {
        let exit = |code: i32| ExitStatus::from_raw(code << 8);
        assert_eq!(describe(exit(0), "", true), "the application ended");
        assert_eq!(describe(exit(1), "noise", true), "the application ended with status 1");
        assert_eq!(describe(exit(137), "", true), "the application was ended by signal 9");
        assert_eq!(
            describe(ExitStatus::from_raw(9), "", true),
            "the application was ended by signal 9"
        );
        let description = describe(exit(1), "bwrap: No permissions", false);
        assert_eq!(
            description,
            "the application could not be started: bwrap: No permissions"
        );
        assert_eq!(
            describe(exit(125), "", false),
            "the application could not be started (exit status: 125)"
        );
    }

    #[test]
    fn last_words_are_one_clean_line() {
        assert_eq!(last_line(b"one\n\x1b[31mtwo\x07\n \n"), "[31mtwo");
        assert_eq!(last_line(b""), "");
        assert_eq!(last_line(&[255; 9999]).chars().count(), 200);
    }
}
