//! Search for events: the store reads them in order, a part at a time, and this module decides
//! which match. So every database finds the same. A search for a page ends when the page is full,
//! or at a limit that a person can wait for.

use std::sync::Arc;

use session::{
    Session,
    audit::{Entry, Newer, Numbered, Page, Place, Query, Row},
};
use store::{EventScan, Store};

use crate::{Result, replica::Replica};

/// The limits of a search.
#[derive(Clone, Copy)]
struct Limits {
    /// The search for one page ends after this many events. The page has a link to continue.
    searched: u64,
    /// After the page is full, the count of matches continues up to this many events.
    counted: u64,
    /// The store reads this many events at a time.
    part: u32,
    /// One request for newer events reads this many parts. The next request continues.
    newer_parts: u32,
}

const LIMITS: Limits = Limits {
    searched: 200_000,
    counted: 10_000,
    part: 2_000,
    newer_parts: 10,
};

/// A search for one query.
pub(super) struct Search<'a> {
    store: &'a dyn Store,
    replica: &'a Replica,
    query: &'a Query,
    limits: Limits,
}

/// The matches in one part of the events.
struct Found {
    events: Vec<Numbered>,
    searched: u64,
    /// The first event read, and the last one; they need not match.
    ends: Option<(u64, u64)>,
    /// The start of the next part; `None` = this was the last.
    next: Option<Place>,
}

impl<'a> Search<'a> {
    pub(super) const fn new(store: &'a dyn Store, replica: &'a Replica, query: &'a Query) -> Self {
        Self {
            store,
            replica,
            query,
            limits: LIMITS,
        }
    }

    /// The page that starts at a place. Towards newer events, if too few are left to fill a page,
    /// it is the newest page.
    pub(super) async fn page(&self, place: Place, limit: u16) -> Result<Page> {
        if let Place::After(_) = place
            && let Some(page) = self.newer(place, limit).await?
        {
            return Ok(page);
        }
        let place = if let Place::After(_) = place {
            Place::Newest
        } else {
            place
        };
        self.older(place, limit).await
    }

    /// The matches that are newer than the event `seen`; without one, all of them. Each call reads a
    /// few parts only, so a page can ask every few seconds.
    pub(super) async fn since(&self, seen: Option<u64>, limit: u16) -> Result<Newer> {
        let Some(seen) = seen else {
            // The log had no event between the limits of the search. Then this is quick.
            let page = self.older(Place::Newest, limit).await?;
            return Ok(Newer {
                items: page.items,
                found: page.found,
                seen: page.seen,
            });
        };
        let (mut events, mut found, mut last) = (Vec::new(), 0, seen);
        for _ in 0..self.limits.newer_parts {
            let part = self.find(Place::After(last), self.limits.part).await?;
            found += part.events.len() as u64;
            events.extend(part.events);
            events.drain(..events.len().saturating_sub(limit.into()));
            last = part.ends.map_or(last, |(_, last)| last);
            if part.next.is_none() {
                break;
            }
        }
        events.reverse();
        Ok(Newer {
            items: self.rows(&events),
            found,
            seen: Some(last),
        })
    }

    /// One event; `None` if there is none with this number.
    pub(super) async fn one(&self, id: u64) -> Result<Option<Row>> {
        // The store finds the neighbours of an event. The event is the one before its successor, or
        // the newest. A second try is enough if it got a successor in between.
        for _ in 0..2 {
            let after = self.find(Place::After(id), 1).await?;
            let place = after
                .events
                .first()
                .map_or(Place::Newest, |next| Place::Before(next.id));
            let found = self.find(place, 1).await?.events;
            if let Some(row) = self.rows(&found).pop().filter(|row| row.entry.id == id) {
                return Ok(Some(row));
            }
        }
        Ok(None)
    }

