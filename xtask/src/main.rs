//! `cargo xtask`: build and check commands that cargo does not have.
//!
//! `site` builds the browser half, `tidy` runs the architecture checks (docs/ARCHITECTURE.md), `commits` checks the
//! form of new commits, `bugs` checks that the simulation finds deliberate faults, and `dev` rebuilds and reloads on
//! changes. xtask is a development tool and never part of the product. To add a command, add a variant to [`Command`]
//! and a file or folder with its name.

mod bugs;
mod commits;
mod dev;
mod output;
mod site;
mod tidy;
mod workspace;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::site::Profile;
use crate::workspace::Workspace;

#[derive(Parser)]
#[command(about, disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Builds the browser half into `target/site` if its sources have changed
    Site {
        /// Builds the small version for production, which takes longer
        #[arg(long)]
        release: bool,
    },
    /// Runs the architecture checks that the compiler cannot do and prints one finding per line
    Tidy,
    /// Checks the form of new commits and prints one finding per line
    Commits,
    /// Removes one guard after the other and prints the simulation seed that detects each; about 15 min
    Bugs,
    /// Builds both halves, serves them, and repeats this on every change
    Dev(dev::Options),
}

fn main() -> ExitCode {
    match run(&Arguments::parse().command) {
        Ok(code) => code,
        Err(error) => {
            output::progress(format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(command: &Command) -> Result<ExitCode> {
    let workspace = Workspace::find()?;
    match command {
        Command::Site { release } => {
            site::build(&workspace, if *release { Profile::Release } else { Profile::Dev })?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Tidy => tidy::run(&workspace),
        Command::Commits => commits::check(&workspace),
        Command::Bugs => bugs::try_all(&workspace),
        Command::Dev(options) => dev::run(&workspace, options),
    }
}
