//! `cloud-delivery user …`

use std::{
    io::{BufRead, IsTerminal},
    path::Path,
    process::Command,
    sync::Arc,
};

use anyhow::{Context, bail};
use clap::Subcommand;
use control::Control;
use session::Role;

use super::message;

/// Verbs of `cloud-delivery user`.
#[derive(Subcommand)]
pub enum Verb {
    /// Add a person. Reads the password from standard input. If that is a terminal, generates and
    /// prints a password.
    Add {
        /// Name for signing in.
        username: String,
        /// Role: user, reporter, app-admin or system-admin.
        #[arg(long, default_value = "user")]
        role: Role,
    },
    /// Change a person's role.
    SetRole {
        /// Username of the person.
        username: String,
        /// New role: user, reporter, app-admin or system-admin.
        role: Role,
    },
    /// Change a person's password and end all their logins. The new password is read or generated
    /// as with add.
    SetPassword {
        /// Username of the person.
        username: String,
    },
    /// Block a person, and end their logins and sessions at once.
    Block {
        /// Username of the person.
        username: String,
    },
    /// Unblock a person.
    Unblock {
        /// Username of the person.
        username: String,
    },
    /// Clear the failed sign-ins of a person, so that the next attempt is not delayed.
    Unlock {
        /// Username of the person.
        username: String,
    },
    /// Remove a person, and end their logins and sessions at once. The log keeps the person's
    /// events, and the kept home stays unless --delete-home is given.
    Remove {
        /// Username of the person.
        username: String,
        /// Also delete the kept home of the person with all files. There is no undo.
        #[arg(long)]
        delete_home: bool,
    },
    /// List all people.
    List,
}

/// Runs a verb. `homes` is the folder of kept homes.
pub async fn run(verb: Verb, control: &Arc<Control>, homes: &Path) -> anyhow::Result<()> {
    match verb {
        Verb::Add { username, role } => {
            match password()? {
                Some(password) => drop(control.add_user(&username, &password, role).await.map_err(message)?),
                None => print_password(
                    &control
                        .add_user_with_temporary_password(&username, role)
                        .await
                        .map_err(message)?,
                ),
            }
            println!("added {username} ({role})");
        }
        Verb::SetRole { username, role } => {
            control.set_role(&username, role).await.map_err(message)?;
            println!("{username} is {role} now");
        }
        Verb::SetPassword { username } => {
            match password()? {
                Some(password) => control.set_password(&username, &password).await.map_err(message)?,
                None => print_password(&control.set_temporary_password(&username).await.map_err(message)?),
            }
            println!("password changed; {username} must sign in again");
        }
        Verb::Block { username } => block(control, &username, true).await?,
        Verb::Unblock { username } => block(control, &username, false).await?,
        Verb::Unlock { username } => {
            let operator = control.operator().await.map_err(message)?;
            control.unlock_user(&operator, &username).await.map_err(message)?;
            println!("the next sign-in of {username} is not delayed");
        }
        Verb::Remove { username, delete_home } => {
            let operator = control.operator().await.map_err(message)?;
            let id = control.user_id(&username).await.map_err(message)?;
            control.remove_user(&operator, &username).await.map_err(message)?;
            println!("removed {username}");
            home(&homes.join(id.to_string()), delete_home)?;
        }
        Verb::List => {
            for user in control.users().await.map_err(message)? {
                let blocked = if user.blocked { "\tblocked" } else { "" };
                println!("{}\t{}\t{}{blocked}", user.username, user.role.code(), user.id);
            }
        }
    }
    Ok(())
}

async fn block(control: &Arc<Control>, username: &str, blocked: bool) -> anyhow::Result<()> {
    let operator = control.operator().await.map_err(message)?;
    control
        .block_user(&operator, username, blocked)
        .await
        .map_err(message)?;
    println!("{username} is {} now", if blocked { "blocked" } else { "unblocked" });
    Ok(())
}

/// Deletes the kept home of a person who was removed, or prints its path. `rm` and not the standard library,
/// whose recursion a very deep tree could exhaust.
fn home(path: &Path, delete: bool) -> anyhow::Result<()> {
    if !path.exists() {
        return Ok(());
    }
    if !delete {
        println!("kept the files in {}", path.display());
        return Ok(());
    }
    let removed = Command::new("rm")
        .args(["-rf", "--one-file-system", "--"])
        .arg(path)
        .status();
    if !removed.context("could not run rm")?.success() {
        bail!(
            "could not delete all of {}: a session may still have written to it; delete it now",
            path.display()
        );
    }
    println!("deleted the files in {}", path.display());
    Ok(())
}

fn print_password(password: &str) {
    println!("password: {password} (must be changed at the first sign-in)");
}

/// Reads one line of standard input. `None` at a terminal, because a password typed there would be
/// visible; the caller then generates one.
fn password() -> anyhow::Result<Option<String>> {
    let input = std::io::stdin();
    if input.is_terminal() {
        return Ok(None);
    }
    let mut line = String::new();
    input
        .lock()
        .read_line(&mut line)
        .context("could not read the password from standard input")?;
    Ok(Some(line.trim_end_matches(['\r', '\n']).to_owned()))
}
