//! Logins, and the networks that people signed in from.

use std::sync::Arc;

use async_trait::async_trait;
use session::{Actor, Timestamp, UserId};

use crate::{Result, User};

/// A sign-in. The store knows only the SHA-256 of its token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// SHA-256 of the token in the cookie.
    pub token_hash: [u8; 32],
    /// The person who signed in.
    pub user_id: UserId,
    /// The time of the sign-in.
    pub created_at: Timestamp,
    /// The last use, to the minute.
    pub seen_at: Timestamp,
}

/// A sign-in whose password was verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewLogin {
    /// The login to keep.
    pub login: Login,
    /// The hash that the password was verified against. The login is kept only while the account
    /// still has it.
    pub verified_hash: String,
    /// The network of the sign-in: an IPv4 address or an IPv6 /64 prefix.
    pub network: Arc<str>,
    /// The person, with the origin of the request.
    pub by: Actor,
}

/// A login with its person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedIn {
    /// The account as it is now, not as at the sign-in.
    pub user: User,
    /// The login.
    pub login: Login,
}

/// The logins. `control` decides if a login is still valid.
#[async_trait]
pub trait Logins: Send + Sync + 'static {
    /// Keeps a login and its network, with its event. Returns false and writes nothing if the
    /// account is gone, is blocked, or no longer has the hash that the password was verified
    /// against.
    async fn add_login(&self, new: &NewLogin) -> Result<bool>;
    /// The login of a token, if it exists.
    async fn login(&self, token_hash: &[u8; 32]) -> Result<Option<SignedIn>>;
    /// All logins of these people, in no order.
    async fn logins_of(&self, users: &[UserId]) -> Result<Vec<SignedIn>>;
    /// Raises the time of last use of many logins. Skips those that are gone.
    async fn touch_logins(&self, used: &[([u8; 32], Timestamp)]) -> Result<()>;
    /// Ends a login, with its event. Succeeds and writes nothing if it is gone.
    async fn end_login(&self, token_hash: &[u8; 32], by: &Actor, at: Timestamp) -> Result<()>;
    /// Ends all logins of a person, with its event.
    async fn end_logins(&self, id: UserId, by: &Actor, at: Timestamp) -> Result<()>;
    /// Removes logins last used before one moment or made before another, and networks last used
    /// before a third.
    async fn remove_old_logins(
        &self,
        seen_before: Timestamp,
        created_before: Timestamp,
        networks_before: Timestamp,
    ) -> Result<()>;
    /// True if this person signed in from this network before.
    async fn signed_in_from(&self, username: &str, network: &str) -> Result<bool>;
}
