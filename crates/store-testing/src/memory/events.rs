//! The log of events.

use async_trait::async_trait;
use session::{
    Event, SessionId,
    audit::{Numbered, Place},
};
use store::{
    Checkpoint, EventLog, EventScan, Hash, Head, Result, Verified,
    chain::Check,
    values::{json, truncate_to_micros},
};

use super::{Memory, State, StoredEvent, link};

#[async_trait]
impl EventLog for Memory {
    async fn events(&self, id: SessionId) -> Result<Vec<Event>> {
        self.read(|state| {
            let of = state.events.iter().filter(|stored| stored.event.session_id == Some(id));
            of.map(|stored| Event::clone(&stored.event)).collect()
        })
    }

    async fn scan_events(&self, scan: &EventScan) -> Result<Vec<Numbered>> {
        self.read(|state| state.scan(scan))
    }

    async fn verify_events(&self, heads: &[Hash]) -> Result<Verified> {
        self.read(|state| state.verify(heads))?
    }

    async fn head(&self) -> Result<Head> {
        self.read(|state| Head {
            number: state.events.len() as u64,
            hash: state.head(),
        })
    }

    async fn event_hash(&self, number: u64) -> Result<Option<Hash>> {
        self.read(|state| {
            let index = usize::try_from(number.checked_sub(1)?).ok()?;
            state.events.get(index).map(|stored| stored.hash)
        })
    }

    async fn add_checkpoint(&self, checkpoint: &Checkpoint) -> Result<()> {
        self.transact(|state| {
            let stored = Checkpoint {
                at: truncate_to_micros(checkpoint.at),
                ..checkpoint.clone()
            };
            state.checkpoints.entry(checkpoint.head.number).or_insert(stored);
            Ok(())
        })
    }

    async fn checkpoints(&self) -> Result<Vec<Checkpoint>> {
        self.read(|state| state.checkpoints.values().cloned().collect())
    }

    async fn log_event(&self, event: &Event) -> Result<()> {
        self.record(|_, events| {
            events.push(event.clone());
            Ok(())
        })
    }
}

impl State {
    fn scan(&self, scan: &EventScan) -> Vec<Numbered> {
        let numbered = |(id, stored): (u64, &StoredEvent)| Numbered {
            id,
            revision: stored.revision,
            event: Event::clone(&stored.event),
        };
        let order = |event: &Numbered| (event.event.at, event.id);
        let mut all: Vec<_> = (1..).zip(&self.events).map(numbered).collect();
        all.sort_by_key(order);
        let beside = |id| all.iter().find(|event| event.id == id).map(order);
        let place = match scan.place {
            Place::Newest => None,
            Place::Before(id) | Place::After(id) => Some(beside(id)),
        };
        all.retain(|event| {
            let (is, at) = (order(event), event.event.at);
            let placed = match (scan.place, place) {
                (Place::Before(_), Some(of)) => of.is_some_and(|of| is < of),
                (Place::After(_), Some(of)) => of.is_some_and(|of| is > of),
                _ => true,
            };
            let of_session = scan.session.is_none() || event.event.session_id == scan.session;
            placed && of_session && scan.from.is_none_or(|from| at >= from) && scan.until.is_none_or(|until| at < until)
        });
        if !matches!(scan.place, Place::After(_)) {
            all.reverse();
        }
        all.truncate(scan.limit as usize);
        all
    }

    fn verify(&self, heads: &[Hash]) -> Result<Verified> {
        let mut check = Check::new(heads);
        for (number, stored) in (1..).zip(&self.events) {
            let (actor, what) = (json(&stored.event.actor)?, json(&stored.event.what)?);
            let link = link(stored.revision, &stored.event, &actor, &what);
            check.next(number, &link, &stored.hash);
        }
        Ok(check.end(&self.head()))
    }
}
