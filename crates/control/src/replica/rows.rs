//! The rows, and the indexes that reads need: by id, by start, those not ended (also by user), and one text to search.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use session::{Session, SessionId, Status, Timestamp, UserId, query, wire::Counts};

/// Rows in slots. A slot is used once; removed rows leave a hole until more than half are holes.
#[derive(Default)]
pub struct Rows {
    slots: Vec<Option<Arc<Session>>>,
    /// Start of each slot's line in `text`; one longer than `slots`.
    starts: Vec<u32>,
    /// The haystack of each slot, one line each.
    text: Vec<u8>,
    by_id: HashMap<SessionId, u32>,
    /// Slots by (start, id).
    by_start: Vec<u32>,
    unended: BTreeSet<u32>,
    unended_of_user: HashMap<UserId, BTreeSet<u32>>,
    closing: BTreeSet<u32>,
    counts: Counts,
}

impl Rows {
    /// Makes room for this many.
    pub fn reserve(&mut self, rows: usize) {
        self.slots.reserve(rows);
        self.starts.reserve(rows + 1);
        self.by_id.reserve(rows);
        self.by_start.reserve(rows);
    }

    /// Adds a row, or replaces an older state of it.
    pub fn put(&mut self, session: Session) {
        let slot = match self.by_id.get(&session.id).copied() {
            Some(slot) if self.at(slot).is_some_and(|old| old.version > session.version) => return,
            Some(slot) => slot,
            None => self.add(&session),
        };
        self.set_unended(slot, session.user_id, session.status != Status::Expired);
        set(&mut self.closing, slot, super::is_closing(&session));
        let old = self.slots[slot as usize].replace(Arc::new(session));
        if let Some(old) = old {
            self.counts.remove(&old);
        }
        if let Some(new) = &self.slots[slot as usize] {
            self.counts.add(new);
        }
    }

    /// Removes a row, if it is there.
    pub fn remove(&mut self, id: SessionId) {
        let Some(slot) = self.by_id.remove(&id) else { return };
        let key = self.start_key(slot);
        let place = self.by_start.partition_point(|other| self.start_key(*other) < key);
        self.by_start.remove(place);
        self.closing.remove(&slot);
        if let Some(old) = self.slots[slot as usize].take() {
            self.set_unended(slot, old.user_id, false);
            self.counts.remove(&old);
        }
        if self.slots.len() > 1024 && self.by_id.len() * 2 < self.slots.len() {
            self.compact();
        }
    }

    /// A row by id.
    pub fn get(&self, id: SessionId) -> Option<&Arc<Session>> {
        self.at(*self.by_id.get(&id)?)
    }

    /// A row by slot.
    pub fn at(&self, slot: u32) -> Option<&Arc<Session>> {
        self.slots.get(slot as usize)?.as_ref()
    }