    /// All matches in the next part of the events.
    pub(super) async fn part(&self, place: Place) -> Result<(Vec<Entry>, Option<Place>)> {
        let found = self.find(place, self.limits.part).await?;
        Ok((found.events.iter().map(Entry::new).collect(), found.next))
    }

    async fn older(&self, from: Place, limit: u16) -> Result<Page> {
        let size = usize::from(limit);
        let (mut events, mut page, mut searched) = (Vec::new(), Page::default(), 0);
        // Without words every event matches. One more than the page holds shows whether there is a
        // next page.
        let mut part = if self.query.words.is_empty() {
            u32::from(limit) + 1
        } else {
            self.limits.part
        };
        let mut next = Some(from);
        while let Some(place) = next {
            let found = self.find(place, part).await?;
            searched += found.searched;
            page.found += found.events.len() as u64;
            if let (Place::Newest, Some((newest, _))) = (place, found.ends) {
                page.seen = Some(newest);
            }
            events.extend(found.events);
            events.truncate(size + 1);
            next = found.next;
            let full = events.len() > size;
            if full && (from != Place::Newest || searched >= self.limits.counted) {
                break;
            }
            if next.is_some() && searched >= self.limits.searched {
                page.stopped = Some(searched);
                break;
            }
            part = self.limits.part;
        }
        page.counted = next.is_none();
        if events.len() > size {
            events.truncate(size);
            page.older = events.last().map(|event| event.id);
        } else if let Some(Place::Before(id)) = next {
            page.older = Some(id);
        }
        if from != Place::Newest {
            page.newer = events.first().map(|event| event.id);
        }
        page.items = self.rows(&events);
        Ok(page)
    }

    /// The page of newer events before a place. `None` if that is the newest page.
    async fn newer(&self, from: Place, limit: u16) -> Result<Option<Page>> {
        let size = usize::from(limit);
        let (mut events, mut page, mut searched) = (Vec::new(), Page::default(), 0);
        let mut place = from;
        while events.len() <= size {
            let found = self.find(place, self.limits.part).await?;
            searched += found.searched;
            events.extend(found.events);
            match found.next {
                Some(next) => place = next,
                None if events.len() <= size => return Ok(None),
                None => break,
            }
            if events.len() <= size && searched >= self.limits.searched {
                page.stopped = Some(searched);
                break;
            }
        }
        page.newer = match place {
            Place::After(id) if page.stopped.is_some() => Some(id),
            _ => events.get(size.saturating_sub(1)).map(|event| event.id),
        };
        events.truncate(size);
        events.reverse();
        page.older = match (events.last(), from) {
            (Some(oldest), _) => Some(oldest.id),
            (None, Place::After(id)) => Some(id),
            (None, _) => None,
        };
        page.found = events.len() as u64;
        page.items = self.rows(&events);
        Ok(Some(page))
    }

    async fn find(&self, place: Place, limit: u32) -> Result<Found> {
        let scan = EventScan {
            session: self.query.session,
            from: self.query.from,
            until: self.query.until,
            place,
            limit,
        };
        let mut events = self.store.scan_events(&scan).await?;
        let searched = events.len() as u64;
        let ends = events
            .first()
            .zip(events.last())
            .map(|(first, last)| (first.id, last.id));
        let next = ends.map(|(_, last)| match place {
            Place::After(_) => Place::After(last),
            Place::Newest | Place::Before(_) => Place::Before(last),
        });
        if !self.query.words.is_empty() {
            events.retain(|event| self.query.matches(event, self.session(event).as_deref()));
        }
        Ok(Found {
            events,
            searched,
            ends,
            next: next.filter(|_| searched == u64::from(limit)),
        })
    }

    fn session(&self, event: &Numbered) -> Option<Arc<Session>> {
        self.replica.get(event.event.session_id?)
    }

    fn rows(&self, events: &[Numbered]) -> Vec<Row> {
        events
            .iter()
            .map(|event| Row::new(event, self.session(event).as_deref()))
            .collect()
    }
}

#[cfg(test)]
mod tests;
