//! `cloud-delivery application …` and `cloud-delivery environment …`

use std::sync::Arc;

use clap::Subcommand;
use control::Control;
use session::catalogue::{LaunchState, draft::ApplicationDraft};

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
        /// Let it make user namespaces of its own: browsers need them for their sandbox.
        #[arg(long)]
        allow_user_namespaces: bool,
        /// Program and arguments, after `--`.
        #[arg(last = true, required = true)]
        command: Vec<String>,
    },
    /// Open it to launches.
    Open {
        /// Its name.
        name: String,
    },
    /// Close it to launches; live sessions go on, unless they are to end as well.
    Close {
        /// Its name.
        name: String,
        /// End its sessions, too.
        #[arg(long)]
        end_sessions: bool,
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
    /// Close it to launches; live sessions go on, unless they are to end as well.
    Close {
        /// Its name.
        name: String,
        /// End its sessions, too.
        #[arg(long)]
        end_sessions: bool,
    },
    /// List all environments.
    List,
}

/// Runs a verb on applications.
pub async fn application(verb: ApplicationVerb, control: &Arc<Control>) -> Outcome {
    let operator = control.operator().await.map_err(told)?;
    match verb {
        ApplicationVerb::Add {
            name,
            launch_text,
            environment,
            seats,
            allow_user_namespaces,
            mut command,
        } => {
            let environment = control.environment_named(&operator, &environment).await;
            let draft = ApplicationDraft {
                name,
                launch_text,
                environment_id: Some(environment.map_err(told)?),
                arguments: command.split_off(1),
                program: command.remove(0),
                seats: seats.map(|seats| seats.to_string()).unwrap_or_default(),
                allow_user_namespaces,
                ..ApplicationDraft::default()
            };
            let added = control.add_application(&operator, &draft).await.map_err(told)?;
            println!("added {} ({})", added.spec.name, added.id);
        }
        ApplicationVerb::Open { name } => set_application_launches(control, &name, LaunchState::Open).await?,
        ApplicationVerb::Close { name, end_sessions } => {
            set_application_launches(control, &name, closing(end_sessions)).await?
        }
        ApplicationVerb::List => {
            for row in control.applications(&operator).await.map_err(told)? {
                let (name, command) = (&row.spec.name, row.spec.command.join(" "));
                println!("{name}\t{}\t{}\t{command}", word(row.open), row.id);
            }
        }
    }
    Ok(())
}

/// Runs a verb on environments.
pub async fn environment(verb: EnvironmentVerb, control: &Arc<Control>) -> Outcome {
    let operator = control.operator().await.map_err(told)?;
    match verb {
        EnvironmentVerb::Open { name } => set_environment_launches(control, &name, LaunchState::Open).await?,
        EnvironmentVerb::Close { name, end_sessions } => {
            set_environment_launches(control, &name, closing(end_sessions)).await?
        }
        EnvironmentVerb::List => {
            for row in control.environments(&operator).await.map_err(told)?.items {
                println!("{}\t{}\t{}\t{}", row.name, row.kind, word(row.open), row.id);
            }
        }
    }
    Ok(())
}

async fn set_application_launches(control: &Arc<Control>, name: &str, to: LaunchState) -> Outcome {
    let operator = control.operator().await.map_err(told)?;
    let id = control.application_named(&operator, name).await.map_err(told)?;
    control
        .set_application_launches(&operator, id, to)
        .await
        .map_err(told)?;
    println!("{name} is {} to launches", word(to.is_open()));
    Ok(())
}

async fn set_environment_launches(control: &Arc<Control>, name: &str, to: LaunchState) -> Outcome {
    let operator = control.operator().await.map_err(told)?;
    let id = control.environment_named(&operator, name).await.map_err(told)?;
    control
        .set_environment_launches(&operator, id, to)
        .await
        .map_err(told)?;
    println!("{name} is {} to launches", word(to.is_open()));
    Ok(())
}

const fn closing(end_sessions: bool) -> LaunchState {
    if end_sessions {
        LaunchState::ClosedAndEnded
    } else {
        LaunchState::Closed
    }
}

const fn word(open: bool) -> &'static str {
    if open { "open" } else { "closed" }
}
