//! The events on screen, and the newer events that wait for the reader.

use leptos::{prelude::*, task::spawn_local};
use session::audit::{Newer, Page, Place, Row};

use super::{
    audit_url::{Asked, AuditUrl},
    live::nobody_reads,
};
use crate::{
    api::{
        AppError,
        audit::{list_events, newer_events},
    },
    ui::{repeat::while_visible, stable_rows},
};

/// Element id of the scrolling region.
pub const TABLE_ID: &str = "audit-table";

/// The answer to a search: a page, or the error in the search.
pub type Answer = Result<Page, String>;

/// The server's answer to a view. An invalid search is an answer; other errors are not.
pub async fn ask(asked: Asked) -> Result<Answer, AppError> {
    if let Some(wrong) = asked.wrong {
        return Ok(Err(wrong));
    }
    match list_events(asked.view).await {
        Ok(page) => Ok(Ok(page)),
        Err(error) if error.code() == "malformed" => Ok(Err(error.0.detail)),
        Err(error) => Err(error),
    }
}

/// The events on screen. A cheap handle; copy it freely.
#[derive(Clone, Copy)]
pub struct Model {
    /// The page on screen; empty if the search is invalid.
    pub page: RwSignal<Page>,
    /// The view that it answers. The address is ahead of it while an answer is on its way.
    pub answered: RwSignal<Asked>,
    /// The error in the search.
    pub wrong: RwSignal<Option<String>>,
    /// Error of the last request. Polling stops after a lost login or role.
    pub trouble: RwSignal<Option<AppError>>,
    /// Newer events that are not on screen yet.
    pub waiting: RwSignal<Newer>,
    /// Whether the last change was an insertion of newer events.
    pub grew: RwSignal<bool>,
    url: AuditUrl,
    /// The newest event searched.
    seen: StoredValue<Option<u64>>,
    /// Events that this page inserted while it was open.
    fresh: StoredValue<Vec<u64>>,
    /// Increases with each request for a page. An answer to an earlier number is stale.
    requests: StoredValue<u32>,
    /// Number of answers on screen so far.
    answers: StoredValue<u32>,
    polling: StoredValue<bool>,
}

impl Model {
    /// Starts with the answer that came with the page. Then follows the address, and polls for newer
    /// events while the page is visible.
    pub fn start(asked: Asked, first: Answer, url: AuditUrl) -> Self {
        let (page, wrong) = split(first);
        let model = Self {
            seen: StoredValue::new(page.seen),
            page: RwSignal::new(page),
            answered: RwSignal::new(asked),
            wrong: RwSignal::new(wrong),
            trouble: RwSignal::new(None),
            waiting: RwSignal::new(Newer::default()),
            grew: RwSignal::new(false),
            url,
            fresh: StoredValue::new(Vec::new()),
            requests: StoredValue::new(0),
            answers: StoredValue::new(0),
            polling: StoredValue::new(false),
        };
        Effect::new(move || {
            if *url.asked.read() == *model.answered.read_untracked() {
                // Back, before the answer to the next page arrived.
                model.drop_requests();
            } else {
                model.request();
            }
        });
        while_visible(Callback::new(move |()| model.poll()));
        model
    }

    /// Whether an answer is on its way.
    pub fn is_busy(&self) -> bool {
        *self.url.asked.read() != *self.answered.read()
    }

    /// Whether newer events appear.
    pub fn is_live(&self) -> bool {
        self.answered.read().view.place == Place::Newest && self.wrong.read().is_none() && self.trouble.read().is_none()
    }

    /// The keys of the rows, from top to bottom. Each answer has its own rows, so that their links
    /// belong to its search.
    pub fn keys(&self) -> Vec<u128> {
        let page = self.page.read();
        let answer = u128::from(self.answers.get_value()) << 64;
        page.items.iter().map(|row| answer | u128::from(row.entry.id)).collect()
    }

    /// The row with this key, and whether this page inserted it while it was open.
    pub fn row(&self, key: u128) -> Option<(Row, bool)> {
        let page = self.page.read_untracked();
        let is = |row: &&Row| u128::from(row.entry.id) == key & u128::from(u64::MAX);
        let row = page.items.iter().find(is)?.clone();
        let fresh = self.fresh.with_value(|fresh| fresh.contains(&row.entry.id));
        Some((row, fresh))
    }

    /// Requests the page of the address.
    pub fn request(self) {
        let asked = self.url.asked.get_untracked();
        self.drop_requests();
        let number = self.requests.get_value();
        spawn_local(async move {
            let answer = ask(asked.clone()).await;
            if self.requests.try_get_value() == Some(number) {
                match answer {
                    Ok(answer) => self.show(asked, answer),
                    Err(error) => self.trouble.set(Some(error)),
                }
            }
        });
    }

    /// Puts the newer events on screen.
    pub fn insert_waiting(&self) {
        let newer = self.waiting.try_update(std::mem::take);
        self.insert(newer.unwrap_or_default());
    }

    /// Makes the answers to all requests so far stale.
    fn drop_requests(&self) {
        self.requests.update_value(|count| *count += 1);
    }

