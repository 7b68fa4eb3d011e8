//! People: signing in and out, who is behind a cookie, and the verbs of the command line.

use std::{net::IpAddr, sync::Arc};

use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use chrono::TimeDelta;
use session::{Actor, Role, UserId, names, query::fold, wire::Me};
use sha2::{Digest, Sha256};
use store::{Login, StoreError, User};

use crate::{
    Control, Error, Result,
    authority::{actor, require},
    throttle,
};

/// A login that was not used for so long is over.
const IDLE: TimeDelta = TimeDelta::hours(8);
/// A login is over so long after the sign-in, used or not.
const ABSOLUTE: TimeDelta = TimeDelta::hours(24);
/// How exactly the last use is kept: one write a minute, not one a request.
const SEEN: TimeDelta = TimeDelta::seconds(60);
/// Shortest password that is accepted, in characters.
pub const MIN_PASSWORD_CHARS: usize = 8;
/// Longest password, in bytes: hashing must not be a way to keep the server busy.
const MAX_PASSWORD_BYTES: usize = 1024;
/// What the password of an unknown user is compared with: a hash as [`hash`] makes them, of no password. Nobody could sign in
/// with a match, either: there is no user.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5J3Mgc2FsdCAxNg$bm9ib2R5IGhhcyB0aGlzIGhhc2gsIDMyIGJ5dGVzICA";

impl Control {
    /// Checks a password and keeps a new login. The answer is the cookie's value: 32 random bytes in hexadecimal, of which
    /// only the SHA-256 is stored. An unknown user costs as much time as a wrong password.
    pub async fn sign_in(&self, username: &str, password: &str, address: IpAddr) -> Result<String> {
        let now = self.clock.now();
        let (name, address) = (format!("user {}", fold(username)), format!("address {address}"));
        let keys = [(name.as_str(), throttle::NAME), (address.as_str(), throttle::ADDRESS)];
        if let Some(seconds) = self.throttle.wait(&keys, now) {
            return Err(Error::Throttled(seconds));
        }
        let user = self.store.user_named(username).await?;
        let hash = user
            .as_ref()
            .map_or_else(|| NOBODY.to_owned(), |user| user.password_hash.clone());
        let right = self.verify(password.to_owned(), hash).await?;
        let Some(user) = user.filter(|_| right) else {
            self.throttle.failed(&keys, now);
            return Err(Error::Credentials);
        };
        self.throttle.succeeded(&name);
        if user.blocked {
            return Err(Error::Blocked);
        }
        let token: [u8; 32] = rand::random();
        let login = Login {
            token_hash: digest(&token),
            user_id: user.id,
            created_at: now,
            seen_at: now,
        };
        self.store.remove_old_logins(now - IDLE, now - ABSOLUTE).await?;
        self.store.add_login(&login).await?;
        Ok(hex(&token))
    }

    /// Who is behind a cookie's value; `None` for one that is unknown or over.
    pub async fn who(&self, token: &str) -> Result<Option<Me>> {
        let Some(hash) = unhex(token).map(|token| digest(&token)) else {
            return Ok(None);
        };
        let Some(found) = self.store.login(&hash).await? else {
            return Ok(None);
        };
        let now = self.clock.now();
        // A sign-in that overlapped with a block leaves a login behind.
        if found.user.blocked || now - found.login.seen_at > IDLE || now - found.login.created_at > ABSOLUTE {
            return Ok(None);
        }
        if now - found.login.seen_at > SEEN
            && let Err(error) = self.store.touch_login(&hash, now).await
        {
            // A full disk must not keep anybody from looking.
            tracing::warn!(%error, "the use of a login could not be noted");
        }
        Ok(Some(Me {
            user_id: found.user.id,
            username: found.user.username,
            role: found.user.role,
            must_change_password: found.user.must_change_password,
            origin: None,
        }))
    }

    /// Ends a login. One that is gone already is fine.
    pub async fn sign_out(&self, token: &str) -> Result<()> {
        match unhex(token) {
            Some(token) => Ok(self.store.remove_login(&digest(&token)).await?),
            None => Ok(()),
        }
    }

    /// Everybody, by name. For the operator at the command line.
    pub async fn users(&self) -> Result<Vec<User>> {
        Ok(self.store.users().await?)
    }

    /// Who somebody at the server's own command line is: whoever can open the data directory may do everything. Named
    /// after the first System Admin, so that the log says who is answerable.
    pub async fn operator(&self) -> Result<Me> {
        let first = self
            .users()
            .await?
            .into_iter()
            .find(|user| user.role == Role::SystemAdmin);
        let user =
            first.ok_or_else(|| Error::Malformed("There is no System Admin yet: start the server once.".into()))?;
        Ok(Me {
            user_id: user.id,
            username: format!("{} (command line)", user.username).into(),
            role: user.role,
            must_change_password: false,
            origin: None,
        })
    }

    /// The operator as the log names them; the system itself while nobody can administer.
    async fn answerable(&self) -> Actor {
        self.operator().await.map_or(Actor::System, |me| actor(&me))
    }

    /// Adds a person with a password that somebody chose. For the operator at the command line and the first start.
    pub async fn add_user(&self, username: &str, password: &str, role: Role) -> Result<UserId> {
        self.add_person(username, password, role, false).await
    }

