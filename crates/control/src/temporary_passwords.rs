//! Temporary passwords: generated ones, which the person must change at the first sign-in.

use std::sync::Arc;

use session::{Role, api::Me};

use crate::{Client, Control, Error, Result, authorization::actor, random_password};

impl Control {
    /// Adds a person with a temporary password, and returns it. For the operator at the command
    /// line and the first start.
    pub async fn add_user_with_temporary_password(&self, username: &str, role: Role) -> Result<Arc<str>> {
        let password = random_password();
        self.add_person(username, &password, role, true).await?;
        Ok(password)
    }

    /// Sets a temporary password for a person, ends all their logins, and returns it. For the
    /// operator at the command line.
    pub async fn set_temporary_password(self: &Arc<Self>, username: &str) -> Result<Arc<str>> {
        let password = random_password();
        self.replace_password(username, &password, true).await?;
        Ok(password)
    }

    /// Changes the password of this person, which ends all their logins, and signs in with the new
    /// one. Returns the cookie's value.
    ///
    /// # Errors
    /// [`Error::Malformed`] if the new password is not acceptable; those of [`Control::sign_in`] if
    /// the current one is wrong, which counts as a failed sign-in.
    pub async fn change_password(
        self: &Arc<Self>,
        me: &Me,
        current: &str,
        new: &str,
        client: &Client,
    ) -> Result<String> {
        if new == current {
            return Err(Error::Malformed("The new password is the current one.".into()));
        }
        let hash = self.passwords.hash(new).await?;
        // This checks the password with all limits of a sign-in. The new login ends with the old
        // password.
        self.sign_in(&me.username, current, client).await?;
        let (store, id, by, at) = (self.store.clone(), me.user_id, actor(me), self.clock.now());
        self.commit(async move { store.set_password(id, &hash, false, &by, at).await })
            .await?;
        self.sign_in(&me.username, new, client).await
    }
}
