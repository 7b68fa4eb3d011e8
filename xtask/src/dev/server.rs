//! The process of the development server.

use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

use crate::workspace::Workspace;

/// The limit for a start. The first one creates the database and hashes passwords.
const START_TIME: Duration = Duration::from_secs(30);
const POLL_EVERY: Duration = Duration::from_millis(50);

/// The server program and its running process, if any.
pub struct Server {
    program: PathBuf,
    root: PathBuf,
    addr: SocketAddr,
    reload_port: u16,
    site: PathBuf,
    process: Option<Child>,
}

impl Server {
    /// Uses the debug build of the server. Does not start it.
    pub fn new(workspace: &Workspace, addr: SocketAddr, reload_port: u16) -> Self {
        Self {
            program: workspace.target.join("debug/cloud-delivery"),
            root: workspace.root.clone(),
            addr,
            reload_port,
            site: workspace.site(),
            process: None,
        }
    }

    /// Whether the process runs.
    pub fn is_running(&mut self) -> bool {
        self.process
            .as_mut()
            .is_some_and(|process| matches!(process.try_wait(), Ok(None)))
    }

    /// Stops the running process, starts a new one, and returns when it accepts connections.
    pub fn restart(&mut self) -> Result<()> {
        self.stop()?;
        // If this tool is killed, the server must exit as well and release its port.
        let process = Command::new("setpriv")
            .args(["--pdeathsig", "TERM"])
            .arg(&self.program)
            .arg("serve")
            .current_dir(&self.root)
            .env("CLOUD_DELIVERY_ADDR", self.addr.to_string())
            .env("CLOUD_DELIVERY_TRIAL", "true")
            .env("LEPTOS_SITE_ROOT", &self.site)
            .env("LEPTOS_RELOAD_PORT", self.reload_port.to_string())
            .env("LEPTOS_WATCH", "1")
            .spawn()
            .with_context(|| format!("could not start {}", self.program.display()))?;
        self.process = Some(process);
        self.wait_until_it_listens()
    }

    /// Stops the process with SIGTERM and waits for its exit.
    fn stop(&mut self) -> Result<()> {
        let Some(mut process) = self.process.take() else {
            return Ok(());
        };
        if process.try_wait()?.is_none()
            && let Some(pid) = i32::try_from(process.id()).ok().and_then(Pid::from_raw)
        {
            kill_process(pid, Signal::TERM)?;
        }
        process.wait()?;
        Ok(())
    }

    fn wait_until_it_listens(&mut self) -> Result<()> {
        let polls = START_TIME.as_millis() / POLL_EVERY.as_millis();
        for _ in 0..polls {
            if !self.is_running() {
                bail!("the server exited during its start");
            }
            if TcpStream::connect(self.addr).is_ok() {
                return Ok(());
            }
            pause();
        }
        bail!(
            "the server does not listen on {} after {} s",
            self.addr,
            START_TIME.as_secs()
        );
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a command-line tool with nothing else to do on this thread"
)]
fn pause() {
    std::thread::sleep(POLL_EVERY);
}
