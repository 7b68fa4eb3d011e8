//! The first start: adds the first accounts, so that an administrator can sign in.

use std::sync::Arc;

use session::Role;

use store::StoreError;

use crate::{Control, Error, Result};

/// The accounts with temporary passwords that a first start added.
pub struct FirstStart {
    /// Usernames and temporary passwords.
    pub people: Vec<(&'static str, Arc<str>)>,
}

impl Control {
    /// Adds a System Admin `admin` to a store without people, with the given password or a
    /// temporary one. For a `trial` it also adds a plain user `student`. Returns `None` if the
    /// store has people already.
    pub async fn first_people(&self, admin_password: Option<&str>, trial: bool) -> Result<Option<FirstStart>> {
        if !self.users().await?.is_empty() {
            return Ok(None);
        }
        let mut people = Vec::new();
        let admin = match admin_password {
            Some(chosen) => self.add_user("admin", chosen, Role::SystemAdmin).await.map(|_| None),
            None => self
                .add_user_with_temporary_password("admin", Role::SystemAdmin)
                .await
                .map(Some),
        };
        match admin {
            Ok(temporary) => people.extend(temporary.map(|password| ("admin", password))),
            // Another node started at the same moment. It shows the passwords.
            Err(Error::Store(StoreError::AlreadyExists(_))) => return Ok(None),
            Err(error) => return Err(error),
        }
        if trial {
            people.push((
                "student",
                self.add_user_with_temporary_password("student", Role::User).await?,
            ));
        }
        Ok(Some(FirstStart { people }))
    }
}
