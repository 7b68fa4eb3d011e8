//! `cloud-delivery application …` and `cloud-delivery environment …`

use std::{io::Read, num::NonZeroU32, path::Path, sync::Arc};

use anyhow::Context;
use clap::{Args, Subcommand};
use control::Control;
use session::{
    HomeKind, Homes, Transfer,
    api::Me,
    catalogue::{
        LaunchState,
        appearance::{KEPT_ICONS, MAX_PICTURE_BYTES, is_icon},
        draft::ApplicationDraft,
    },
};

use super::message;

/// Verbs of `cloud-delivery application`.
#[derive(Subcommand)]
pub enum ApplicationVerb {
    /// Add an application: cloud-delivery application add "Calculator" -- galculator
    Add {
        /// Name on "My apps".
        name: String,
        #[command(flatten)]
        appearance: AppearanceOptions,
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
    /// Change the description, the category or the icon of an application on "My apps".
    Describe {
        /// Name of the application.
        name: String,
        #[command(flatten)]
        appearance: AppearanceOptions,
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

/// The appearance of an application on "My apps". An option that is left out changes nothing.
#[derive(Args)]
pub struct AppearanceOptions {
    /// One or two sentences about the application; "" removes it.
    #[arg(long)]
    description: Option<String>,
    /// Heading under which it appears, together with others; "" removes it.
    #[arg(long)]
    category: Option<String>,
    /// Name of an icon, or a PNG, JPEG or WebP file; "" removes it.
    #[arg(long)]
    icon: Option<String>,
}

impl AppearanceOptions {
    async fn write(self, control: &Control, operator: &Me, draft: &mut ApplicationDraft) -> anyhow::Result<()> {
        if let Some(description) = self.description {
            draft.description = description;
        }
        if let Some(category) = self.category {
            draft.category = category;
        }
        match self.icon {
            Some(icon) if icon.is_empty() || is_icon(&icon) => draft.icon = icon,
            Some(file) => {
                let upload = picture(Path::new(&file))?;
                draft.icon = control.add_picture(operator, upload).await.map_err(message)?;
            }
            None => {}
        }
        Ok(())
    }
}

/// The bytes of a picture, at most one more than an upload may have.
fn picture(file: &Path) -> anyhow::Result<Vec<u8>> {
    let mut upload = Vec::new();
    let most = u64::try_from(MAX_PICTURE_BYTES)? + 1;
    let read = std::fs::File::open(file).and_then(|open| open.take(most).read_to_end(&mut upload));
    read.with_context(|| {
        let names: Vec<_> = KEPT_ICONS.iter().map(|(code, _)| *code).collect();
        format!("could not read {}; the icons are {}", file.display(), names.join(", "))
    })?;
    Ok(upload)
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
            appearance,
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
            let mut draft = ApplicationDraft {
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
            appearance.write(control, &operator, &mut draft).await?;
            let added = control.add_application(&operator, &draft).await.map_err(message)?;
            println!("added {} ({})", added.spec.name, added.id);
        }
        ApplicationVerb::Describe { name, appearance } => {
            let id = control.application_named(&operator, &name).await.map_err(message)?;
            let form = control.application_form(&operator, Some(id)).await.map_err(message)?;
            let seen = form.application.map(|application| application.spec);
            let seen = seen.with_context(|| format!("There is no application “{name}”."))?;
            let mut draft = ApplicationDraft::from(&seen);
            appearance.write(control, &operator, &mut draft).await?;
            let edited = control.edit_application(&operator, id, &draft, seen).await;
            println!("changed {}", edited.map_err(message)?.spec.name);
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
