//! People: sign-in, sign-out, and the accounts, which the command line manages.

use std::{net::IpAddr, sync::Arc};

use session::{Actor, Event, EventKind, LoginId, Origin, Role, UserId, api::Me, event::SignInFailure, names};
use sha2::{Digest, Sha256};
use store::{Login, NewLogin, User};

use crate::{
    Control, Error, Result,
    authorization::{actor, require},
    throttle::{MAX_NAME_CHARS, Pair, network},
};

/// The client of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// Its address. Behind a trusted proxy this is the address that the proxy reports.
    pub address: IpAddr,
    /// The id of the request, for the log of events.
    pub request_id: Arc<str>,
}

impl Client {
    /// The client as the log of events stores it.
    pub fn origin(&self) -> Origin {
        Origin {
            address: self.address.to_string().into(),
            request_id: self.request_id.clone(),
        }
    }
}

/// Failed sign-ins are equal if they have the same network, the same cause, and the same account,
/// if it exists.
pub type FailedSignIn = (Arc<str>, SignInFailure, Option<Arc<str>>);

/// Kinds of failed sign-ins that are counted at a time. Beyond this number they share one event.
pub const MAX_FAILED_SIGN_INS: usize = 1000;

impl Control {
    /// Checks a password and adds a login. Returns the cookie's value: 32 random bytes in
    /// hexadecimal, of which only the SHA-256 is stored. An unknown account takes as long as a
    /// wrong password.
    ///
    /// # Errors
    /// [`Error::Credentials`], [`Error::Blocked`], [`Error::Throttled`], and
    /// [`Error::PasswordsBusy`] if the queue of password checks is full.
    pub async fn sign_in(self: &Arc<Self>, username: &str, password: &str, client: &Client) -> Result<String> {
        // People copy a space with their name. A name that is too long is refused before it uses
        // CPU time or memory.
        let username = username.trim();
        if username.chars().count() > MAX_NAME_CHARS {
            return Err(Error::Credentials);
        }
        let pair = Pair::new(username, network(client.address));
        let now = self.clock.now();
        let known = match self.throttle.wait(&pair, now) {
            Some(seconds) if !self.store.signed_in_from(username, pair.network()).await? => {
                self.sign_in_failed(client, None, SignInFailure::Throttled).await;
                return Err(Error::Throttled(seconds));
            }
            wait => wait.is_some(),
        };
        self.throttle.begin(&pair, now);
        let user = self.store.user_named(username).await?;
        let hash = user.as_ref().map(|user| user.password_hash.clone());
        let right = match self.passwords.verify(password.to_owned(), hash).await {
            Err(Error::PasswordsBusy) => {
                self.throttle.cancelled(&pair);
                return Err(Error::PasswordsBusy);
            }
            checked => checked?,
        };
        let Some(user) = user else {
            self.sign_in_failed(client, None, SignInFailure::UnknownUser).await;
            return Err(Error::Credentials);
        };
        if !right {
            self.sign_in_failed(client, Some(&user), SignInFailure::WrongPassword)
                .await;
            return Err(Error::Credentials);
        }
        self.throttle.succeeded(&pair);
        if user.blocked {
            self.sign_in_failed(client, Some(&user), SignInFailure::Blocked).await;
            return Err(Error::Blocked);
        }
        if known {
            tracing::info!(
                user = &*user.username,
                "signed in despite failed attempts, from a network with an earlier sign-in"
            );
        }
        self.add_login(user, client, &pair).await
    }

