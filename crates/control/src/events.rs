//! The log of what happened.

mod head;
mod search;

use session::{
    Role,
    audit::{Entry, LIMITS, Page, Place, Query},
    wire::Me,
};

use crate::{Control, Error, Result, authority::require};
pub use head::{Proof, SeenHead, Signed};
use search::Search;

/// A part of everything that a search finds, and where the next part starts; `None` = that was all.
pub type Part = (Vec<Entry>, Option<Place>);

impl Control {
    /// A page of the events that match.
    pub async fn events(&self, me: &Me, query: &Query, place: Place, limit: u16) -> Result<Page> {
        require(me, Role::SystemAdmin)?;
        let most = LIMITS[LIMITS.len() - 1];
        if !(1..=most).contains(&limit) {
            return Err(Error::Malformed(format!("A page has 1 to {most} events, not {limit}.")));
        }
        Search::new(&*self.store, &self.replica, query).page(place, limit).await
    }

    /// A part of all events that match, however many there are. It may be empty and not the last.
    pub async fn events_part(&self, me: &Me, query: &Query, place: Place) -> Result<Part> {
        require(me, Role::SystemAdmin)?;
        Search::new(&*self.store, &self.replica, query).part(place).await
    }
}
