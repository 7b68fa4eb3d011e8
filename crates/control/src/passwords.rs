//! A bounded pool for password hashing: each check uses 19 MiB and some 30 ms of one core, on
//! purpose.
//!
//! A running check can't be stopped. So the check itself owns its place in the pool, not the
//! request: after a client hangs up, the place is free only when the memory is.

use std::sync::{Arc, LazyLock};

use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use store::StoreError;
use tokio::sync::Semaphore;

use crate::{Error, Result};

/// Length of the shortest acceptable password, in characters.
pub const MIN_PASSWORD_CHARS: usize = 8;
/// Length of the longest password, in bytes: long passwords must not keep the server busy.
const MAX_PASSWORD_BYTES: usize = 1024;
/// The hash for the check of an unknown account, which must take as long as any other. A match does
/// not sign in: there is no account.
static UNKNOWN_ACCOUNT: LazyLock<String> = LazyLock::new(|| hash(&random_password()).unwrap_or_default());

/// A bounded pool of password checks with a bounded queue.
pub struct PasswordPool {
    /// One permit for each check that runs.
    running: Arc<Semaphore>,
    /// One permit for each check that runs or waits.
    places: Arc<Semaphore>,
}

impl PasswordPool {
    /// Runs `parallel` checks at a time and lets `queue` more wait.
    pub fn new(parallel: usize, queue: usize) -> Self {
        // Computed now, so that the first unknown name does not take longer than the next ones.
        LazyLock::force(&UNKNOWN_ACCOUNT);
        Self {
            running: Arc::new(Semaphore::new(parallel)),
            places: Arc::new(Semaphore::new(parallel + queue)),
        }
    }

    /// Verifies a password. If `hash` is `None` there is no such account: the check takes as long
    /// and fails.
    ///
    /// # Errors
    /// [`Error::PasswordsBusy`] if the queue is full.
    pub async fn verify(&self, password: String, hash: Option<String>) -> Result<bool> {
        if password.len() > MAX_PASSWORD_BYTES {
            return Ok(false);
        }
        let exists = hash.is_some();
        let hash = hash.unwrap_or_else(|| UNKNOWN_ACCOUNT.clone());
        let verified = self.run(move || {
            let hash = PasswordHash::new(&hash).map_err(|error| Error::Internal(format!("password hash: {error}")))?;
            Ok::<_, Error>(Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
        });
        Ok(verified.await?? && exists)
    }

    /// Hashes a new password.
    ///
    /// # Errors
    /// [`Error::Malformed`] if it is too short or too long.
    pub async fn hash(&self, password: &str) -> Result<String> {
        if password.chars().count() < MIN_PASSWORD_CHARS || password.len() > MAX_PASSWORD_BYTES {
            let text = format!(
                "A password has {MIN_PASSWORD_CHARS} characters or more, and at most {MAX_PASSWORD_BYTES} bytes."
            );
            return Err(Error::Malformed(text));
        }
        let password = password.to_owned();
        self.run(move || hash(&password)).await?
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        let place = self
            .places
            .clone()
            .try_acquire_owned()
            .map_err(|_| Error::PasswordsBusy)?;
        let turn = self.running.clone().acquire_owned().await;
        let turn = turn.map_err(|_| Error::Store(StoreError::Closed))?;
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            drop((turn, place));
            done
        });
        done.await.map_err(|error| Error::Internal(error.to_string()))
    }
}

/// Hashes with argon2id and the default parameters of the crate (19 MiB, 2 passes), in PHC form.
pub fn hash(password: &str) -> Result<String> {
    let hash = Argon2::default().hash_password(password.as_bytes());
    hash.map(|hash| hash.to_string())
        .map_err(|error| Error::Internal(format!("password hash: {error}")))
}

/// A random password of 20 characters, some 118 bits. Characters that look alike are left out.
pub fn random_password() -> Arc<str> {
    const LETTERS: &[u8] = b"abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    (0..20)
        .map(|_| char::from(LETTERS[rand::random_range(0..LETTERS.len())]))
        .collect::<String>()
        .into()
}

#[cfg(test)]
mod tests;
