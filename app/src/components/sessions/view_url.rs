//! The address of a list: the URL is the state. Only the order of the rows has a second source, what the administrator chose
//! before: it counts where the address asks for none.

use leptos::prelude::*;
use leptos_router::{
    NavigateOptions,
    hooks::{use_location, use_navigate},
};
use session::{
    SessionId,
    view::{Sort, View},
};

use crate::ui::address;

/// Where the Sessions page is.
pub const SESSIONS_PATH: &str = "/admin/cloud-delivery/sessions";

/// Reads and writes the view in the page's address. Copy it freely: it is a handle.
#[derive(Clone, Copy)]
pub struct ViewUrl {
    /// The view that the address asks for, or what is wrong with the address.
    pub view: Memo<Result<View, String>>,
    path: Memo<String>,
    preferred: RwSignal<Sort>,
    go: Callback<(String, bool)>,
}

impl ViewUrl {
    /// Of the page that calls it.
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

    /// The view as the address has it, or the plain one while the address makes no sense.
    pub fn get(&self) -> View {
        self.view.get().unwrap_or_default()
    }

    /// The same, without following it.
    pub fn get_untracked(&self) -> View {
        self.view.get_untracked().unwrap_or_default()
    }

    /// The view with the order that its rows really have.
    pub fn resolved(&self) -> View {
        let view = self.get();
        View {
            sort: view.sort.or(Some(self.preferred.get())),
            ..view
        }
    }

    /// The order where the address asks for none.
    pub fn prefer(&self, sort: Sort) {
        if self.preferred.get_untracked() != sort {
            self.preferred.set(sort);
        }
    }

    /// Changes the address in place: no step for the Back button.
    pub fn replace(&self, view: View) {
        if self.view.get_untracked().as_ref() != Ok(&view) {
            self.go
                .run((format!("{}{}", self.path.get_untracked(), search(&view)), true));
        }
    }

    /// A link that shows another view beside the same details. Works without JavaScript.
    pub fn link(&self, view: &View) -> String {
        format!("{}{}", self.path.get(), search(view))
    }

    /// A link to the details of a session beside the same list.
    pub fn details(&self, id: SessionId) -> String {
        format!("{SESSIONS_PATH}/{id}{}", search(&self.get()))
    }

    /// The session whose details the address shows.
    pub fn open_details(&self) -> Option<SessionId> {
        let path = self.path.read();
        path.strip_prefix(SESSIONS_PATH)?.strip_prefix('/')?.parse().ok()
    }

    /// A link to the list alone.
    pub fn list(&self) -> String {
        format!("{SESSIONS_PATH}{}", search(&self.get()))
    }

    /// Follows one of these links: a step for the Back button.
    pub fn follow(&self, link: String) {
        self.go.run((link, false));
    }
}

/// The view of a query string.
pub fn parse(search: &str) -> Result<View, String> {
    let pairs = address::pairs(search);
    View::from_pairs(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())))
}

/// The query string of a view, with its `?`; empty for the plain view.
pub fn search(view: &View) -> String {
    let pairs = view.to_pairs();
    address::query(pairs.iter().map(|(name, value)| (*name, value.as_str())))
}
