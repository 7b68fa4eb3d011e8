//! What an administrator chose for the list: columns and order. Shown at once, kept on the server; if that fails, taken back.

use leptos::{prelude::*, task::spawn_local};
use session::{columns::Choice, view::Sort};

use super::view_url::ViewUrl;
use crate::api::{AppError, people::set_columns};

/// The choice of the page. Copy it freely: it is a handle.
#[derive(Clone, Copy)]
pub struct Preferences {
    /// What is shown.
    pub choice: RwSignal<Choice>,
    url: ViewUrl,
    on_failure: Callback<AppError>,
}

impl Preferences {
    /// As the server has it.
    pub fn new(choice: Choice, url: ViewUrl, on_failure: Callback<AppError>) -> Self {
        url.prefer(choice.sort);
        Self {
            choice: RwSignal::new(choice),
            url,
            on_failure,
        }
    }

    /// Keeps a choice; `None` goes back to the default.
    pub fn keep(self, wanted: Option<Choice>) {
        let before = self.choice.get_untracked();
        let shown = wanted.clone().unwrap_or_default();
        self.show(shown.clone());
        spawn_local(async move {
            if let Err(error) = set_columns(wanted).await {
                // A later choice stands: only this one is taken back.
                if self.choice.try_get_untracked() == Some(shown) {
                    self.show(before);
                }
                self.on_failure.run(error);
            }
        });
    }

    /// Keeps the order of the rows that was asked for.
    pub fn sort(self, sort: Sort) {
        let choice = self.choice.get_untracked();
        if choice.sort != sort {
            self.keep(Some(choice.sorted(sort)));
        }
    }

    fn show(&self, choice: Choice) {
        self.url.prefer(choice.sort);
        self.choice.set(choice);
    }
}
