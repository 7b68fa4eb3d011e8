//! The search: one pass over one text.

use memchr::memmem;
use session::{
    Status,
    api::Counts,
    query::{Query, Word},
};

use super::rows::Rows;

/// The rows that match a search, and their numbers by status.
pub struct Matches {
    /// One flag for each slot; `None` = all rows match.
    slots: Option<Vec<bool>>,
    /// The numbers of matches by status.
    pub counts: Counts,
}

impl Matches {
    /// Does this slot match?
    pub fn has(&self, slot: u32) -> bool {
        self.slots.as_ref().is_none_or(|slots| slots[slot as usize])
    }
}

/// Finds the rows that match.
pub fn matches(rows: &Rows, query: &Query) -> Matches {
    if query.words.is_empty() {
        return Matches {
            slots: None,
            counts: rows.counts(),
        };
    }
    let mut slots = vec![false; rows.slots() as usize];
    let mut counts = Counts::default();
    let mut check = |slot: u32| {
        if let Some(row) = rows.at(slot)
            && !slots[slot as usize]
            && query.matches(row, rows.line(slot))
        {
            slots[slot as usize] = true;
            counts.add(row);
        }
    };
    match rarest(query) {
        Some(word) => {
            candidates(rows, word, &mut check);
            // A word also matches an error text, which is not in the search text because it changes.
            rows.errors().for_each(check);
        }
        None => (0..rows.slots()).for_each(check),
    }
    Matches {
        slots: Some(slots),
        counts,
    }
}

/// The longest word that only the search text can match. A search for it in the text finds every
/// candidate.
fn rarest(query: &Query) -> Option<&Word> {
    let in_text = |word: &&Word| {
        word.field.is_none() && !Status::ALL.into_iter().any(|status| status.code().contains(&word.text))
    };
    query.words.iter().filter(in_text).max_by_key(|word| word.text.len())
}

/// Calls `check` once for each slot whose line holds the word.
fn candidates(rows: &Rows, word: &Word, check: &mut impl FnMut(u32)) {
    let (text, starts) = (rows.text(), rows.starts());
    let finder = memmem::Finder::new(word.text.as_bytes());
    let (mut from, mut slot) = (0, 0);
    while let Some(hit) = finder.find(&text[from..]) {
        let position = from + hit;
        while starts.get(slot + 1).is_some_and(|next| *next as usize <= position) {
            slot += 1;
        }
        check(u32::try_from(slot).unwrap_or(u32::MAX));
        from = starts.get(slot + 1).map_or(text.len(), |next| *next as usize);
    }
}
