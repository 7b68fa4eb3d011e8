//! The first start: somebody must be able to sign in.

use std::sync::Arc;

use session::Role;

use store::StoreError;

use crate::{Control, Error, Result, random_password};

/// What a first start made: the people who can sign in, with their passwords. Shown once.
#[derive(Debug)]
pub struct FirstStart {
    /// Username and password.
    pub people: Vec<(&'static str, Arc<str>)>,
}

impl Control {
    /// On a store without people: makes a System Admin `admin`, with the password given or one drawn, and a plain user
    /// `student`. `None` where there are people already.
    pub async fn first_people(&self, admin_password: Option<&str>) -> Result<Option<FirstStart>> {
        if !self.users().await?.is_empty() {
            return Ok(None);
        }
        let admin: Arc<str> = admin_password.map_or_else(random_password, Into::into);
        let student = random_password();
        match self.add_user("admin", &admin, Role::SystemAdmin).await {
            Ok(_) => {}
            // Another node, started in the same moment, tells the passwords.
            Err(Error::Store(StoreError::Taken(_))) => return Ok(None),
            Err(error) => return Err(error),
        }
        self.add_user("student", &student, Role::User).await?;
        Ok(Some(FirstStart {
            people: vec![("admin", admin), ("student", student)],
        }))
    }
}