    async fn add_login(self: &Arc<Self>, user: User, client: &Client, pair: &Pair) -> Result<String> {
        let token: [u8; 32] = rand::random();
        let now = self.clock.now();
        let new = NewLogin {
            login: Login {
                token_hash: digest(&token),
                user_id: user.id,
                created_at: now,
                seen_at: now,
            },
            verified_hash: user.password_hash.clone(),
            network: pair.network().into(),
            by: Actor::Person {
                user_id: user.id,
                username: user.username.clone(),
                origin: Some(client.origin()),
            },
        };
        // In a task of its own, so that a client that hangs up leaves no transaction open.
        let store = self.store.clone();
        let added = tokio::spawn(async move { store.add_login(&new).await });
        if !added.await.map_err(|error| Error::Internal(error.to_string()))?? {
            self.sign_in_failed(client, Some(&user), SignInFailure::Superseded)
                .await;
            return Err(Error::Credentials);
        }
        tracing::info!(user = &*user.username, address = %client.address, "signed in");
        Ok(hex(&token))
    }

    /// Logs a failed sign-in. Equal ones within a minute become one event with a count.
    async fn sign_in_failed(&self, client: &Client, user: Option<&User>, cause: SignInFailure) {
        let username = user.map(|user| user.username.clone());
        let now = self.clock.now();
        if !self
            .failed_sign_ins
            .is_first((network(client.address), cause, username.clone()), now)
        {
            return;
        }
        let name = username.as_deref().unwrap_or("(no such account)");
        tracing::info!(user = name, address = %client.address, ?cause, "sign-in failed");
        let origin = Some(client.origin());
        self.log_failed_sign_in(Actor::Anonymous { origin }, username, cause, 1)
            .await;
    }

    async fn log_failed_sign_in(&self, actor: Actor, username: Option<Arc<str>>, cause: SignInFailure, count: u32) {
        let event = Event {
            at: self.clock.now(),
            session_id: None,
            actor,
            what: EventKind::SignInFailed { username, cause, count },
        };
        let store = self.store.clone();
        let logged = tokio::spawn(async move { store.log_event(&event).await }).await;
        if let Ok(Err(error)) = logged {
            tracing::warn!(%error, "could not log a failed sign-in; the event is lost");
        }
    }

    /// Logs the counts of equal failed sign-ins whose minute is over; all counts if `all` is set,
    /// as at shutdown.
    pub(crate) async fn log_repeated_sign_ins(&self, all: bool) {
        let due = self.failed_sign_ins.take_due(self.clock.now(), all);
        for ((network, cause, username), count) in due.repeated {
            let count = count.get();
            tracing::info!(user = username.as_deref(), %network, ?cause, count, "equal sign-ins failed again within a minute");
            let origin = Some(Origin {
                address: network,
                request_id: "".into(),
            });
            self.log_failed_sign_in(Actor::Anonymous { origin }, username, cause, count)
                .await;
        }
        if due.overflow > 0 {
            tracing::warn!(
                count = due.overflow,
                "too many different failed sign-ins to log each; logged their number"
            );
            self.log_failed_sign_in(
                Actor::Anonymous { origin: None },
                None,
                SignInFailure::Throttled,
                due.overflow,
            )
            .await;
        }
    }

    /// Ends the login of this request, with its tabs and watches on every node. Succeeds if the
    /// login has ended already.
    pub async fn sign_out(self: &Arc<Self>, me: &Me) -> Result<()> {
        let Some(LoginId(token_hash)) = me.login else {
            return Ok(());
        };
        let (store, by, at) = (self.store.clone(), actor(me), self.clock.now());
        tracing::info!(user = &*me.username, "signed out");
        self.commit(async move { store.end_login(&token_hash, &by, at).await })
            .await
    }

    /// Ends all logins of this person, with their tabs and watches on every node.
    pub async fn sign_out_everywhere(self: &Arc<Self>, me: &Me) -> Result<()> {
        let (store, id, by, at) = (self.store.clone(), me.user_id, actor(me), self.clock.now());
        tracing::info!(user = &*me.username, "signed out everywhere");
        self.commit(async move { store.end_logins(id, &by, at).await }).await
    }

    /// All people, by name. For the operator at the command line.
    pub async fn users(&self) -> Result<Vec<User>> {
        Ok(self.store.users().await?)
    }

