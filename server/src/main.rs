//! The program `cloud-delivery`: wires the parts together and serves HTTP.
//!
//! No other crate names a concrete store or environment ([`composition`]), a clock, or an HTTP
//! type. This crate makes no decisions. A handler or a verb authenticates the caller, calls
//! `control`, and maps the answer.
//!
//! To add a setting: one field in [`settings`]. To add a route: the file of its resource in
//! [`http`]. To add a verb: a file in [`cli`].

mod audit_key;
mod cli;
mod clock;
mod composition;
mod http;
mod settings;
mod supervisor;

use std::{process::ExitCode, time::Duration};

use clap::Parser;

/// How long uninterruptible work, such as a call to a disk that hangs, may delay the exit.
const LAST: Duration = Duration::from_millis(500);

fn main() -> ExitCode {
    let command = cli::Cli::parse();
    tracing_subscriber::fmt()
        .with_env_filter(settings::log_filter())
        .with_writer(std::io::stderr)
        .with_target(false)
        .init();
    let outcome = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => {
            let outcome = runtime.block_on(cli::run(command));
            // Dropping the runtime would wait for such work without a limit.
            runtime.shutdown_timeout(LAST);
            outcome
        }
        Err(error) => Err(anyhow::Error::new(error).context("could not start the async runtime")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            cli::print_error(&error);
            ExitCode::FAILURE
        }
    }
}
