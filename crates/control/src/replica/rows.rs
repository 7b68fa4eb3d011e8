//! The rows and the indexes for reads: by id, by start, unended rows (also by user), and one text
//! for the search.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use session::{ApplicationId, Session, SessionId, Status, Timestamp, UserId, api::Counts, query};

use super::failures::Failures;

/// Rows in slots. A slot is used once. A removed row leaves a hole; when most slots are holes, the
/// rows are compacted.
#[derive(Default)]
pub struct Rows {
    slots: Vec<Option<Arc<Session>>>,
    /// The start of each slot's line in `text`.
    starts: Vec<u32>,
    /// The search text: one line for each slot.
    text: Vec<u8>,
    by_id: HashMap<SessionId, u32>,
    /// Slots sorted by (start, id).
    by_start: Vec<u32>,
    unended: BTreeSet<u32>,
    unended_of_user: HashMap<UserId, BTreeSet<u32>>,
    closing: BTreeSet<u32>,
    errors: BTreeSet<u32>,
    failures: Failures,
    counts: Counts,
}

impl Rows {
    /// Reserves memory for this many rows.
    pub fn reserve(&mut self, rows: usize) {
        self.slots.reserve(rows);
        self.starts.reserve(rows + 1);
        self.by_id.reserve(rows);
        self.by_start.reserve(rows);
    }

    /// Adds a row, or replaces an older version of it.
    pub fn put(&mut self, session: Session) {
        let slot = match self.by_id.get(&session.id).copied() {
            Some(slot) if self.at(slot).is_some_and(|old| old.version > session.version) => return,
            Some(slot) => slot,
            None => self.add(&session),
        };
        self.set_unended(slot, session.user_id, session.status != Status::Expired);
        set(&mut self.closing, slot, super::is_closing(&session));
        set(&mut self.errors, slot, session.status == Status::Error);
        self.failures.note(&session);
        let old = self.slots[slot as usize].replace(Arc::new(session));
        if let Some(old) = old {
            self.counts.remove(&old);
        }
        if let Some(new) = &self.slots[slot as usize] {
            self.counts.add(new);
        }
    }

    /// Removes a row, if it exists.
    pub fn remove(&mut self, id: SessionId) {
        let Some(slot) = self.by_id.remove(&id) else { return };
        let key = self.start_key(slot);
        let place = self.by_start.partition_point(|other| self.start_key(*other) < key);
        self.by_start.remove(place);
        self.closing.remove(&slot);
        self.errors.remove(&slot);
        if let Some(old) = self.slots[slot as usize].take() {
            self.set_unended(slot, old.user_id, false);
            self.failures.forget(&old);
            self.counts.remove(&old);
        }
        if self.slots.len() > 1024 && self.by_id.len() * 2 < self.slots.len() {
            self.compact();
        }
    }

    /// The row of this id, or `None` if it is not in the list.
    pub fn get(&self, id: SessionId) -> Option<&Arc<Session>> {
        self.at(*self.by_id.get(&id)?)
    }

    /// The row in this slot, or `None` if the slot is free.
    pub fn at(&self, slot: u32) -> Option<&Arc<Session>> {
        self.slots.get(slot as usize)?.as_ref()
    }

    /// All rows, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Session>> {
        self.slots.iter().flatten()
    }

    /// The slots sorted by (start, id), oldest first.
    pub fn by_start(&self) -> &[u32] {
        &self.by_start
    }

    /// The number of slots, including holes.
    pub fn slots(&self) -> u32 {
        u32::try_from(self.slots.len()).unwrap_or(u32::MAX)
    }

    /// The search text: one line for each slot.
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// The start of each slot's line in the search text.
    pub fn starts(&self) -> &[u32] {
        &self.starts
    }

    /// The line of one slot in the search text.
    pub fn line(&self, slot: u32) -> &str {
        let start = self.starts[slot as usize] as usize;
        let end = self
            .starts
            .get(slot as usize + 1)
            .map_or(self.text.len(), |next| *next as usize);
        std::str::from_utf8(&self.text[start..end]).unwrap_or_default()
    }

    /// The numbers of rows by status.
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    /// Rows that are not Expired, in the order of their launches.
    pub fn unended(&self) -> impl Iterator<Item = &Arc<Session>> {
        self.unended.iter().filter_map(|slot| self.at(*slot))
    }

    /// A user's rows that are not Expired, in the order of their launches.
    pub fn unended_of(&self, user: UserId) -> impl Iterator<Item = &Arc<Session>> {
        let slots = self.unended_of_user.get(&user).into_iter().flatten();
        slots.filter_map(|slot| self.at(*slot))
    }

    /// Does the user have another live session of the same application?
    pub fn has_other_live(&self, session: &Session) -> bool {
        let same = |row: &&Arc<Session>| row.application_id == session.application_id && row.id != session.id;
        self.unended_of(session.user_id)
            .filter(same)
            .any(|row| row.status.is_live())
    }

    /// The slots of rows in Error.
    pub fn errors(&self) -> impl Iterator<Item = u32> {
        self.errors.iter().copied()
    }

    /// The session in Error, if it is the user's newest one of this application.
    pub fn failure_of(&self, user: UserId, application: ApplicationId) -> Option<&Arc<Session>> {
        self.get(self.failures.of(user, application)?)
    }

    /// Notes the failures again, in the order of the launches: the database loads rows in any order.
    pub fn settle_failures(&mut self) {
        let mut failures = Failures::default();
        for slot in &self.by_start {
            if let Some(row) = self.at(*slot) {
                failures.note(row);
            }
        }
        self.failures = failures;
    }

    /// Expired rows that the environment has yet to close, in the order of their launches.
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

    /// Adds a slot for a new row, with its line and its position by start.
    fn add(&mut self, session: &Session) -> u32 {
        let slot = self.slots();
        self.slots.push(None);
        self.starts.push(u32::try_from(self.text.len()).unwrap_or(u32::MAX));
        self.text.extend_from_slice(query::haystack(session).as_bytes());
        self.text.push(b'\n');
        self.by_id.insert(session.id, slot);
        let key = Some((session.started_at, session.id));
        let comes_last = self.by_start.last().is_none_or(|last| self.start_key(*last) < key);
        // Launches come nearly in order, so this is the common case. A binary search costs a cache
        // miss for each step.
        if comes_last {
            self.by_start.push(slot);
        } else {
            let place = self.by_start.partition_point(|other| self.start_key(*other) < key);
            self.by_start.insert(place, slot);
        }
        slot
    }

    /// The sort key of [`Rows::by_start`].
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
mod tests;
