//! The one thread that spawns.
//!
//! With `--die-with-parent`, the kernel sends a signal when the *thread* that spawned the child
//! ends, not its process. A thread of tokio's pool may end at any time. This thread ends with the
//! environment, and ends every child with it.

use std::{
    io,
    process::{Child, Command},
    sync::mpsc,
    thread,
};

use tokio::sync::oneshot;

/// A handle of the thread, which ends when the last handle is dropped.
#[derive(Clone, Debug)]
pub(crate) struct Launcher(mpsc::Sender<Request>);

#[derive(Debug)]
struct Request {
    command: Command,
    answer: oneshot::Sender<io::Result<Child>>,
}

impl Launcher {
    /// Starts the thread that spawns the sandboxes.
    pub fn new() -> io::Result<Self> {
        let (sender, requests) = mpsc::channel();
        thread::Builder::new()
            .name("launcher".to_owned())
            .spawn(move || serve(&requests))?;
        Ok(Self(sender))
    }

    /// Spawns a program. The caller must wait for the child.
    pub async fn spawn(&self, command: Command) -> io::Result<Child> {
        let (answer, child) = oneshot::channel();
        let gone = || io::Error::other("the launcher has ended");
        self.0.send(Request { command, answer }).map_err(|_| gone())?;
        child.await.map_err(|_| gone())?
    }
}

fn serve(requests: &mpsc::Receiver<Request>) {
    for Request { mut command, answer } in requests {
        if let Err(Ok(mut unwanted)) = answer.send(command.spawn()) {
            // The caller is gone, so nothing else ends this child.
            let ended = unwanted.kill().and_then(|()| unwanted.wait());
            tracing::debug!(?ended, "ended a spawned program whose session is gone");
        }
    }
}
