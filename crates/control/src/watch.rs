//! Watching a part of the list: one snapshot, then what changes in it.
//!
//! Deltas are computed when the watcher can take them, from the newest state: a slow one gets fewer and newer ones,
//! never a wrong one, and costs no memory. At once when it was quiet, else at most one each 250 ms.

use std::{collections::HashMap, sync::Arc, time::Duration};

use session::{
    SessionId,
    view::View,
    wire::{Delta, Me, SessionList, SessionView},
};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until, timeout_at},
};

use crate::{Control, Result};

/// Least time between two deltas.
const COALESCE: Duration = Duration::from_millis(250);
/// A sign of life after so long without a change.
const TICK: Duration = Duration::from_secs(5);

/// What a watcher is told.
#[derive(Debug)]
pub enum Message {
    /// Everything, first.
    Snapshot(SessionList),
    /// What is different since the last message.
    Delta(Delta),
    /// Nothing has changed, and the server is there.
    Tick {
        /// Its clock.
        server_time: session::Timestamp,
        /// The revision that the watcher shows.
        revision: u64,
        /// Of the rows that it shows: [`session::checksum`].
        checksum: u32,
    },
}

/// A watch on a view.
pub struct Watch {
    control: Arc<Control>,
    me: Me,
    view: View,
    changes: watch::Receiver<u64>,
    sent: Option<Sent>,
}

/// What the watcher knows.
struct Sent {
    at: Instant,
    revision: u64,
    checksum: u32,
    order: Vec<SessionId>,
    rows: HashMap<SessionId, SessionView>,
}

impl Control {
    /// Starts a watch. Refused as the list is.
    pub fn watch(self: &Arc<Self>, me: &Me, view: View) -> Result<Watch> {
        self.list(me, &view)?;
        let changes = self.replica.subscribe();
        Ok(Watch {
            control: self.clone(),
            me: me.clone(),
            view,
            changes,
            sent: None,
        })
    }
}

impl Watch {
    /// The next message: waits for a change, or for the time of a sign of life.
    pub async fn next(&mut self) -> Result<Message> {
        let Some(sent) = &self.sent else {
            let list = self.look()?;
            self.remember(&list);
            return Ok(Message::Snapshot(list));
        };
        let (tick_at, earliest) = (Instant::now() + TICK, sent.at + COALESCE);
        let (revision, checksum) = (sent.revision, sent.checksum);
        match timeout_at(tick_at, self.changes.changed()).await {
            Ok(Ok(())) => sleep_until(earliest).await,
            Ok(Err(_)) | Err(_) => {
                return Ok(Message::Tick {
                    server_time: self.control.now(),
                    revision,
                    checksum,
                });
            }
        }
        let list = self.look()?;
        let delta = self.delta(&list);
        self.remember(&list);
        Ok(Message::Delta(delta))
    }

    fn look(&mut self) -> Result<SessionList> {
        self.changes.borrow_and_update();
        self.control.list(&self.me, &self.view)
    }

    fn delta(&self, list: &SessionList) -> Delta {
        let ids = || list.items.iter().map(|row| row.id);
        let same_order = self
            .sent
            .as_ref()
            .is_some_and(|sent| sent.order.iter().copied().eq(ids()));
        let known = |row: &SessionView| self.sent.as_ref().and_then(|sent| sent.rows.get(&row.id)) == Some(row);
        Delta {
            head: list.head.clone(),
            order: (!same_order).then(|| ids().collect()),
            changed: list.items.iter().filter(|row| !known(row)).cloned().collect(),
        }
    }

    fn remember(&mut self, list: &SessionList) {
        self.sent = Some(Sent {
            at: Instant::now(),
            revision: list.head.revision,
            checksum: list.head.checksum,
            order: list.items.iter().map(|row| row.id).collect(),
            rows: list.items.iter().map(|row| (row.id, row.clone())).collect(),
        });
    }
}
