//! The log of events: search, export, and the proof that it is complete.

mod integrity;
mod search;

use session::{
    Role,
    api::Me,
    audit::{Entry, MAX_LIMIT, Newer, Page, Place, Query, Row, View},
};

use crate::{Control, Error, Result, authorization::require};
pub use integrity::{Proof, SeenHead, Signed};
use search::Search;

/// A part of all matching events, and the start of the next part; `None` = this was the last part.
pub type Part = (Vec<Entry>, Option<Place>);

impl Control {
    /// The page of a view.
    pub async fn event_page(&self, me: &Me, view: &View) -> Result<Page> {
        let query = searched(me, view)?;
        self.events(me, &query, view.place, view.limit).await
    }

    /// The events that match the search of a view and are newer than the event `seen`
    /// ([`Page::seen`], [`Newer::seen`]).
    pub async fn newer_events(&self, me: &Me, view: &View, seen: Option<u64>) -> Result<Newer> {
        let query = searched(me, view)?;
        let search = Search::new(&*self.store, &self.replica, &query);
        search.since(seen, checked(view.limit)?).await
    }

    /// One event.
    pub async fn event(&self, me: &Me, id: u64) -> Result<Row> {
        require(me, Role::SystemAdmin)?;
        let query = Query::default();
        let search = Search::new(&*self.store, &self.replica, &query);
        search.one(id).await?.ok_or(Error::NoEvent(id))
    }

    /// A page of the matching events.
    pub async fn events(&self, me: &Me, query: &Query, place: Place, limit: u16) -> Result<Page> {
        require(me, Role::SystemAdmin)?;
        let search = Search::new(&*self.store, &self.replica, query);
        search.page(place, checked(limit)?).await
    }

    /// A part of all matching events, for an export. It may be empty without being the last.
    pub async fn events_part(&self, me: &Me, query: &Query, place: Place) -> Result<Part> {
        require(me, Role::SystemAdmin)?;
        Search::new(&*self.store, &self.replica, query).part(place).await
    }
}

/// The search of a view. The role comes first: nobody else learns how a search is written.
fn searched(me: &Me, view: &View) -> Result<Query> {
    require(me, Role::SystemAdmin)?;
    Ok(Query::parse(&view.q)?)
}

fn checked(limit: u16) -> Result<u16> {
    let wrong = || Error::Malformed(format!("A page has 1 to {MAX_LIMIT} events, not {limit}."));
    (1..=MAX_LIMIT).contains(&limit).then_some(limit).ok_or_else(wrong)
}
