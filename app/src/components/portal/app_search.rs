//! The search of My apps. It filters while the person types; without JavaScript it is a plain form.

use leptos::{html, prelude::*};
use leptos_router::{
    NavigateOptions,
    hooks::{use_location, use_navigate},
};
use session::api::AppCard;

use crate::ui::{
    address,
    clock::later,
    focus,
    icon::{Glyph, Icon},
};

/// Maximum length of a search, in characters.
const MAX_CHARS: &str = "200";

/// Milliseconds of pause in typing before the address of the page gets the search.
const ADDRESS_MS: u64 = 400;

/// The path of My apps with a search, at an application.
#[cfg(feature = "ssr")]
pub fn my_apps_path(q: &str, id: session::ApplicationId) -> String {
    let query = if q.is_empty() {
        String::new()
    } else {
        address::query([("q", q)])
    };
    format!("/{query}#app-{id}")
}

/// The search of My apps. A cheap handle; copy it freely.
#[derive(Clone, Copy)]
pub struct AppSearch {
    /// The search, as typed.
    pub q: RwSignal<String>,
    go: Callback<String>,
    /// The search in the address, as this page wrote or read it last.
    written: StoredValue<String>,
    changes: StoredValue<u32>,
}

impl AppSearch {
    /// Starts with the search in the address.
    pub fn of_this_page() -> Self {
        let location = use_location().search;
        let q = address::parameter(&location.read_untracked(), "q").unwrap_or_default();
        let navigate = use_navigate();
        let go = Callback::new(move |to: String| {
            let options = NavigateOptions {
                replace: true,
                scroll: false,
                resolve: false,
                ..Default::default()
            };
            navigate(&to, options);
        });
        let search = Self {
            q: RwSignal::new(q.clone()),
            go,
            written: StoredValue::new(q),
            changes: StoredValue::new(0),
        };
        // A link to My apps and Back change the address of this page.
        Effect::new(move || {
            let now = address::parameter(&location.read(), "q").unwrap_or_default();
            if search.written.get_value() != now {
                search.written.set_value(now.clone());
                search.changes.update_value(|count| *count += 1);
                search.q.set(now);
            }
        });
        search
    }

    /// Filters at once. The address follows after a pause, so that Back and a reload keep it.
    pub fn set(self, q: String) {
        self.changes.update_value(|count| *count += 1);
        let count = self.changes.get_value();
        self.q.set(q);
        later(ADDRESS_MS, move || {
            if self.changes.try_get_value() == Some(count) {
                let q = self.q.get_untracked();
                self.written.set_value(q.clone());
                let query = if q.is_empty() {
                    String::new()
                } else {
                    address::query([("q", &*q)])
                };
                self.go.run(format!("/{query}"));
            }
        });
    }
}

/// The search box. `/` focuses it from anywhere on the page, Esc clears it.
#[component]
pub fn SearchBox(
    /// The search.
    search: AppSearch,
) -> impl IntoView {
    let input = NodeRef::<html::Input>::new();
    let typed = move || search.set(input.get_untracked().map(|input| input.value()).unwrap_or_default());
    // The person may have typed before hydration; and a cleared search clears the box.
    Effect::new(move |before: Option<()>| {
        let q = search.q.get();
        let Some(input) = input.get_untracked() else { return };
        if input.value() != q {
            match before {
                None => typed(),
                Some(()) => input.set_value(&q),
            }
        }
    });
    focus::on_slash(input);
    view! {
        <form class="search" method="get" action="/" role="search" on:submit=move |event| event.prevent_default()>
            <Icon glyph=Glyph::Search />
            <input
                class="search-input"
                type="search"
                name="q"
                id="search"
                aria-label="Search applications"
                aria-keyshortcuts="/"
                placeholder="Search applications"
                maxlength=MAX_CHARS
                autocomplete="off"
                spellcheck="false"
                value=search.q.get_untracked()
                node_ref=input
                on:input=move |_| typed()
                on:keydown=move |event| {
                    if event.key() == "Escape" {
                        event.prevent_default();
                        search.set(String::new());
                    }
                }
            />
            <button type="submit" class="button no-js-only">
                "Search"
            </button>
        </form>
    }
    .into_any()
}

/// The texts of a card that a search finds, folded.
pub fn haystack(card: &AppCard) -> String {
    let look = &card.appearance;
    fold(&format!("{}\n{}\n{}", card.name, look.description, look.category))
}

/// The words of a search, folded. All must match.
pub fn words(q: &str) -> Vec<String> {
    fold(q).split_whitespace().map(str::to_owned).collect()
}

/// Lower case, no accents, plain apostrophes: as [`session::query::fold`]. The browser has the
/// tables for that already, so the page need not load them (90 kB).
fn fold(text: &str) -> String {
    #[cfg(feature = "ssr")]
    return session::query::fold(text);
    #[cfg(not(feature = "ssr"))]
    {
        if text.is_ascii() {
            return text.to_ascii_lowercase();
        }
        let marks = js_sys::RegExp::new("\\p{M}", "gu");
        let apostrophes = js_sys::RegExp::new("[\u{2018}\u{2019}\u{2bc}\u{b4}]", "g");
        let plain = js_sys::JsString::from(text).normalize("NFD");
        let plain = plain
            .replace_by_pattern(&marks, "")
            .replace_by_pattern(&apostrophes, "'");
        plain.to_lower_case().into()
    }
}
