//! What the Sessions page shows, kept so that a message from the server changes only what differs: a signal for each row,
//! one for their order, one for everything around them.

use std::collections::HashMap;

use leptos::prelude::*;
use session::{
    SessionId, Timestamp, checksum,
    wire::{Delta, Head, Refreshed, SessionList, SessionView},
};

use crate::ui::stable_rows;

/// Id of the part of the page that scrolls; takes the focus when what had it is gone.
pub const TABLE_ID: &str = "sessions-table";

/// One row: whoever holds it follows the session, also after it has left the page.
pub type Row = ArcRwSignal<SessionView>;

/// The list on screen. Copy it freely: it is a handle.
#[derive(Clone, Copy)]
pub struct Model {
    /// Counts and times.
    pub head: RwSignal<Head>,
    /// Ids of the rows from top to bottom.
    pub order: RwSignal<Vec<SessionId>>,
    rows: StoredValue<HashMap<SessionId, Row>>,
}

impl Model {
    /// The first list.
    pub fn new(list: SessionList) -> Self {
        let order = list.items.iter().map(|session| session.id).collect();
        let rows = list
            .items
            .into_iter()
            .map(|session| (session.id, Row::new(session)))
            .collect();
        Self {
            head: RwSignal::new(list.head),
            order: RwSignal::new(order),
            rows: StoredValue::new(rows),
        }
    }

    /// The row of a session, while it is on the page.
    pub fn row(&self, id: SessionId) -> Option<Row> {
        self.rows.with_value(|rows| rows.get(&id).cloned())
    }

    /// Shows another list, or the same one at another time.
    pub fn show(&self, list: SessionList) {
        let order = list.items.iter().map(|session| session.id).collect();
        self.apply(Delta {
            head: list.head,
            order: Some(order),
            changed: list.items,
        });
    }

    /// Shows what changed.
    pub fn apply(&self, delta: Delta) {
        let order = delta.order.filter(|order| *self.order.read_untracked() != *order);
        if order.is_some() || !delta.changed.is_empty() {
            let rows = self.order;
            stable_rows::hold(TABLE_ID, move || {
                let order = rows.try_read_untracked();
                order
                    .map(|order| order.iter().map(SessionId::to_string).collect())
                    .unwrap_or_default()
            });
        }
        for session in delta.changed {
            self.patch(session);
        }
        if let Some(order) = order {
            self.rows.update_value(|rows| rows.retain(|id, _| order.contains(id)));
            self.order.set(order);
        }
        if *self.head.read_untracked() != delta.head {
            self.head.set(delta.head);
        }
    }

    /// Shows a session as it is now, never as it was: an answer may overtake the stream, and the other way round.
    pub fn patch(&self, session: SessionView) {
        let Some(row) = self.row(session.id) else {
            self.rows
                .update_value(|rows| _ = rows.insert(session.id, Row::new(session)));
            return;
        };
        advance(&row, session);
    }

    /// The same for a session that may not be on the page.
    pub fn patch_shown(&self, session: SessionView) {
        if let Some(row) = self
            .rows
            .try_with_value(|rows| rows.get(&session.id).cloned())
            .flatten()
        {
            advance(&row, session);
        }
    }

    /// Does the page show what the server says it shows? Rows that an answer has brought further than the message are left for
    /// the next one to judge.
    pub fn agrees(&self, revision: u64, checksum: u32) -> bool {
        let order = self.order.read_untracked();
        let versions: Vec<_> = order
            .iter()
            .filter_map(|id| Some((*id, self.row(*id)?.read_untracked().version)))
            .collect();
        let ahead = versions.iter().any(|(_, version)| *version > revision);
        ahead || checksum::of_versions(versions) == checksum
    }

    /// A refresh was completed.
    pub fn refreshed(&self, answer: Refreshed) {
        self.head.update(|head| {
            head.as_of = Some(answer.as_of);
            head.next_refresh_at = answer.next_refresh_at;
        });
    }

    /// The next refresh is not possible before `at`.
    pub fn refresh_not_before(&self, at: Timestamp) {
        self.head
            .update(|head| head.next_refresh_at = head.next_refresh_at.max(at));
    }
}

/// Brings a row up to date, unless it already is.
pub fn advance(row: &Row, session: SessionView) {
    let differs = {
        let old = row.read_untracked();
        session.version >= old.version && *old != session
    };
    if differs {
        row.set(session);
    }
}