    /// Adds a person; one whose password was drawn must change it at the first sign-in.
    pub(crate) async fn add_person(
        &self,
        username: &str,
        password: &str,
        role: Role,
        must_change_password: bool,
    ) -> Result<UserId> {
        let username = username.trim();
        if username.is_empty() || username.chars().count() > 100 {
            return Err(Error::Malformed("A username has 1 to 100 characters.".into()));
        }
        if let Some(character) = names::forbidden(username) {
            return Err(Error::Malformed(format!("A username: {}", names::reason(character))));
        }
        let created_at = self.clock.now();
        let id = UserId(self.new_id());
        let password_hash = self.hash(password).await?;
        let user = User {
            id,
            username: username.into(),
            password_hash,
            role,
            created_at,
            blocked: false,
            must_change_password,
        };
        self.store.add_user(&user, &self.answerable().await, created_at).await?;
        Ok(id)
    }

    /// Changes a person's role. For the operator at the command line.
    pub async fn set_role(&self, username: &str, role: Role) -> Result<()> {
        let user = self.user(username).await?;
        let (by, at) = (self.answerable().await, self.clock.now());
        Ok(self.store.set_role(user.id, role, &by, at).await?)
    }

    /// Changes a person's password to one that somebody chose, and ends all their logins. For the operator at the command line.
    pub async fn set_password(&self, username: &str, password: &str) -> Result<()> {
        self.replace_password(username, password, false).await
    }

    pub(crate) async fn replace_password(&self, username: &str, password: &str, must_change: bool) -> Result<()> {
        let user = self.user(username).await?;
        let hash = self.hash(password).await?;
        let (by, at) = (self.answerable().await, self.clock.now());
        Ok(self.store.set_password(user.id, &hash, must_change, &by, at).await?)
    }

    /// Blocks a person, which ends their logins and sessions at once, or lets them in again.
    pub async fn block_user(self: &Arc<Self>, me: &Me, username: &str, blocked: bool) -> Result<()> {
        require(me, Role::SystemAdmin)?;
        let id = self.user(username).await?.id;
        let (store, by, at) = (self.store.clone(), actor(me), self.clock.now());
        self.commit(async move { store.block_user(id, blocked, &by, at).await })
            .await
    }

    /// Removes a person, which ends their logins and sessions at once. What they did stays in the log.
    pub async fn remove_user(self: &Arc<Self>, me: &Me, username: &str) -> Result<()> {
        require(me, Role::SystemAdmin)?;
        let id = self.user(username).await?.id;
        let (store, by, at) = (self.store.clone(), actor(me), self.clock.now());
        self.commit(async move { store.remove_user(id, &by, at).await }).await
    }

    async fn user(&self, username: &str) -> Result<User> {
        let found = self.store.user_named(username).await?;
        found.ok_or_else(|| Error::NoUser(username.to_owned()))
    }

    pub(crate) async fn hash(&self, password: &str) -> Result<String> {
        if password.chars().count() < MIN_PASSWORD_CHARS || password.len() > MAX_PASSWORD_BYTES {
            let text = format!(
                "A password has {MIN_PASSWORD_CHARS} characters or more, and at most {MAX_PASSWORD_BYTES} bytes."
            );
            return Err(Error::Malformed(text));
        }
        let password = password.to_owned();
        blocking(move || hash(&password)).await?
    }

    async fn verify(&self, password: String, hash: String) -> Result<bool> {
        if password.len() > MAX_PASSWORD_BYTES {
            return Ok(false);
        }
        // Each check takes 19 MiB and some 30 ms of one core: a crowd waits in line instead of filling the memory.
        let _turn = self
            .hashing
            .acquire()
            .await
            .map_err(|_| Error::Store(StoreError::Closed))?;
        blocking(move || {
            let hash = PasswordHash::new(&hash).map_err(|error| Error::Internal(format!("password hash: {error}")))?;
            Ok(Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
        })
        .await?
    }
}

/// argon2id with the crate's parameters (19 MiB, 2 passes), in PHC form.
pub(crate) fn hash(password: &str) -> Result<String> {
    let hash = Argon2::default().hash_password(password.as_bytes());
    hash.map(|hash| hash.to_string())
        .map_err(|error| Error::Internal(format!("password hash: {error}")))
}

/// A password nobody chose: 20 characters, some 118 bits, none of them easily mistaken for another.
pub fn random_password() -> Arc<str> {
    const LETTERS: &[u8] = b"abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    (0..20)
        .map(|_| char::from(LETTERS[rand::random_range(0..LETTERS.len())]))
        .collect::<String>()
        .into()
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Error::Internal(error.to_string()))
}

fn digest(token: &[u8; 32]) -> [u8; 32] {
    Sha256::digest(token).into()
}

fn hex(bytes: &[u8; 32]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (place, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * place..2 * place + 2], 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_user_costs_as_much_as_a_wrong_password() {
        let cost = |hash: &str| hash.rsplitn(3, '$').nth(2).map(str::to_owned);
        let (nobody, somebody) = (NOBODY, hash("correct horse").unwrap());
        assert_eq!(cost(nobody), cost(&somebody));
        assert_eq!(nobody.len(), somebody.len());
        let parsed = PasswordHash::new(nobody).unwrap();
        assert!(Argon2::default().verify_password(b"correct horse", &parsed).is_err());
    }
}
