//! The log of events: search, export, and the proof that it is complete.

mod integrity;
mod search;

use session::{
    Role,
    api::Me,
    audit::{Entry, LIMITS, Page, Place, Query},
};

use crate::{Control, Error, Result, authorization::require};
pub use integrity::{Proof, SeenHead, Signed};
use search::Search;

/// A part of all matching events, and the start of the next part; `None` = this was the last part.
pub type Part = (Vec<Entry>, Option<Place>);

impl Control {
    /// A page of the matching events.
    pub async fn events(&self, me: &Me, query: &Query, place: Place, limit: u16) -> Result<Page> {
        require(me, Role::SystemAdmin)?;
        let most = LIMITS[LIMITS.len() - 1];
        if !(1..=most).contains(&limit) {
            return Err(Error::Malformed(format!("A page has 1 to {most} events, not {limit}.")));
        }
        Search::new(&*self.store, &self.replica, query).page(place, limit).await
    }

    /// A part of all matching events, for an export. It may be empty without being the last.
    pub async fn events_part(&self, me: &Me, query: &Query, place: Place) -> Result<Part> {
        require(me, Role::SystemAdmin)?;
        Search::new(&*self.store, &self.replica, query).part(place).await
    }
}
