//! `cloud-delivery application …` and `cloud-delivery environment …`

use std::{num::NonZeroU32, sync::Arc};

use clap::Subcommand;
use control::Control;
use session::{
    HomeKind, Homes, Transfer,
    catalogue::{LaunchState, draft::ApplicationDraft},
};

use super::message;

/// Verbs of `cloud-delivery application`.
#[derive(Subcommand)]
pub enum ApplicationVerb {
    /// Add an application: cloud-delivery application add "Calculator" -- galculator
    Add {
        /// Name on "My apps".
        name: String,
        /// Text of the launch button.
        #[arg(long, default_value = "Launch")]
        launch_text: String,
        /// Name of the environment that runs the application.
        #[arg(long, default_value = "This host")]
        environment: String,
        /// Maximum number of live sessions; unlimited if left out.
        #[arg(long)]
        seats: Option<u32>,
        /// Allow the application to create user namespaces. Browsers need them for their sandbox.
        #[arg(long)]
        allow_user_namespaces: bool,
        /// Directions of the clipboard: both, in, out or off.
        #[arg(long, default_value = "both", value_parser = transfer)]
        clipboard: Transfer,
        /// Directions of uploads and downloads while a session is live: both, in, out or off.
        #[arg(long, default_value = "both", value_parser = transfer)]
        files: Transfer,
        /// Do not play the sound of the application in the tab.
        #[arg(long)]
        no_sound: bool,
        /// Program and arguments, after `--`.
        #[arg(last = true, required = true)]
        command: Vec<String>,
    },
    /// Open an application to launches.
    Open {
        /// Name of the application.
        name: String,
    },
    /// Close an application to launches. Live sessions continue unless --end-sessions is given.
    Close {
        /// Name of the application.
        name: String,
        /// Also end the live sessions.
        #[arg(long)]
        end_sessions: bool,
    },
    /// List all applications.
    List,
}

/// Verbs of `cloud-delivery environment`.
#[derive(Subcommand)]
pub enum EnvironmentVerb {
    /// Open an environment to launches.
    Open {
        /// Name of the environment.
        name: String,
    },
    /// Close an environment to launches. Live sessions continue unless --end-sessions is given.
    Close {
        /// Name of the environment.
        name: String,
        /// Also end the live sessions.
        #[arg(long)]
        end_sessions: bool,
    },
    /// Set the fate of files: kept for later sessions, or deleted with the session (scratch).
    Homes {
        /// Name of the environment.
        name: String,
        /// kept or scratch.
        kind: HomeKind,
        /// The most that the kept home of one person may use, in MiB; unlimited if left out.
        #[arg(long)]
        limit_mib: Option<NonZeroU32>,
    },
    /// List all environments.
    List,
}

/// Runs a verb of `application`.
pub async fn application(verb: ApplicationVerb, control: &Arc<Control>) -> anyhow::Result<()> {
    let operator = control.operator().await.map_err(message)?;
    match verb {
        ApplicationVerb::Add {
            name,
            launch_text,
            environment,
            seats,
            allow_user_namespaces,
            clipboard,
            files,
            no_sound,
            mut command,
        } => {
            let environment = control.environment_named(&operator, &environment).await;
            let draft = ApplicationDraft {
                name,
                launch_text,
                environment_id: Some(environment.map_err(message)?),
                arguments: command.split_off(1),
                program: command.remove(0),
                seats: seats.map(|seats| seats.to_string()).unwrap_or_default(),
                allow_user_namespaces,
                clipboard,
                files,
                sound: !no_sound,
                ..ApplicationDraft::default()
            };
            let added = control.add_application(&operator, &draft).await.map_err(message)?;
            println!("added {} ({})", added.spec.name, added.id);
        }
        ApplicationVerb::Open { name } => set_application_launches(control, &name, LaunchState::Open).await?,
        ApplicationVerb::Close { name, end_sessions } => {
            set_application_launches(control, &name, closing(end_sessions)).await?
        }
        ApplicationVerb::List => {
            for row in control.applications(&operator).await.map_err(message)? {
                let (name, command) = (&row.spec.name, row.spec.command.join(" "));
                println!("{name}\t{}\t{}\t{command}", word(row.open), row.id);
            }
        }
    }
    Ok(())
}

/// Runs a verb of `environment`.
pub async fn environment(verb: EnvironmentVerb, control: &Arc<Control>) -> anyhow::Result<()> {
    let operator = control.operator().await.map_err(message)?;
    match verb {
        EnvironmentVerb::Open { name } => set_environment_launches(control, &name, LaunchState::Open).await?,
        EnvironmentVerb::Close { name, end_sessions } => {
            set_environment_launches(control, &name, closing(end_sessions)).await?
        }
        EnvironmentVerb::Homes { name, kind, limit_mib } => {
            let id = control.environment_named(&operator, &name).await.map_err(message)?;
            let homes = Homes { kind, limit_mib };
            control.set_homes(&operator, id, homes).await.map_err(message)?;
            println!("files in {name}: {}", homes.words());
        }
        EnvironmentVerb::List => {
            for row in control.environments(&operator).await.map_err(message)?.items {
                let files = row.homes.map_or_else(|| "no files".to_owned(), Homes::words);
                println!("{}\t{}\t{}\t{}\t{files}", row.name, row.kind, word(row.open), row.id);
            }
        }
    }
    Ok(())
}

async fn set_application_launches(control: &Arc<Control>, name: &str, to: LaunchState) -> anyhow::Result<()> {
    let operator = control.operator().await.map_err(message)?;
    let id = control.application_named(&operator, name).await.map_err(message)?;
    control
        .set_application_launches(&operator, id, to)
        .await
        .map_err(message)?;
    println!("{name} is {} to launches", word(to.is_open()));
    Ok(())
}

async fn set_environment_launches(control: &Arc<Control>, name: &str, to: LaunchState) -> anyhow::Result<()> {
    let operator = control.operator().await.map_err(message)?;
    let id = control.environment_named(&operator, name).await.map_err(message)?;
    control
        .set_environment_launches(&operator, id, to)
        .await
        .map_err(message)?;
    println!("{name} is {} to launches", word(to.is_open()));
    Ok(())
}

fn transfer(code: &str) -> Result<Transfer, String> {
    Transfer::of_code(code).ok_or_else(|| "the directions are both, in, out and off".to_owned())
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
