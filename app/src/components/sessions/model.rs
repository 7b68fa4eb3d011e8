//! The list on screen as signals: one for each row, one for the order, one for the counts and
//! times. A message from the server thus updates only the parts that differ.

use std::collections::HashMap;

use leptos::prelude::*;
use session::{
    SessionId, Timestamp,
    api::{Delta, Head, Refreshed, SessionList, SessionView},
    checksum,
};

use crate::ui::stable_rows;

/// Element id of the scrolling region; it takes the focus when the focused element disappears.
pub const TABLE_ID: &str = "sessions-table";

/// One row. Clones follow the session even after it leaves the page.
pub type Row = ArcRwSignal<SessionView>;

/// The list on screen. A cheap handle; copy it freely.
#[derive(Clone, Copy)]
pub struct Model {
    /// Counts and times.
    pub head: RwSignal<Head>,
    /// Row ids, from top to bottom.
    pub order: RwSignal<Vec<SessionId>>,
    rows: StoredValue<HashMap<SessionId, Row>>,
}

impl Model {
    /// Starts with the first list.
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

    /// The row of a session, if it is on the page.
    pub fn row(&self, id: SessionId) -> Option<Row> {
        self.rows.with_value(|rows| rows.get(&id).cloned())
    }

    /// Replaces the list by another one or by a newer version.
    pub fn show(&self, list: SessionList) {
        let order = list.items.iter().map(|session| session.id).collect();
        self.apply(Delta {
            head: list.head,
            order: Some(order),
            changed: list.items,
        });
    }

    /// Applies a change from the stream.
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

    /// Adds a session, or updates its row unless the row is newer. A response may overtake the
    /// stream, and the reverse.
    pub fn patch(&self, session: SessionView) {
        let Some(row) = self.row(session.id) else {
            self.rows
                .update_value(|rows| _ = rows.insert(session.id, Row::new(session)));
            return;
        };
        advance(&row, session);
    }

    /// The same, but does nothing for a session that is not on the page.
    pub fn patch_shown(&self, session: SessionView) {
        if let Some(row) = self
            .rows
            .try_with_value(|rows| rows.get(&session.id).cloned())
            .flatten()
        {
            advance(&row, session);
        }
    }

    /// Whether the page shows the rows that the server computed the checksum of. Skips the check if
    /// a response has made some row newer than the message; the next message checks again.
    pub fn agrees(&self, revision: u64, checksum: u32) -> bool {
        let order = self.order.read_untracked();
        let versions: Vec<_> = order
            .iter()
            .filter_map(|id| Some((*id, self.row(*id)?.read_untracked().version)))
            .collect();
        let ahead = versions.iter().any(|(_, version)| *version > revision);
        ahead || checksum::of_versions(versions) == checksum
    }

    /// Records a completed refresh.
    pub fn refreshed(&self, answer: Refreshed) {
        self.head.update(|head| {
            head.as_of = Some(answer.as_of);
            head.next_refresh_at = answer.next_refresh_at;
        });
    }

    /// Records that the next refresh is allowed at `at`.
    pub fn refresh_not_before(&self, at: Timestamp) {
        self.head
            .update(|head| head.next_refresh_at = head.next_refresh_at.max(at));
    }
}

/// Updates a row unless it is already as new.
pub fn advance(row: &Row, session: SessionView) {
    let differs = {
        let old = row.read_untracked();
        session.version >= old.version && *old != session
    };
    if differs {
        row.set(session);
    }
}