    fn show(&self, asked: Asked, answer: Answer) {
        let moved = *self.answered.read_untracked() != asked;
        let (page, wrong) = split(answer);
        // A poll on its way began after an older event.
        self.drop_requests();
        self.hold_rows();
        self.seen.set_value(page.seen);
        self.fresh.set_value(Vec::new());
        self.answers.update_value(|count| *count += 1);
        self.waiting.set(Newer::default());
        self.grew.set(false);
        self.trouble.set(None);
        self.answered.set(asked);
        self.wrong.set(wrong);
        self.page.set(page);
        if moved {
            super::live::scroll_to_top();
        }
    }

    fn poll(self) {
        if self.is_over() || self.polling.try_get_value() != Some(false) {
            return;
        }
        let view = self.answered.read_untracked().view.clone();
        let behind = *self.url.asked.read_untracked() != *self.answered.read_untracked();
        if behind || view.place != Place::Newest || self.wrong.read_untracked().is_some() {
            // There is nothing newer to show, but a failed request is repeated.
            if self.trouble.read_untracked().is_some() {
                self.request();
            }
            return;
        }
        let number = self.requests.get_value();
        let seen = self.seen.get_value();
        self.polling.set_value(true);
        spawn_local(async move {
            let answer = newer_events(view, seen).await;
            if self.polling.try_set_value(false).is_some() || self.requests.get_value() != number {
                return;
            }
            match answer {
                Ok(newer) => self.take(newer),
                Err(error) => self.trouble.set(Some(error)),
            }
        });
    }

    fn take(&self, newer: Newer) {
        if self.trouble.read_untracked().is_some() {
            self.trouble.set(None);
        }
        self.seen.set_value(newer.seen);
        if newer.items.is_empty() {
            return;
        }
        // A button that is already there must not disappear under the pointer.
        let direct = self.waiting.read_untracked().found == 0 && self.url.open.get_untracked().is_none();
        if direct && nobody_reads(TABLE_ID) {
            self.insert(newer);
        } else {
            let limit = self.limit();
            self.waiting
                .update(|waiting| *waiting = together(newer, std::mem::take(waiting), limit));
        }
    }

    fn insert(&self, newer: Newer) {
        let limit = self.limit();
        self.hold_rows();
        self.fresh.update_value(|fresh| {
            fresh.extend(newer.items.iter().map(|row| row.entry.id));
            let old = fresh.len().saturating_sub(limit);
            fresh.drain(..old);
        });
        self.grew.set(true);
        self.page.update(|page| extend(page, newer, limit));
    }

    fn limit(&self) -> usize {
        self.answered.read_untracked().view.limit.into()
    }

    fn hold_rows(&self) {
        let page = self.page;
        stable_rows::hold(TABLE_ID, move || {
            let page = page.try_read_untracked();
            let ids = page.map(|page| page.items.iter().map(|row| row.entry.id.to_string()).collect());
            ids.unwrap_or_default()
        });
    }

    /// Whether polling must stop. A lost login, a lost role and a closed page are permanent.
    fn is_over(&self) -> bool {
        let over = |trouble: &Option<AppError>| {
            let trouble = trouble.as_ref();
            trouble.is_some_and(|error| error.is_signed_out() || error.is_forbidden())
        };
        self.trouble.try_with_untracked(over).unwrap_or(true)
    }
}

fn split(answer: Answer) -> (Page, Option<String>) {
    match answer {
        Ok(page) => (page, None),
        Err(wrong) => (Page::default(), Some(wrong)),
    }
}

/// Merges newer events with those that wait already. Keeps as many as a page has.
fn together(newer: Newer, before: Newer, limit: usize) -> Newer {
    let mut items = newer.items;
    items.extend(before.items);
    items.truncate(limit);
    Newer {
        items,
        found: newer.found + before.found,
        seen: newer.seen,
    }
}

/// Adds newer events at the top of a page. The page keeps its size: events leave it at the bottom.
fn extend(page: &mut Page, newer: Newer, limit: usize) {
    let mut items = newer.items;
    items.append(&mut page.items);
    if items.len() > limit {
        items.truncate(limit);
        page.older = items.last().map(|row| row.entry.id);
    }
    page.items = items;
    page.found += newer.found;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::components::audit::fixture::row;

    fn rows(ids: impl IntoIterator<Item = u64>) -> Vec<Row> {
        ids.into_iter().map(row).collect()
    }

    fn ids(rows: &[Row]) -> Vec<u64> {
        rows.iter().map(|row| row.entry.id).collect()
    }

    fn newer(ids: impl IntoIterator<Item = u64>) -> Newer {
        let items = rows(ids);
        Newer {
            found: items.len() as u64,
            items,
            seen: None,
        }
    }

    #[test]
    fn newer_events_come_to_the_top_and_the_page_keeps_its_size() {
        let mut page = Page {
            items: rows([3, 2]),
            found: 2,
            counted: true,
            ..Page::default()
        };
        extend(&mut page, newer([4]), 3);
        assert_eq!((ids(&page.items), page.found, page.older), (vec![4, 3, 2], 3, None));
        extend(&mut page, newer([6, 5]), 3);
        assert_eq!((ids(&page.items), page.found), (vec![6, 5, 4], 5));
        assert_eq!(page.older, Some(4), "the next page has the events that left this one");
    }

    #[test]
    fn of_the_waiting_events_a_page_is_kept_and_all_are_counted() {
        let waiting = together(newer([5, 4]), newer([3, 2]), 3);
        assert_eq!((ids(&waiting.items), waiting.found), (vec![5, 4, 3], 4));
    }
}
