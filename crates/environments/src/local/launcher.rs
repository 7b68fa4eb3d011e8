//! The one thread that spawns.
//!
//! `--die-with-parent` is a signal that the kernel sends when the *thread* that spawned ends, not its process. A thread
//! of tokio's pool may end at any time; this one ends with the environment, and with it all that it spawned.

use std::{
    io,
    process::{Child, Command},
    sync::mpsc,
    thread,
};

use tokio::sync::oneshot;

/// A right to have programs spawned. The thread ends when the last one is dropped.
#[derive(Clone, Debug)]
pub(super) struct Launcher(mpsc::Sender<Request>);

#[derive(Debug)]
struct Request {
    command: Command,
    answer: oneshot::Sender<io::Result<Child>>,
}

impl Launcher {
    /// Starts the thread.
    pub fn new() -> io::Result<Self> {
        let (sender, requests) = mpsc::channel();
        thread::Builder::new()
            .name("launcher".to_owned())
            .spawn(move || serve(&requests))?;
        Ok(Self(sender))
    }

    /// Spawns a program. Nobody waits for the child but the caller.
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
            // Whoever asked is gone, so nobody else would ever end this child.
            let ended = unwanted.kill().and_then(|()| unwanted.wait());
            tracing::debug!(?ended, "a program was spawned for nobody");
        }
    }
}
