//! The first start: somebody must be able to sign in.

use std::sync::Arc;

use session::Role;

use store::StoreError;

use crate::{Control, Error, Result};

/// What a first start made: the people whose passwords were drawn. They change them at the first sign-in.
pub struct FirstStart {
    /// Username and password.
    pub people: Vec<(&'static str, Arc<str>)>,
}

impl Control {
    /// On a store without people: adds a System Admin `admin`, with the password given or one drawn, and for a `trial` a plain user
    /// `student`. `None` where there are people already.
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
            Ok(drawn) => people.extend(drawn.map(|password| ("admin", password))),
            // Another node, started at the same moment, shows the passwords.
            Err(Error::Store(StoreError::Taken(_))) => return Ok(None),
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
