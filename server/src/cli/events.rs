//! `cloud-delivery events …`: the log of what happened.

use clap::Subcommand;
use control::Control;

use super::{Outcome, told};

/// What can be done with the log.
#[derive(Subcommand)]
pub enum Verb {
    /// Read every event and check that none was changed, added or removed since it was written. Prints how many there are
    /// and the hash of the last one: keep it elsewhere, and who rewrites the whole database is found out, too.
    Verify,
}

/// Runs a verb.
pub async fn run(verb: Verb, control: &Control) -> Outcome {
    let Verb::Verify = verb;
    let operator = control.operator().await.map_err(told)?;
    let found = control.verify_events(&operator).await.map_err(told)?;
    println!("{} events, the last one is {}", found.events, found.head);
    match found.broken {
        None => {
            println!("nothing was changed, added or removed");
            Ok(())
        }
        Some(broken) => Err(format!("the log of events is not as it was written: {broken}")),
    }
}
