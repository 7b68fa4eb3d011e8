//! Changes of people.

use session::{EndReason, EventKind, Role, event::UserChange};

use crate::{Result, StoreError, User};

/// A person, with the rows that a change of them needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The person.
    pub user: User,
    /// The number of System Admins who can sign in, this person included.
    pub active_admins: i64,
}

/// One write of a change. All writes of a change are one transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Write {
    /// Sets the role.
    Role(Role),
    /// Sets the password.
    Password {
        /// argon2id in PHC form.
        hash: String,
        /// True if the person must change it first of all.
        must_change: bool,
    },
    /// Blocks or unblocks.
    Blocked(bool),
    /// Removes the person with their logins, networks and preferences.
    Remove,
    /// Removes all logins of the person.
    EndLogins,
    /// Adds an event to the log.
    Log(EventKind),
    /// Ends all sessions of the person, each with its event, after the events so far.
    EndSessions(EndReason),
}

/// The event of a new person.
pub fn added(user: &User) -> EventKind {
    event(user, UserChange::Added(user.role))
}

/// Changes the role; writes nothing if the person has it already.
pub fn set_role(account: &Account, role: Role) -> Result<Vec<Write>> {
    if account.user.role == role {
        return Ok(Vec::new());
    }
    account.is_not_the_last_admin()?;
    Ok(vec![Write::Role(role), account.log(UserChange::RoleSet(role))])
}

/// Changes the password and ends all logins.
pub fn set_password(account: &Account, hash: &str, must_change: bool) -> Vec<Write> {
    let hash = hash.to_owned();
    vec![
        Write::Password { hash, must_change },
        Write::EndLogins,
        account.log(UserChange::PasswordSet),
    ]
}

/// Blocks, which ends logins and sessions, or unblocks; writes nothing if that is so already.
pub fn block(account: &Account, blocked: bool) -> Result<Vec<Write>> {
    if account.user.blocked == blocked {
        return Ok(Vec::new());
    }
    if !blocked {
        return Ok(vec![Write::Blocked(false), account.log(UserChange::Unblocked)]);
    }
    account.is_not_the_last_admin()?;
    Ok(vec![
        Write::EndLogins,
        Write::Blocked(true),
        account.log(UserChange::Blocked),
        Write::EndSessions(EndReason::UserBlocked),
    ])
}

/// Removes the person and ends their sessions.
pub fn remove(account: &Account) -> Result<Vec<Write>> {
    account.is_not_the_last_admin()?;
    Ok(vec![
        Write::Remove,
        account.log(UserChange::Removed),
        Write::EndSessions(EndReason::UserRemoved),
    ])
}

/// Ends all logins.
pub fn end_logins(account: &Account) -> Vec<Write> {
    vec![Write::EndLogins, account.log(UserChange::LoginsEnded)]
}

/// Records that failed sign-ins are to be forgotten.
pub fn unlock(account: &Account) -> Vec<Write> {
    vec![account.log(UserChange::Unlocked)]
}

impl Account {
    /// Refuses a change that takes the role or the access from the last System Admin who can sign
    /// in.
    fn is_not_the_last_admin(&self) -> Result<()> {
        let is_admin = self.user.role == Role::SystemAdmin && !self.user.blocked;
        if is_admin && self.active_admins < 2 {
            return Err(StoreError::LastSystemAdmin);
        }
        Ok(())
    }

    fn log(&self, change: UserChange) -> Write {
        Write::Log(event(&self.user, change))
    }
}

fn event(user: &User, change: UserChange) -> EventKind {
    EventKind::UserChanged {
        user_id: user.id,
        username: user.username.clone(),
        change,
    }
}

#[cfg(test)]
mod tests;
