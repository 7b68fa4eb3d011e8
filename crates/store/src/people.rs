//! People and their preferences.

use std::sync::Arc;

use async_trait::async_trait;
use session::{Actor, ApplicationId, Role, Timestamp, UserId};

use crate::Result;

/// A person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Id; a person who is removed and added again gets a new one.
    pub id: UserId,
    /// The number of the person among all that were ever added, from 1: the owner of their files. The
    /// store assigns it in [`People::add_user`] and ignores the given one. It stays the number of this
    /// id after a removal, so nobody else ever gets it.
    pub number: u32,
    /// The name; unique, and its case is ignored.
    pub username: Arc<str>,
    /// argon2id in PHC form.
    pub password_hash: String,
    /// Role; it alone decides the permissions.
    pub role: Role,
    /// The time that the account was added.
    pub created_at: Timestamp,
    /// A blocked person can't sign in.
    pub blocked: bool,
    /// The password was drawn by somebody else: its owner must change it first of all.
    pub must_change_password: bool,
}

/// An application that a person has marked or used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnApplication {
    /// The application.
    pub id: ApplicationId,
    /// True if the person marked it as a favourite.
    pub favourite: bool,
    /// The time of the person's last launch of it. The transaction of the launch writes it, because
    /// ended sessions are removed from the list; `None` = never launched.
    pub used_at: Option<Timestamp>,
}

/// The people, and the choices that they made.
///
/// Each call that would leave no System Admin who can sign in fails with
/// [`StoreError::LastSystemAdmin`](crate::StoreError::LastSystemAdmin).
#[async_trait]
pub trait People: Send + Sync + 'static {
    /// All people, by name.
    async fn users(&self) -> Result<Vec<User>>;
    /// One person by name, ignoring its case.
    async fn user_named(&self, username: &str) -> Result<Option<User>>;
    /// Adds a person, with its event.
    /// [`StoreError::AlreadyExists`](crate::StoreError::AlreadyExists) if the name is in use.
    async fn add_user(&self, user: &User, by: &Actor, at: Timestamp) -> Result<()>;
    /// Changes a role, with its event. Writes nothing if the person has that role already.
    async fn set_role(&self, id: UserId, role: Role, by: &Actor, at: Timestamp) -> Result<()>;
    /// Changes a password and ends all logins of that person, with its event.
    async fn set_password(
        &self,
        id: UserId,
        password_hash: &str,
        must_change: bool,
        by: &Actor,
        at: Timestamp,
    ) -> Result<()>;
    /// Blocks or unblocks a person, with its event. Writes nothing if that is so already. Blocking
    /// ends their logins and their sessions, each with its event, in the same transaction.
    async fn block_user(&self, id: UserId, blocked: bool, by: &Actor, at: Timestamp) -> Result<()>;
    /// Removes a person with their logins and preferences, and ends their sessions, each with its
    /// event, in the same transaction. Their earlier events stay in the log.
    async fn remove_user(&self, id: UserId, by: &Actor, at: Timestamp) -> Result<()>;
    /// Records that an account's failed sign-ins are to be forgotten. Every node reads it from
    /// [`Changes::access`](crate::Changes::access).
    async fn unlock_user(&self, id: UserId, by: &Actor, at: Timestamp) -> Result<()>;

    /// A choice that a person made, as text.
    async fn preference(&self, user_id: UserId, name: &str) -> Result<Option<String>>;
    /// Keeps a choice; `None` forgets it.
    async fn set_preference(&self, user_id: UserId, name: &str, value: Option<&str>) -> Result<()>;

    /// The applications that a person has marked or used, by id.
    async fn own_applications(&self, user_id: UserId) -> Result<Vec<OwnApplication>>;
    /// Marks an application as a favourite of a person, or removes the mark.
    /// [`StoreError::NotFound`](crate::StoreError::NotFound) if either does not exist.
    async fn set_favourite(&self, user_id: UserId, id: ApplicationId, favourite: bool) -> Result<()>;
}
