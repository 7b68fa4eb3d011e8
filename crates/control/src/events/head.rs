//! The head of the chain of events: written to the server's journal and signed, so that it can be proven later that nothing
//! before it was removed; and watched, so that a running server notices when somebody sets it back.

use parking_lot::Mutex;
use session::{Role, Timestamp, wire::Me};
use store::{Hash, Head, Verified, chain::hex};

use crate::{Control, Error, Result, authority::require};

/// The newest head that this server has seen.
#[derive(Default)]
pub struct SeenHead(Mutex<Option<Head>>);

/// What a check of the log proves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The chain by itself.
    pub verified: Verified,
    /// The event of the head that was kept elsewhere: nothing up to it was changed, added or removed. `None` where none was given.
    pub kept: Option<u64>,
    /// The newest checkpoint; `None` where this server has no key, or there is none yet.
    pub signed: Option<Signed>,
}

/// Nothing up to this event was changed, added or removed since it was signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signed {
    /// Number of the event.
    pub event: u64,
    /// When it was signed.
    pub at: Timestamp,
}

impl Control {
    /// Reads every event and says what that proves; [`Error::Tampered`] where the log is not as it was written. `kept` is a head
    /// that was kept elsewhere.
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
                "no event has the hash {}: it was removed, or the log was written again",
                hex(&hash)
            );
            return Err(Error::Tampered(text));
        }
        for (made, found) in checkpoints.iter().zip(of_checkpoints) {
            let Head { number, .. } = made.head;
            let key = self.options.audit_key.as_ref();
            if key.is_some_and(|key| !key.verifies(made)) {
                let text = format!("the checkpoint of event {number} was made with another key, or forged");
                return Err(Error::Tampered(text));
            }
            if *found != Some(number) {
                let text = format!(
                    "event {number} is not the one that was signed: it was removed, or the log was written again"
                );
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

    /// Writes the head to the journal and, with a key, signs it. The timer does it, and the shutdown.
    pub async fn make_checkpoint(&self) -> Result<()> {
        // A log that was set back is not signed.
        let head = self.check_head().await?;
        tracing::info!(event = head.number, head = hex(&head.hash), "head of the log of events");
        if let Some(key) = &self.options.audit_key {
            self.store.add_checkpoint(&key.sign(head, self.clock.now())?).await?;
        }
        Ok(())
    }

    /// Compares the log with what this server has seen of it, and answers its head. Where it is another log, this server stops
    /// writing and [`Control::wait_until_broken`] returns. The timer does it; a test need not wait for it.
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
                    "the log of events was set back or written again behind this server; stopping"
                );
                self.writer.close().await;
                return Err(Error::Tampered(format!(
                    "event {} is not the one that was seen",
                    seen.number
                )));
            }
        }
        // What was seen is an ancestor of it: the number only grows, and each event is chained to the one before it.
        let head = self.store.head().await?;
        *self.seen_head.0.lock() = Some(head);
        Ok(head)
    }

    pub(crate) async fn watch_head(&self) -> Result<()> {
        self.check_head().await.map(drop)
    }
}
