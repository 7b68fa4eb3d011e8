//! `cloud-delivery user …`

use std::{
    io::{BufRead, IsTerminal},
    sync::Arc,
};

use clap::Subcommand;
use control::Control;
use session::Role;

use super::{Outcome, told};

/// What can be done with people.
#[derive(Subcommand)]
pub enum Verb {
    /// Add a person. The password is read from standard input, or drawn and printed when that is a terminal.
    Add {
        /// The name to sign in with.
        username: String,
        /// user, reporter, app-admin or system-admin.
        #[arg(long, default_value = "user")]
        role: Role,
    },
    /// Change a role.
    SetRole {
        /// Whose.
        username: String,
        /// user, reporter, app-admin or system-admin.
        role: Role,
    },
    /// Change a password and end all sign-ins of that person. Read or drawn as with add.
    SetPassword {
        /// Whose.
        username: String,
    },
    /// Block a person: their sign-ins and sessions end at once.
    Block {
        /// Whom.
        username: String,
    },
    /// Let a blocked person in again.
    Unblock {
        /// Whom.
        username: String,
    },
    /// Forget the failed sign-ins of a person, so that the next attempt is not delayed.
    Unlock {
        /// The username.
        username: String,
    },
    /// Remove a person: their sign-ins and sessions end at once. What they did stays in the log.
    Remove {
        /// Whom.
        username: String,
    },
    /// List everybody.
    List,
}

/// Runs a verb.
pub async fn run(verb: Verb, control: &Arc<Control>) -> Outcome {
    match verb {
        Verb::Add { username, role } => {
            match password()? {
                Some(password) => drop(control.add_user(&username, &password, role).await.map_err(told)?),
                None => drawn(
                    &control
                        .add_user_with_temporary_password(&username, role)
                        .await
                        .map_err(told)?,
                ),
            }
            println!("added {username} ({role})");
        }
        Verb::SetRole { username, role } => {
            control.set_role(&username, role).await.map_err(told)?;
            println!("{username} is {role} now");
        }
        Verb::SetPassword { username } => {
            match password()? {
                Some(password) => control.set_password(&username, &password).await.map_err(told)?,
                None => drawn(&control.set_temporary_password(&username).await.map_err(told)?),
            }
            println!("changed; {username} has to sign in again");
        }
        Verb::Block { username } => block(control, &username, true).await?,
        Verb::Unblock { username } => block(control, &username, false).await?,
        Verb::Unlock { username } => {
            let operator = control.operator().await.map_err(told)?;
            control.unlock_user(&operator, &username).await.map_err(told)?;
            println!("{username} can try again at once");
        }
        Verb::Remove { username } => {
            let operator = control.operator().await.map_err(told)?;
            control.remove_user(&operator, &username).await.map_err(told)?;
            println!("removed {username}");
        }
        Verb::List => {
            for user in control.users().await.map_err(told)? {
                let blocked = if user.blocked { "\tblocked" } else { "" };
                println!("{}\t{}\t{}{blocked}", user.username, user.role.code(), user.id);
            }
        }
    }
    Ok(())
}

async fn block(control: &Arc<Control>, username: &str, blocked: bool) -> Outcome {
    let operator = control.operator().await.map_err(told)?;
    control.block_user(&operator, username, blocked).await.map_err(told)?;
    println!("{username} is {} now", if blocked { "blocked" } else { "let in" });
    Ok(())
}

fn drawn(password: &str) {
    println!("password: {password} (changed at the first sign-in)");
}

/// One line of standard input; `None` at a terminal: then a password is drawn, so that none is typed where others can read it.
fn password() -> Result<Option<String>, String> {
    let input = std::io::stdin();
    if input.is_terminal() {
        return Ok(None);
    }
    let mut line = String::new();
    input
        .lock()
        .read_line(&mut line)
        .map_err(|error| format!("the password can't be read: {error}"))?;
    Ok(Some(line.trim_end_matches(['\r', '\n']).to_owned()))
}
