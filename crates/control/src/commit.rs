//! Commits a change and announces it: the writer's task for sessions, [`Control::commit`] for the
//! catalogue and for people.

use std::sync::Arc;

use session::{Session, Status};
use store::{Committed, StoreError, WriteOutcome};
use tokio::sync::Notify;

use crate::{Close, Control, Error, Result, replica::Replica, tab_registry::TabRegistry};

impl Control {
    /// Commits a change and announces it, even if the client hangs up during the commit.
    pub(crate) async fn commit<T: Send + 'static>(
        self: &Arc<Self>,
        write: impl Future<Output = store::Result<T>> + Send + 'static,
    ) -> Result<T> {
        let control = self.clone();
        let done = tokio::spawn(async move {
            let done = write.await?;
            // A failure here does not undo the commit: the task that polls the log announces it
            // later.
            if let Err(error) = control.catch_up().await {
                tracing::warn!(%error, "could not announce a committed change; the next poll of the log does it");
            }
            // The change may have ended sessions, for example those of a blocked user.
            control.close_on_all_nodes().await;
            Ok(done)
        });
        done.await.map_err(|error| Error::Internal(error.to_string()))?
    }
}

/// Maps an error that follows a commit, such as a failed read of the new row. The caller must not
/// report that nothing changed.
pub fn outcome_unknown(error: Error) -> Error {
    match error {
        Error::Store(_) => Error::Store(StoreError::OutcomeUnknown),
        other => other,
    }
}

/// Publishes a commit before its callers get their answers: puts the rows into the replica, and
/// closes the tabs of ended sessions. An answer may also show a row that another node wrote. That
/// row is published too.
pub fn publish_commit(replica: &Replica, tabs: &TabRegistry, closing: &Notify, committed: &Committed) {
    let (mut shown, mut purged, mut wrote) = (Vec::new(), Vec::new(), false);
    for answer in &committed.outcomes {
        match answer {
            WriteOutcome::Launched(session, _) | WriteOutcome::Stepped { session, changed: true } => {
                wrote = true;
                shown.push(session.clone());
            }
            WriteOutcome::Stepped {
                session,
                changed: false,
            }
            | WriteOutcome::Resumed(session)
            | WriteOutcome::Refused(_, session) => {
                shown.push(session.clone());
            }
            WriteOutcome::Purged(ids) => {
                wrote |= !ids.is_empty();
                purged.extend_from_slice(ids);
            }
            WriteOutcome::Denied(_) | WriteOutcome::NotFound | WriteOutcome::Noted => {}
        }
    }
    let ended: Vec<_> = shown
        .iter()
        .filter_map(|session| Some((session.id, close_reason(session)?)))
        .collect();
    // If the batch changed no row, the revision may be that of another node, whose rows this node
    // has yet to read.
    let own = wrote.then_some(committed.revision);
    replica.committed(own, shown, &purged);
    for (id, why) in ended {
        tabs.close(id, why);
        closing.notify_one();
    }
}

/// The reason for which no tab may have this session open; `None` if a tab may.
pub const fn close_reason(session: &Session) -> Option<Close> {
    match session.status {
        Status::Expired => Some(Close::Expired),
        Status::Error => Some(Close::Lost),
        Status::Pending | Status::Active => None,
    }
}
