//! `make dev`: builds and serves both halves. On a change it rebuilds the affected half, restarts the server and
//! reloads pages.
//!
//! After a failed build the running server stays. Open pages reload through leptos's own `AutoReload`, which connects
//! to the reload port while `LEPTOS_WATCH` is set. `cargo leptos watch` does the same; this command needs no further
//! installation.

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
use crate::output;
use crate::site::{self, Profile};
use crate::workspace::{Workspace, run as run_command};

/// The addresses of the development server.
#[derive(Args)]
pub struct Options {
    /// Address of the server
    #[arg(long, env = "CLOUD_DELIVERY_ADDR", default_value = "127.0.0.1:3000")]
    addr: SocketAddr,
    /// Port to which open pages connect for the signal to reload
    #[arg(long, env = "LEPTOS_RELOAD_PORT", default_value_t = 3001)]
    reload_port: u16,
}

/// The interval of polls. A poll reads the metadata of a few hundred files, in about a millisecond.
const POLL_EVERY: Duration = Duration::from_millis(300);

/// Runs until it is interrupted.
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
            Err(error) => output::progress(format!("dev: {error:#}; waiting for a change")),
        }
        changes = watch.wait_for_changes(POLL_EVERY)?;
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
