//! `cloud-delivery events …`: the log of events.

use clap::Subcommand;
use control::Control;
use session::format;
use store::{Hash, chain::parse_hex};

use super::message;

/// Verbs of `cloud-delivery events`.
#[derive(Subcommand)]
pub enum Verb {
    /// Read every event and check the hash chain. This detects events that were changed, added or
    /// removed in the middle. Only a head that was kept elsewhere proves that nothing was removed
    /// at the end. The server writes a head to its journal each hour, and when it starts and stops.
    Verify {
        /// Head that was kept elsewhere, as 64 hexadecimal digits.
        #[arg(long, value_parser = head)]
        head: Option<Hash>,
    },
}

pub async fn run(verb: Verb, control: &Control) -> anyhow::Result<()> {
    let Verb::Verify { head } = verb;
    let operator = control.operator().await.map_err(message)?;
    let proof = control.verify_events(&operator, head).await.map_err(message)?;
    println!(
        "consistent up to {} (event {})",
        proof.verified.head, proof.verified.last
    );
    if let Some(event) = proof.kept {
        println!("the head given is event {event}: nothing up to it was changed, added or removed");
    }
    if let Some(signed) = proof.signed {
        let at = format::iso(signed.at);
        println!(
            "event {} was signed at {at}: nothing up to it was changed, added or removed",
            signed.event
        );
    }
    let proven = proof.kept.max(proof.signed.map(|signed| signed.event));
    if proven != Some(proof.verified.last) {
        println!(
            "only a head that was kept elsewhere proves that nothing was removed at the end; run verify --head with \
             one from the journal"
        );
    }
    Ok(())
}

fn head(text: &str) -> Result<Hash, String> {
    parse_hex(text).ok_or_else(|| "a head has 64 hexadecimal digits".to_owned())
}
