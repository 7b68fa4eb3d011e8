//! My apps: the applications that a person can launch, with the person's sessions, favourites and
//! last uses.

use std::{collections::HashMap, num::NonZeroUsize, sync::Arc};

use chrono::TimeDelta;
use lru::LruCache;
use parking_lot::Mutex;
use session::{
    ApplicationId, Session, Timestamp, UserId,
    api::{AppCard, LastFailure, MAX_RECENT, Me, MyApplication, MyApps, SessionView},
};
use store::{Application, OwnApplication, StoreError};

use crate::{
    Control, Error, Result,
    catalogue::cache::{Launchable, card, cards, version},
};

/// The most people whose favourites and last uses are in memory.
const PEOPLE: NonZeroUsize = NonZeroUsize::new(16_384).unwrap();
/// After this time they are read again: another node may have changed them.
const FRESH: TimeDelta = TimeDelta::seconds(30);

/// Favourites and last uses of the people who have My apps open. Each page polls, and a read of the
/// database for each poll would be most of its work.
pub struct OwnApplications(Mutex<State>);

struct State {
    of: LruCache<UserId, Entry>,
    /// The number of changes so far.
    changes: u64,
}

#[derive(Clone)]
struct Entry {
    read_at: Timestamp,
    own: Arc<[OwnApplication]>,
}

impl Default for OwnApplications {
    fn default() -> Self {
        Self(Mutex::new(State {
            of: LruCache::new(PEOPLE),
            changes: 0,
        }))
    }
}

impl OwnApplications {
    /// Forgets an entry after a change. The next call reads it again.
    pub fn forget(&self, user: UserId) {
        let mut state = self.0.lock();
        state.of.pop(&user);
        state.changes += 1;
    }
}

impl Control {
    /// My apps, for its page. From memory: a change by another process appears within a second, a
    /// favourite of another node within [`FRESH`]. The cards are left out if the page has those of
    /// the version `known`. Without it the page is new, and the favourites come from the database.
    pub async fn my_apps(&self, me: &Me, known: Option<&str>) -> Result<MyApps> {
        let catalogue = self.cached_catalogue().await?;
        let own = self.own_applications(me, known.is_none()).await;
        let live = self.replica.live_of(me.user_id);
        let closed: Vec<_> = visible(&catalogue, &live).filter(|row| !row.open).collect();
        let (version, cards) = if closed.is_empty() {
            (catalogue.version.clone(), catalogue.cards.clone())
        } else {
            let cards = cards(&catalogue, visible(&catalogue, &live));
            (version(&cards), cards)
        };
        let mut used: Vec<_> = own.iter().filter_map(|own| Some((own.used_at?, own.id))).collect();
        used.sort_unstable_by(|one, other| other.cmp(one));
        let recent = used.into_iter().map(|(_, id)| id);
        let recent = recent
            .filter(|id| cards.items.iter().any(|card| card.id == *id))
            .take(MAX_RECENT);
        let recent = recent.collect();
        let mut sessions: Vec<_> = live.values().map(|session| SessionView::from(&**session)).collect();
        sessions.sort_unstable_by_key(|session| session.id);
        let failed = self.failures(me, &catalogue).into_iter();
        let mut failed: Vec<_> = failed.filter(|(id, _)| !live.contains_key(id)).collect();
        failed.sort_unstable_by_key(|(id, _)| *id);
        Ok(MyApps {
            cards: (known != Some(&*version)).then_some(cards),
            version,
            sessions,
            failed,
            favourites: own.iter().filter(|own| own.favourite).map(|own| own.id).collect(),
            recent,
        })
    }

    /// The same from the database. For programs, which may know of an application that was added a
    /// moment ago.
    pub async fn my_applications(&self, me: &Me) -> Result<Vec<MyApplication>> {
        let catalogue = Launchable::read(&*self.store).await?;
        let own = self.store.own_applications(me.user_id).await?;
        let live = self.replica.live_of(me.user_id);
        let mut failed = self.failures(me, &catalogue);
        let mine = visible(&catalogue, &live).map(|row| {
            let own = own.iter().find(|own| own.id == row.id);
            let AppCard {
                id,
                name,
                launch_text,
                home,
                open,
                appearance,
            } = card(&catalogue, row);
            MyApplication {
                favourite: own.is_some_and(|own| own.favourite),
                used_at: own.and_then(|own| own.used_at),
                session: live.get(&id).map(|session| SessionView::from(&**session)),
                failed: failed.remove(&id).filter(|_| !live.contains_key(&id)),
                id,
                name,
                launch_text,
                home,
                open,
                appearance,
            }
        });
        Ok(mine.collect())
    }

    /// Marks an application as a favourite of this person, or removes the mark.
    pub async fn set_favourite(&self, me: &Me, id: ApplicationId, favourite: bool) -> Result<()> {
        let catalogue = self.cached_catalogue().await?;
        let live = self.replica.live_of(me.user_id);
        if favourite && !visible(&catalogue, &live).any(|row| row.id == id) {
            return Err(Error::NoApplication(id));
        }
        let done = self.store.set_favourite(me.user_id, id, favourite).await;
        // Also after an error: the outcome may be unknown.
        self.own.forget(me.user_id);
        match done {
            Err(StoreError::NotFound(_)) => Err(Error::NoApplication(id)),
            other => Ok(other?),
        }
    }

    /// The failures of this person's last sessions.
    fn failures(&self, me: &Me, catalogue: &Launchable) -> HashMap<ApplicationId, LastFailure> {
        let ids = catalogue.applications.iter().map(|application| application.id);
        let failure = |session: Arc<Session>| LastFailure {
            at: session.started_at,
            error: session.error.clone().unwrap_or_default(),
        };
        let failed = self.replica.failures_of(me.user_id, ids).into_iter();
        failed.map(|(id, session)| (id, failure(session))).collect()
    }

    /// Favourites and last uses of a person; from the database if there is no entry, if the entry is
    /// old, or if they must be `fresh`. While the database does not answer, the last ones known:
    /// My apps works without them.
    async fn own_applications(&self, me: &Me, fresh: bool) -> Arc<[OwnApplication]> {
        let (known, changes) = {
            let mut state = self.own.0.lock();
            (state.of.get(&me.user_id).cloned(), state.changes)
        };
        let now = self.clock.now();
        let known = match known {
            Some(entry) if !fresh && now - entry.read_at < FRESH => return entry.own,
            known => known.map(|entry| entry.own),
        };
        let own = match self.store.own_applications(me.user_id).await {
            Ok(own) => own.into(),
            Err(error) => {
                tracing::debug!(%error, "could not read the favourites of a person; showed the last ones known");
                known.unwrap_or_default()
            }
        };
        let mut state = self.own.0.lock();
        // If something changed during the read, the result may lack that change.
        if state.changes == changes {
            let entry = Entry {
                read_at: now,
                own: own.clone(),
            };
            state.of.put(me.user_id, entry);
        }
        own
    }
}

/// The applications that this person sees: those that are open, and those that run.
fn visible<'a>(
    catalogue: &'a Launchable,
    live: &'a HashMap<ApplicationId, Arc<Session>>,
) -> impl Iterator<Item = &'a Application> {
    let all = catalogue.applications.iter();
    all.filter(|row| row.open || live.contains_key(&row.id))
}
