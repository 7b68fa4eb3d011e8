//! The server under development: started, and ended as a person would end it.

use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

use crate::workspace::Workspace;

/// How long a start may take before something must be wrong: the first one creates the database and hashes passwords.
const START_TIME: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// The program, and the process of it that runs, if any.
pub struct Server {
    program: PathBuf,
    root: PathBuf,
    addr: SocketAddr,
    reload_port: u16,
    site: PathBuf,
    process: Option<Child>,
}

impl Server {
    /// Describes the debug build of the server; starts nothing.
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

    /// Whether the process lives.
    pub fn is_running(&mut self) -> bool {
        self.process
            .as_mut()
            .is_some_and(|process| matches!(process.try_wait(), Ok(None)))
    }

    /// Ends the process that runs, starts a new one, and returns when it takes connections.
    pub fn restart(&mut self) -> Result<()> {
        self.stop()?;
        // Should this tool be killed, the server ends with it and does not keep the port.
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

    /// Asks the process to end in order, and waits for it.
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
        let looks = START_TIME.as_millis() / LOOK_EVERY.as_millis();
        for _ in 0..looks {
            if !self.is_running() {
                bail!("the server ended while it started");
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
    std::thread::sleep(LOOK_EVERY);
}
