//! The integrity of the log of events: its head, checkpoints, and verification.
//!
//! The head of the chain is written to the server's journal and signed. So a later check can prove
//! that no event before it was removed. A running server also compares the head with the one it saw
//! last, and notices if the log was set back.

use parking_lot::Mutex;
use session::{Role, Timestamp, api::Me};
use store::{Hash, Head, Verified, chain::hex};

use crate::{Control, Error, Result, authorization::require};

/// The newest head that this server has seen.
#[derive(Default)]
pub struct SeenHead(Mutex<Option<Head>>);

/// The result of a verification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The check of the chain by itself.
    pub verified: Verified,
    /// The number of the event whose hash was kept elsewhere: no event up to it was changed, added
    /// or removed. `None` if no hash was given.
    pub kept: Option<u64>,
    /// The newest checkpoint; `None` if this server has no key, or there is none yet.
    pub signed: Option<Signed>,
}

/// A checkpoint: no event up to it was changed, added or removed since it was signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signed {
    /// The number of the event.
    pub event: u64,
    /// The moment of the signature.
    pub at: Timestamp,
}

impl Control {
    /// Verifies the whole log. `kept` is the hash of a head that was kept elsewhere.
    ///
    /// # Errors
    /// [`Error::Tampered`] if an event was changed, added or removed.
    pub async fn verify_events(&self, me: &Me, kept: Option<Hash>) -> Result<Proof> {
        require(me, Role::SystemAdmin)?;
        let checkpoints = match &self.options.audit_key {
            Some(_) => self.store.checkpoints().await?,
            None => Vec::new(),
        };
        let heads: Vec<_> = kept
            .into_iter()
            .chain(checkpoints.iter().map(|made| made.head.hash))
            .collect();
        let verified = self.store.verify_events(&heads).await?;
        if let Some(broken) = &verified.broken {
            return Err(Error::Tampered(broken.clone()));
        }
        let (of_kept, of_checkpoints) = verified.found.split_at(usize::from(kept.is_some()));
        let of_kept = of_kept.first().copied();
        if let (Some(None), Some(hash)) = (of_kept, kept) {
            let text = format!(
                "no event has the hash {}: it was removed, or the log was rewritten",
                hex(&hash)
            );
            return Err(Error::Tampered(text));
        }
        for (made, found) in checkpoints.iter().zip(of_checkpoints) {
            let Head { number, .. } = made.head;
            let key = self.options.audit_key.as_ref();
            if key.is_some_and(|key| !key.verifies(made)) {
                let text = format!("the checkpoint of event {number} was signed with another key, or forged");
                return Err(Error::Tampered(text));
            }
            if *found != Some(number) {
                let text =
                    format!("event {number} is not the one that was signed: it was removed, or the log was rewritten");
                return Err(Error::Tampered(text));
            }
        }
        Ok(Proof {
            kept: of_kept.flatten(),
            signed: checkpoints.last().map(|made| Signed {
                event: made.head.number,
                at: made.at,
            }),
            verified,
        })
    }

    /// Writes the head to the journal and, with a key, signs it. Runs by timer and at shutdown.
    pub async fn make_checkpoint(&self) -> Result<()> {
        // This fails if the log was set back: such a log must not be signed.
        let head = self.check_head().await?;
        tracing::info!(event = head.number, head = hex(&head.hash), "head of the log of events");
        if let Some(key) = &self.options.audit_key {
            self.store.add_checkpoint(&key.sign(head, self.clock.now())?).await?;
        }
        Ok(())
    }

    /// Compares the log with the head that this server saw last, and returns the new head. If they
    /// differ, this server stops writing and [`Control::wait_until_broken`] returns. Runs by timer;
    /// public so that a test need not wait for it.
    pub async fn check_head(&self) -> Result<Head> {
        let seen = *self.seen_head.0.lock();
        if let Some(seen) = seen.filter(|seen| seen.number > 0) {
            let hash = self.store.event_hash(seen.number).await?;
            if hash != Some(seen.hash) {
                let now = hash.map_or_else(|| "missing".to_owned(), |hash| hex(&hash));
                tracing::error!(
                    event = seen.number,
                    seen = hex(&seen.hash),
                    now,
                    "the log of events was set back or rewritten while this server ran; stopping"
                );
                self.writer.close().await;
                return Err(Error::Tampered(format!(
                    "event {} is not the one that was seen",
                    seen.number
                )));
            }
        }
        // The head seen before is an ancestor of this one: numbers only grow, and each event is
        // chained to the one before it.
        let head = self.store.head().await?;
        *self.seen_head.0.lock() = Some(head);
        Ok(head)
    }

    pub(crate) async fn watch_head(&self) -> Result<()> {
        self.check_head().await.map(drop)
    }
}