    /// All rows, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Session>> {
        self.slots.iter().flatten()
    }

    /// Slots by (start, id), oldest first.
    pub fn by_start(&self) -> &[u32] {
        &self.by_start
    }

    /// How many slots there are, holes included.
    pub fn slots(&self) -> u32 {
        u32::try_from(self.slots.len()).unwrap_or(u32::MAX)
    }

    /// The text of all slots, one line each.
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// Where each slot's line starts in the text.
    pub fn starts(&self) -> &[u32] {
        &self.starts
    }

    /// The line of one slot.
    pub fn line(&self, slot: u32) -> &str {
        let start = self.starts[slot as usize] as usize;
        let end = self
            .starts
            .get(slot as usize + 1)
            .map_or(self.text.len(), |next| *next as usize);
        std::str::from_utf8(&self.text[start..end]).unwrap_or_default()
    }

    /// Counts of all rows.
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    /// Rows that have not ended, in the order in which they came.
    pub fn unended(&self) -> impl Iterator<Item = &Arc<Session>> {
        self.unended.iter().filter_map(|slot| self.at(*slot))
    }

    /// A user's rows that have not ended, in the order in which they came.
    pub fn unended_of(&self, user: UserId) -> impl Iterator<Item = &Arc<Session>> {
        let slots = self.unended_of_user.get(&user).into_iter().flatten();
        slots.filter_map(|slot| self.at(*slot))
    }

    /// Ended rows that the environment has yet to close, in the order in which they came.
    pub fn closing(&self) -> impl Iterator<Item = &Arc<Session>> {
        self.closing.iter().filter_map(|slot| self.at(*slot))
    }

    fn set_unended(&mut self, slot: u32, user: UserId, unended: bool) {
        set(&mut self.unended, slot, unended);
        let of_user = self.unended_of_user.entry(user).or_default();
        set(of_user, slot, unended);
        if of_user.is_empty() {
            self.unended_of_user.remove(&user);
        }
    }

    /// Gives a new row its slot, its line and its place by start.
    fn add(&mut self, session: &Session) -> u32 {
        let slot = self.slots();
        self.slots.push(None);
        self.starts.push(u32::try_from(self.text.len()).unwrap_or(u32::MAX));
        self.text.extend_from_slice(query::haystack(session).as_bytes());
        self.text.push(b'\n');
        self.by_id.insert(session.id, slot);
        let key = Some((session.started_at, session.id));
        let comes_last = self.by_start.last().is_none_or(|last| self.start_key(*last) < key);
        // Launches come nearly in order, so this is nearly always so; a search for the place costs a miss of the cache each step.
        if comes_last {
            self.by_start.push(slot);
        } else {
            let place = self.by_start.partition_point(|other| self.start_key(*other) < key);
            self.by_start.insert(place, slot);
        }
        slot
    }

    /// What [`Rows::by_start`] is sorted by.
    pub fn start_key(&self, slot: u32) -> Option<(Timestamp, SessionId)> {
        self.at(slot).map(|row| (row.started_at, row.id))
    }

    fn compact(&mut self) {
        let old = std::mem::take(self);
        self.reserve(old.by_id.len());
        for slot in old.by_start {
            if let Some(row) = old.slots[slot as usize].as_deref() {
                self.put(row.clone());
            }
        }
    }
}

fn set(slots: &mut BTreeSet<u32>, slot: u32, present: bool) {
    if present {
        slots.insert(slot);
    } else {
        slots.remove(&slot);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::replica::tests::session;

    #[test]
    fn holes_are_closed_and_nothing_else_is_lost() {
        let mut rows = Rows::default();
        for n in 0..3000 {
            rows.put(session(n));
        }
        for n in 0..2000 {
            rows.remove(session(n).id);
        }
        assert!(rows.slots() < 3000, "the holes are closed");
        assert_eq!(rows.counts().all, 1000);
        let left: HashSet<_> = (2000..3000).map(|n| session(n).user_id).collect();
        let of_users: usize = left.iter().map(|user| rows.unended_of(*user).count()).sum();
        assert_eq!(of_users, rows.unended().count(), "each is its user's");
        for n in 2000..3000 {
            let slot = rows.by_id[&session(n).id];
            assert!(rows.line(slot).contains(&session(n).id.to_string()));
        }
        let keys: Vec<_> = rows.by_start().iter().map(|slot| rows.start_key(*slot)).collect();
        assert!(keys.is_sorted() && keys.len() == 1000);
    }

    #[test]
    fn an_older_state_never_replaces_a_newer_one() {
        let mut rows = Rows::default();
        let newer = Session {
            version: 9,
            status: Status::Expired,
            ..session(1)
        };
        rows.put(newer.clone());
        rows.put(Session {
            version: 8,
            ..session(1)
        });
        assert_eq!(rows.get(newer.id).map(|row| row.status), Some(Status::Expired));
        assert_eq!((rows.counts().all, rows.counts().expired), (1, 1));
    }
}
