//! `make dev`: builds both halves, serves them, and on every change builds, restarts and reloads what it touches.
//!
//! A build that fails leaves the running server as it is. The open pages reload through leptos's own `AutoReload`, which
//! listens on the reload port while `LEPTOS_WATCH` is set. People who have cargo-leptos can use `cargo leptos watch`
//! instead; this needs nothing that set-up has not installed.

mod changes;
mod reload;
mod server;

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use clap::Args;

use self::changes::{Changes, Watch};
use self::reload::Pages;
use self::server::Server;
use crate::say;
use crate::site::{self, Profile};
use crate::workspace::{Workspace, run as run_command};

/// Where to serve while one works.
#[derive(Args)]
pub struct Options {
    /// Address of the server
    #[arg(long, env = "CLOUD_DELIVERY_ADDR", default_value = "127.0.0.1:3000")]
    addr: SocketAddr,
    /// Port on which an open page waits to be told to reload
    #[arg(long, env = "LEPTOS_RELOAD_PORT", default_value_t = 3001)]
    reload_port: u16,
}

/// How often the sources are looked at: a few hundred files, about a millisecond.
const LOOK_EVERY: Duration = Duration::from_millis(300);

/// Works until it is interrupted.
pub fn run(workspace: &Workspace, options: &Options) -> Result<ExitCode> {
    let pages = Pages::listen(options.reload_port)?;
    let mut watch = Watch::new(&workspace.root)?;
    let mut server = Server::new(workspace, options.addr, options.reload_port);
    let mut changes = Changes {
        browser: true,
        server: true,
    };
    loop {
        match rebuild(workspace, &mut server, changes) {
            Ok(()) => pages.reload(),
            Err(error) => say::progress(format!("dev: {error:#}; waiting for a change")),
        }
        changes = watch.wait_for_changes(LOOK_EVERY)?;
    }
}

fn rebuild(workspace: &Workspace, server: &mut Server, changes: Changes) -> Result<()> {
    if changes.browser {
        site::build(workspace, Profile::Dev)?;
    }
    if changes.server {
        run_command(workspace.cargo().args(["build", "--package", "server"]))?;
    }
    if changes.server || !server.is_running() {
        server.restart()?;
    }
    Ok(())
}
