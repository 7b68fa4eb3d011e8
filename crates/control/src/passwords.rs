//! Password hashing, bounded: each check takes 19 MiB and some 30 ms of one core on purpose.
//!
//! A check that has begun can't be stopped. So its place belongs to the check itself and not to the request: a client that hangs up
//! frees nothing before the memory is free.

use std::sync::{Arc, LazyLock};

use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use store::StoreError;
use tokio::sync::Semaphore;

use crate::{Error, Result};

/// Shortest password that is accepted, in characters.
pub const MIN_PASSWORD_CHARS: usize = 8;
/// Longest password, in bytes: hashing must not be a way to keep the server busy.
const MAX_PASSWORD_BYTES: usize = 1024;
/// The hash that the password of an unknown account is compared with, so that it costs the same time. Nobody can sign in with a
/// match: there is no account.
static UNKNOWN_ACCOUNT: LazyLock<String> = LazyLock::new(|| hash(&random_password()).unwrap_or_default());

/// A bounded pool of password checks with a bounded queue.
pub struct PasswordPool {
    /// Checks at a time.
    running: Arc<Semaphore>,
    /// Checks running or waiting.
    places: Arc<Semaphore>,
}

impl PasswordPool {
    /// Runs `parallel` checks at a time and lets `queue` more wait.
    pub fn new(parallel: usize, queue: usize) -> Self {
        // The first unknown name must not cost more than the others.
        LazyLock::force(&UNKNOWN_ACCOUNT);
        Self {
            running: Arc::new(Semaphore::new(parallel)),
            places: Arc::new(Semaphore::new(parallel + queue)),
        }
    }

    /// Is the password right? `None` = there is no such account, which costs as much as a wrong password.
    ///
    /// # Errors
    /// [`Error::PasswordsBusy`] where the queue is full.
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
    /// [`Error::Malformed`] where it is too short or too long.
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

/// argon2id with the crate's parameters (19 MiB, 2 passes), in PHC form.
pub fn hash(password: &str) -> Result<String> {
    let hash = Argon2::default().hash_password(password.as_bytes());
    hash.map(|hash| hash.to_string())
        .map_err(|error| Error::Internal(format!("password hash: {error}")))
}

/// A random password: 20 characters, some 118 bits, none of them easily mistaken for another.
pub fn random_password() -> Arc<str> {
    const LETTERS: &[u8] = b"abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    (0..20)
        .map(|_| char::from(LETTERS[rand::random_range(0..LETTERS.len())]))
        .collect::<String>()
        .into()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures::{FutureExt, future::join_all};

    use super::*;

    #[test]
    fn an_unknown_account_costs_as_much_as_a_wrong_password() {
        let cost = |hash: &str| hash.rsplitn(3, '$').nth(2).map(str::to_owned);
        let somebody = hash("correct horse").unwrap();
        assert_eq!(cost(&UNKNOWN_ACCOUNT), cost(&somebody));
        assert_eq!(UNKNOWN_ACCOUNT.len(), somebody.len());
    }

    #[tokio::test]
    async fn a_check_keeps_its_place_when_its_client_hangs_up() {
        let pool = PasswordPool::new(2, 3);
        let (release, wait) = std::sync::mpsc::channel::<()>();
        let wait = Arc::new(parking_lot::Mutex::new(wait));
        for _ in 0..2 {
            let wait = wait.clone();
            let mut check = Box::pin(pool.run(move || {
                let _ = wait.lock().recv();
            }));
            assert!(check.as_mut().now_or_never().is_none(), "it runs");
            // The client hangs up.
            drop(check);
        }
        assert_eq!(pool.running.available_permits(), 0, "both still run");
        let mut waiting: Vec<_> = (0..3).map(|_| Box::pin(pool.run(|| ()))).collect();
        for check in &mut waiting {
            assert!(check.as_mut().now_or_never().is_none(), "it waits");
        }
        assert!(
            matches!(pool.run(|| ()).await, Err(Error::PasswordsBusy)),
            "the queue is full"
        );
        drop(release);
        let done = tokio::time::timeout(Duration::from_secs(30), join_all(waiting))
            .await
            .unwrap();
        assert!(done.iter().all(Result::is_ok));
        assert!(pool.run(|| ()).await.is_ok());
    }
}
