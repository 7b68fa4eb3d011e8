//! Passwords that were drawn for somebody, and that they change at the first sign-in.

use std::{net::IpAddr, sync::Arc};

use session::{Role, wire::Me};

use crate::{Control, Error, Result, authority::actor, random_password};

impl Control {
    /// Adds a person with a password that is drawn. For the operator at the command line and the first start.
    pub async fn add_user_with_drawn_password(&self, username: &str, role: Role) -> Result<Arc<str>> {
        let password = random_password();
        self.add_person(username, &password, role, true).await?;
        Ok(password)
    }

    /// Draws a new password for a person and ends all their logins. For the operator at the command line.
    pub async fn draw_password(&self, username: &str) -> Result<Arc<str>> {
        let password = random_password();
        self.replace_password(username, &password, true).await?;
        Ok(password)
    }

    /// Changes one's own password, which ends all one's logins, and signs in with it. Answers the cookie's value.
    /// [`Error::Credentials`] where the current password is wrong: a guess counts as a failed sign-in.
    pub async fn change_password(&self, me: &Me, current: &str, new: &str, address: IpAddr) -> Result<String> {
        let login = self.sign_in(&me.username, current, address).await?;
        let changed = self.change_checked_password(me, current, new).await;
        if changed.is_err() {
            self.sign_out(&login).await?;
        }
        changed?;
        self.sign_in(&me.username, new, address).await
    }

    async fn change_checked_password(&self, me: &Me, current: &str, new: &str) -> Result<()> {
        if new == current {
            return Err(Error::Malformed("The new password is the current one.".into()));
        }
        let (hash, by, at) = (self.hash(new).await?, actor(me), self.clock.now());
        Ok(self.store.set_password(me.user_id, &hash, false, &by, at).await?)
    }
}