    /// The identity of the operator at the server's command line. An operator who can open the data
    /// directory may do everything. The log names the first System Admin as answerable.
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
            login: None,
        })
    }

    /// The operator as the actor of an event; the system while there is no System Admin.
    async fn answerable(&self) -> Actor {
        self.operator().await.map_or(Actor::System, |me| actor(&me))
    }

    /// Adds a person with a chosen password. For the operator at the command line and the first
    /// start.
    pub async fn add_user(&self, username: &str, password: &str, role: Role) -> Result<UserId> {
        self.add_person(username, password, role, false).await
    }

    /// Adds a person. If `must_change_password`, the password is temporary.
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
        let password_hash = self.passwords.hash(password).await?;
        let user = User {
            id,
            // The store assigns it.
            number: 0,
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

    /// Sets the role of a person. For the operator at the command line.
    pub async fn set_role(self: &Arc<Self>, username: &str, role: Role) -> Result<()> {
        let id = self.user(username).await?.id;
        let (store, by, at) = (self.store.clone(), self.answerable().await, self.clock.now());
        self.commit(async move { store.set_role(id, role, &by, at).await })
            .await
    }

    /// Sets a chosen password for a person, and ends all their logins. For the operator at the
    /// command line.
    pub async fn set_password(self: &Arc<Self>, username: &str, password: &str) -> Result<()> {
        self.replace_password(username, password, false).await
    }

    pub(crate) async fn replace_password(
        self: &Arc<Self>,
        username: &str,
        password: &str,
        must_change: bool,
    ) -> Result<()> {
        let id = self.user(username).await?.id;
        let hash = self.passwords.hash(password).await?;
        let (store, by, at) = (self.store.clone(), self.answerable().await, self.clock.now());
        self.commit(async move { store.set_password(id, &hash, must_change, &by, at).await })
            .await
    }

    /// Forgets the failed sign-ins of an account on every node, so that the next attempt is not
    /// delayed.
    pub async fn unlock_user(self: &Arc<Self>, me: &Me, username: &str) -> Result<()> {
        require(me, Role::SystemAdmin)?;
        let id = self.user(username).await?.id;
        let (store, by, at) = (self.store.clone(), actor(me), self.clock.now());
        self.commit(async move { store.unlock_user(id, &by, at).await }).await
    }

    /// Blocks a person, which ends their logins and sessions at once, or unblocks them.
    pub async fn block_user(self: &Arc<Self>, me: &Me, username: &str, blocked: bool) -> Result<()> {
        require(me, Role::SystemAdmin)?;
        let id = self.user(username).await?.id;
        let (store, by, at) = (self.store.clone(), actor(me), self.clock.now());
        self.commit(async move { store.block_user(id, blocked, &by, at).await })
            .await
    }

    /// Removes a person, which ends their logins and sessions at once. Their events stay in the log,
    /// and their kept home stays.
    pub async fn remove_user(self: &Arc<Self>, me: &Me, username: &str) -> Result<()> {
        require(me, Role::SystemAdmin)?;
        let id = self.user(username).await?.id;
        let (store, by, at) = (self.store.clone(), actor(me), self.clock.now());
        self.commit(async move { store.remove_user(id, &by, at).await }).await
    }

    /// The id of a person. For the operator at the command line.
    pub async fn user_id(&self, username: &str) -> Result<UserId> {
        Ok(self.user(username).await?.id)
    }

    async fn user(&self, username: &str) -> Result<User> {
        let found = self.store.user_named(username).await?;
        found.ok_or_else(|| Error::NoUser(username.to_owned()))
    }
}

fn digest(token: &[u8; 32]) -> [u8; 32] {
    Sha256::digest(token).into()
}

fn hex(bytes: &[u8; 32]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The login that a cookie's value names.
pub(crate) fn login_id(token: &str) -> Option<LoginId> {
    unhex(token).map(|token| LoginId(digest(&token)))
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
