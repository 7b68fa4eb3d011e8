//! An administrator's choice of columns and order: applied immediately, saved on the server,
//! reverted if saving fails.

use leptos::{prelude::*, task::spawn_local};
use session::{
    columns::{Choice, numbered, numbers},
    view::Sort,
};

use super::view_url::ViewUrl;
use crate::{
    api::{AppError, people::set_columns},
    components::columns_menu::MenuColumns,
};

/// The choice of the page. A cheap handle; copy it freely.
#[derive(Clone, Copy)]
pub struct Preferences {
    /// Choice on screen.
    pub choice: RwSignal<Choice>,
    url: ViewUrl,
    on_failure: Callback<AppError>,
}

impl Preferences {
    /// Starts with the saved choice.
    pub fn new(choice: Choice, url: ViewUrl, on_failure: Callback<AppError>) -> Self {
        url.prefer(choice.sort);
        Self {
            choice: RwSignal::new(choice),
            url,
            on_failure,
        }
    }

    /// Saves a choice; `None` restores the default.
    pub fn keep(self, wanted: Option<Choice>) {
        let before = self.choice.get_untracked();
        let shown = wanted.clone().unwrap_or_default();
        self.show(shown.clone());
        spawn_local(async move {
            if let Err(error) = set_columns(wanted).await {
                // A later choice wins, so revert only this one.
                if self.choice.try_get_untracked() == Some(shown) {
                    self.show(before);
                }
                self.on_failure.run(error);
            }
        });
    }

    /// Saves a new order of the rows.
    pub fn sort(self, sort: Sort) {
        let choice = self.choice.get_untracked();
        if choice.sort != sort {
            self.keep(Some(choice.sorted(sort)));
        }
    }

    /// The choice as the Columns menu changes it.
    pub fn menu_columns(self) -> MenuColumns {
        let choice = self.choice;
        MenuColumns {
            order: Signal::derive(move || numbers(&choice.read().order)),
            names: Callback::new(|number| {
                let column = numbered(number);
                (column.header(), column.description())
            }),
            shows: Callback::new(move |number| choice.read().shows(numbered(number))),
            show: Callback::new(move |(number, shown)| {
                self.keep(Some(choice.get_untracked().with(numbered(number), shown)));
            }),
            place: Some(Callback::new(move |(number, places)| {
                self.keep(Some(choice.get_untracked().moved(numbered(number), places)));
            })),
            is_default: Signal::derive(move || *choice.read() == Choice::default()),
            reset: Callback::new(move |()| self.keep(None)),
        }
    }

    fn show(&self, choice: Choice) {
        self.url.prefer(choice.sort);
        self.choice.set(choice);
    }
}
