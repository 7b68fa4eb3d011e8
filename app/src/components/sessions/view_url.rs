//! The address of a list: the URL is the state. Only the order has a second source, the
//! administrator's saved choice, which applies if the address contains no order.

use leptos::prelude::*;
use leptos_router::{
    NavigateOptions,
    hooks::{use_location, use_navigate},
};
use session::{
    SessionId,
    view::{InvalidView, Sort, View},
};

use crate::ui::address;

/// Path of the Sessions page.
pub const SESSIONS_PATH: &str = "/admin/cloud-delivery/sessions";

/// Reads and writes the view in the page's address. A cheap handle; copy it freely.
#[derive(Clone, Copy)]
pub struct ViewUrl {
    /// The view in the address, or the error in it.
    pub view: Memo<Result<View, InvalidView>>,
    path: Memo<String>,
    preferred: RwSignal<Sort>,
    go: Callback<(String, bool)>,
}

impl ViewUrl {
    /// For the page of the calling component.
    pub fn of_this_page() -> Self {
        let location = use_location();
        let view = Memo::new(move |_| parse(&location.search.read()));
        let navigate = use_navigate();
        let go = Callback::new(move |(to, replace): (String, bool)| {
            navigate(
                &to,
                NavigateOptions {
                    replace,
                    scroll: false,
                    resolve: false,
                    ..Default::default()
                },
            );
        });
        Self {
            view,
            path: location.pathname,
            preferred: RwSignal::new(Sort::default()),
            go,
        }
    }

    /// The view in the address; the default view if the address is invalid.
    pub fn get(&self) -> View {
        self.view.get().unwrap_or_default()
    }

    /// The same, untracked.
    pub fn get_untracked(&self) -> View {
        self.view.get_untracked().unwrap_or_default()
    }

    /// The view with its effective order.
    pub fn resolved(&self) -> View {
        let view = self.get();
        View {
            sort: view.sort.or(Some(self.preferred.get())),
            ..view
        }
    }

    /// Sets the order for addresses that contain none.
    pub fn prefer(&self, sort: Sort) {
        if self.preferred.get_untracked() != sort {
            self.preferred.set(sort);
        }
    }

    /// Replaces the address without a history entry for Back.
    pub fn replace(&self, view: View) {
        if self.view.get_untracked().as_ref() != Ok(&view) {
            self.go
                .run((format!("{}{}", self.path.get_untracked(), search(&view)), true));
        }
    }

    /// A link to another view with the same details open. Works without JavaScript.
    pub fn link(&self, view: &View) -> String {
        format!("{}{}", self.path.get(), search(view))
    }

    /// A link to the details of a session, beside the same list.
    pub fn details(&self, id: SessionId) -> String {
        format!("{SESSIONS_PATH}/{id}{}", search(&self.get()))
    }

    /// The session whose details are open, from the address.
    pub fn open_details(&self) -> Option<SessionId> {
        let path = self.path.read();
        path.strip_prefix(SESSIONS_PATH)?.strip_prefix('/')?.parse().ok()
    }

    /// A link to the list without details.
    pub fn list(&self) -> String {
        format!("{SESSIONS_PATH}{}", search(&self.get()))
    }

    /// Follows a link of this type, with a history entry for Back.
    pub fn follow(&self, link: String) {
        self.go.run((link, false));
    }
}

/// Parses a query string into a view.
pub fn parse(search: &str) -> Result<View, InvalidView> {
    let pairs = address::pairs(search);
    View::from_pairs(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())))
}

/// The query string of a view, with its `?`; empty for the default view.
pub fn search(view: &View) -> String {
    let pairs = view.to_pairs();
    address::query(pairs.iter().map(|(name, value)| (*name, value.as_str())))
}
