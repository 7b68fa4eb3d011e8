//! `cloud-delivery seed --sessions N`

use clap::Args;
use control::Control;

use super::message;

/// Fill an empty data directory with synthetic history.
#[derive(Args)]
pub struct Seed {
    /// Number of sessions, at most ten million.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    sessions: u32,
}

/// Fills the data directory.
pub async fn run(seed: &Seed, control: &Control) -> anyhow::Result<()> {
    control.seed(seed.sessions).await.map_err(message)?;
    println!("added {} synthetic sessions", seed.sessions);
    Ok(())
}
