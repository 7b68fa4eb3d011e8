//! The address of the Audit page: the URL is the state.

use leptos::prelude::*;
use leptos_router::{
    NavigateOptions,
    hooks::{use_location, use_navigate},
};
use session::audit::{Place, View};

use crate::{components::addresses::AUDIT_PATH, ui::address};

/// The view in an address, and the error in it. With an error, the view has only the text of the
/// search.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// The requested page of events.
    pub view: View,
    /// The parameter that is invalid.
    pub wrong: Option<String>,
}

impl Asked {
    /// Parses a query string.
    pub fn parse(search: &str) -> Self {
        let pairs = address::pairs(search);
        let view = View::from_pairs(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        match view {
            Ok(view) => Self { view, wrong: None },
            Err(wrong) => Self {
                view: View {
                    q: address::parameter(search, "q").unwrap_or_default(),
                    ..View::default()
                },
                wrong: Some(wrong.to_string()),
            },
        }
    }
}

/// Reads and writes the view in the page's address. A cheap handle; copy it freely.
#[derive(Clone, Copy)]
pub struct AuditUrl {
    /// The view in the address.
    pub asked: Memo<Asked>,
    /// Event whose details are open.
    pub open: Memo<Option<u64>>,
    path: Memo<String>,
    go: Callback<String>,
}

impl AuditUrl {
    /// For the page of the calling component.
    pub fn of_this_page() -> Self {
        let location = use_location();
        // While the router leaves the page, the location is already that of the next one.
        let here = Memo::new(move |before: Option<&(String, String)>| {
            let now = (location.pathname.get(), location.search.get());
            let is_here = now.0.starts_with(AUDIT_PATH);
            before.filter(|_| !is_here).cloned().unwrap_or(now)
        });
        let path = Memo::new(move |_| here.read().0.clone());
        let navigate = use_navigate();
        let go = Callback::new(move |to: String| {
            let options = NavigateOptions {
                scroll: false,
                resolve: false,
                ..Default::default()
            };
            navigate(&to, options);
        });
        Self {
            asked: Memo::new(move |_| Asked::parse(&here.read().1)),
            open: Memo::new(move |_| path.read().strip_prefix(AUDIT_PATH)?.strip_prefix('/')?.parse().ok()),
            path,
            go,
        }
    }

    /// The view in the address.
    pub fn view(&self) -> View {
        self.asked.read().view.clone()
    }

    /// A link to another view with the same details open. Works without JavaScript.
    pub fn link(&self, view: &View) -> String {
        link(&self.path.read(), view)
    }

    /// A link to the same search and page size at another position.
    pub fn at(&self, place: Place) -> String {
        self.link(&View { place, ..self.view() })
    }

    /// A link to the details of an event, beside the same list.
    pub fn details(&self, id: u64) -> String {
        link(&format!("{AUDIT_PATH}/{id}"), &self.view())
    }

    /// A link to the list without details.
    pub fn list(&self) -> String {
        link(AUDIT_PATH, &self.view())
    }

    /// Follows a link of this type, with a history entry for Back.
    pub fn follow(&self, link: String) {
        self.go.run(link);
    }
}

/// The address of a view below a path.
pub fn link(path: &str, view: &View) -> String {
    let pairs = view.to_pairs();
    let query = address::query(pairs.iter().map(|(name, value)| (*name, value.as_str())));
    format!("{path}{query}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_has_the_search_the_size_and_the_position() {
        let view = View {
            q: "who:jane".into(),
            limit: 100,
            place: Place::Before(8),
        };
        let address = link(AUDIT_PATH, &view);
        assert_eq!(address, "/admin/cloud-delivery/audit?q=who%3Ajane&limit=100&before=8");
        let search = address.split_once('?').unwrap().1;
        assert_eq!(Asked::parse(search), Asked { view, wrong: None });
        assert_eq!(link("/x", &View::default()), "/x");
    }

    #[test]
    fn an_invalid_address_keeps_the_text_of_the_search() {
        let asked = Asked::parse("q=who:jane&limit=x");
        assert_eq!(asked.view.q, "who:jane");
        assert_eq!(asked.view.limit, View::default().limit);
        assert!(asked.wrong.is_some_and(|wrong| wrong.contains("limit=x")));
    }
}
