//! `cloud-delivery application …` and `cloud-delivery environment …`

use clap::Subcommand;
use control::Control;

use super::{Outcome, told};

/// What can be done with applications.
#[derive(Subcommand)]
pub enum ApplicationVerb {
    /// Add an application: cloud-delivery application add "Calculator" -- galculator
    Add {
        /// Its name on "My apps".
        name: String,
        /// Text of its launch button.
        #[arg(long, default_value = "Launch")]
        launch_text: String,
        /// Where it runs.
        #[arg(long, default_value = "This host")]
        environment: String,
        /// Sessions that may be live at once; as many as come without it.
        #[arg(long)]
        seats: Option<u32>,
        /// Program and arguments, after `--`.
        #[arg(last = true, required = true)]
        command: Vec<String>,
    },
    /// Open it to launches.
    Open {
        /// Its name.
        name: String,
    },
    /// Close it to launches; live sessions go on.
    Close {
        /// Its name.
        name: String,
    },
    /// List all applications.
    List,
}

/// What can be done with environments.
#[derive(Subcommand)]
pub enum EnvironmentVerb {
    /// Open it to launches.
    Open {
        /// Its name.
        name: String,
    },
    /// Close it to launches; live sessions go on.
    Close {
        /// Its name.
        name: String,
    },
    /// List all environments.
    List,
}

/// Runs a verb on applications.
pub async fn application(verb: ApplicationVerb, control: &Control) -> Outcome {
    match verb {
        ApplicationVerb::Add {
            name,
            launch_text,
            environment,
            seats,
            command,
        } => {
            let id = control
                .add_application(&name, &launch_text, &environment, command, seats)
                .await
                .map_err(told)?;
            println!("added {name} ({id})");
        }
        ApplicationVerb::Open { name } => {
            control.open_application(&name, true).await.map_err(told)?;
            println!("{name} is open to launches");
        }
        ApplicationVerb::Close { name } => {
            control.open_application(&name, false).await.map_err(told)?;
            println!("{name} is closed to launches");
        }
        ApplicationVerb::List => {
            for row in control.applications().await.map_err(told)? {
                let state = if row.open { "open" } else { "closed" };
                println!("{}\t{state}\t{}\t{}", row.name, row.id, row.command.join(" "));
            }
        }
    }
    Ok(())
}

/// Runs a verb on environments.
pub async fn environment(verb: EnvironmentVerb, control: &Control) -> Outcome {
    match verb {
        EnvironmentVerb::Open { name } => {
            control.open_environment(&name, true).await.map_err(told)?;
            println!("{name} is open to launches");
        }
        EnvironmentVerb::Close { name } => {
            control.open_environment(&name, false).await.map_err(told)?;
            println!("{name} is closed to launches");
        }
        EnvironmentVerb::List => {
            for row in control.environments().await.map_err(told)? {
                println!(
                    "{}\t{}\t{}\t{}",
                    row.name,
                    row.kind,
                    if row.open { "open" } else { "closed" },
                    row.id
                );
            }
        }
    }
    Ok(())
}
