//! The command line. Each verb opens the log, calls `control` and prints the answer. It also works
//! while a server runs: the server reads the change from the log within a second.
#![expect(clippy::print_stdout, reason = "a command prints its result")]

mod catalogue;
mod events;
mod first_passwords;
mod seed;
mod serve;
mod sessions;
mod user;

use std::{path::PathBuf, sync::Arc};

use anyhow::anyhow;
use clap::{Parser, Subcommand};
use control::Control;

use crate::{composition, settings::Settings};

/// Cloud Delivery launches applications in browser tabs and shows System Admins every session live.
#[derive(Parser)]
#[command(name = "cloud-delivery", version)]
pub struct Cli {
    /// Settings file; by default cloud-delivery.toml in the current folder, if it exists.
    #[arg(long, global = true)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Subcommand)]
enum Verb {
    /// Run the server (the default).
    Serve,
    /// Manage people: add, set-role, set-password, block, unblock, unlock, remove, list.
    #[command(subcommand)]
    User(user::Verb),
    /// Manage sessions: list, expire, give-up.
    #[command(subcommand)]
    Sessions(sessions::Verb),
    /// Manage applications: add, describe, open, close, list.
    #[command(subcommand)]
    Application(catalogue::ApplicationVerb),
    /// Manage environments: open, close, homes, list.
    #[command(subcommand)]
    Environment(catalogue::EnvironmentVerb),
    /// Check the log of events: verify.
    #[command(subcommand)]
    Events(events::Verb),
    /// Fill an empty data directory with synthetic history, for trials and benchmarks.
    Seed(seed::Seed),
}

/// Runs the verb of a command line.
pub async fn run(cli: Cli) -> anyhow::Result<()> {
    let settings = Settings::read(cli.config.as_deref())?;
    match cli.verb.unwrap_or(Verb::Serve) {
        Verb::Serve => serve::run(settings).await,
        Verb::User(verb) => user::run(verb, &tool(&settings).await?, &settings.homes()).await,
        Verb::Events(verb) => events::run(verb, &*tool(&settings).await?).await,
        Verb::Sessions(verb) => sessions::run(verb, &*composition::tool(&settings, true).await?).await,
        Verb::Application(verb) => catalogue::application(verb, &tool(&settings).await?).await,
        Verb::Environment(verb) => catalogue::environment(verb, &tool(&settings).await?).await,
        Verb::Seed(seed) => seed::run(&seed, &*tool(&settings).await?).await,
    }
}

/// Prints an error and its causes in one line. A cause that an error already has in its own text,
/// as those of the store have, is left out.
pub fn print_error(error: &anyhow::Error) {
    let mut message = String::from("cloud-delivery");
    for cause in error.chain().map(ToString::to_string) {
        if !message.ends_with(&cause) {
            message = format!("{message}: {cause}");
        }
    }
    #[expect(clippy::print_stderr, reason = "the message of a program that failed")]
    {
        eprintln!("{message}");
    }
}

/// A `Control` for a verb that needs no sessions. It runs no background tasks.
async fn tool(settings: &Settings) -> anyhow::Result<Arc<Control>> {
    composition::tool(settings, false).await
}

/// The message of an error, for a terminal: the failure, then its reason.
fn message(error: control::Error) -> anyhow::Error {
    if let control::Error::Store(error) = error {
        return error.into();
    }
    let problem = session::api::Problem::from(error);
    anyhow!("{}. {}", problem.title, problem.detail)
}
