//! The address of a list: the URL is the state.

use leptos::prelude::*;
use leptos_router::{
    NavigateOptions,
    hooks::{use_location, use_navigate},
};
use session::view::View;

use crate::ui::address;

/// Where the Sessions page is.
pub const SESSIONS_PATH: &str = "/admin/cloud-delivery/sessions";

/// Reads and writes the view in the page's address. Provided by the page as a context.
#[derive(Clone, Copy)]
pub struct ViewUrl {
    /// The view that the address asks for, or what is wrong with the address.
    pub view: Memo<Result<View, String>>,
    go: Callback<View>,
}

impl ViewUrl {
    /// Of the page that calls it.
    pub fn of_this_page() -> Self {
        let location = use_location();
        let view = Memo::new(move |_| parse(&location.search.read()));
        let navigate = use_navigate();
        let go = Callback::new(move |view: View| {
            let to = format!("{}{}", location.pathname.get_untracked(), search(&view));
            navigate(
                &to,
                NavigateOptions {
                    replace: true,
                    scroll: false,
                    resolve: false,
                    ..Default::default()
                },
            );
        });
        Self { view, go }
    }

    /// The view, or the plain one while the address makes no sense.
    pub fn get(&self) -> View {
        self.view.get().unwrap_or_default()
    }

    /// The same, without following it.
    pub fn get_untracked(&self) -> View {
        self.view.get_untracked().unwrap_or_default()
    }

    /// Changes the address in place: no step for the Back button.
    pub fn replace(&self, view: View) {
        if self.view.get_untracked().as_ref() != Ok(&view) {
            self.go.run(view);
        }
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

/// A link that shows another view of the same page. Works without JavaScript.
pub fn link(view: &View) -> String {
    format!("{}{}", SESSIONS_PATH, search(view))
}
