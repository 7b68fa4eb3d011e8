//! The search box: it searches while the person types, suggests keywords, and is a plain form
//! without JavaScript.

use leptos::prelude::*;
use session::{
    query::{KEYWORDS, MAX_CHARS, advice, completions},
    view::{DEFAULT_LIMIT, View},
};

use super::view_url::ViewUrl;
use crate::ui::{
    clock::later,
    dynamic::{dyn_text, dyn_view},
    icon::{Glyph, Icon},
    menu::{Menu, close},
    search_input::{self, SearchInput, SearchNode},
};

/// Element id of the list of keywords.
const HELP_ID: &str = "search-help";

/// Milliseconds of pause in typing before the search starts.
const DEBOUNCE_MS: u64 = 40;

/// The search box.
#[component]
pub fn SearchBox(
    /// Address, which contains the search.
    url: ViewUrl,
) -> impl IntoView {
    let node = SearchNode::new();
    let text = RwSignal::new(String::new());
    let keystrokes = StoredValue::new(0_u32);
    let search = move |q: String| {
        let view = url.get_untracked();
        if view.q != q {
            url.replace(View {
                q,
                ..view.from_the_top()
            });
        }
    };
    let typed = move || search_input::typed(node);
    let soon = move || {
        text.set(typed());
        keystrokes.update_value(|count| *count += 1);
        let count = keystrokes.get_value();
        later(DEBOUNCE_MS, move || {
            if keystrokes.try_get_value() == Some(count) {
                search(typed());
            }
        });
    };
    let clear = move |()| {
        text.set(String::new());
        keystrokes.update_value(|count| *count += 1);
        search(String::new());
    };
    Effect::new(move |before: Option<()>| {
        let q = url.view.read().as_ref().map(|view| view.q.clone()).unwrap_or_default();
        let Some(input) = node.get_untracked() else { return };
        if before.is_none() && input.value() != q {
            // The person typed before hydration.
            soon();
        } else if before.is_some() && input.value() != q && !waiting_for_more(&input) {
            input.set_value(&q);
        }
    });
    let insert = Callback::new(move |search: String| {
        if let Some(input) = node.get_untracked() {
            input.set_value(&search);
            let _ = input.focus();
        }
        soon();
    });
    let q = url.get_untracked().q;
    view! {
        <form
            class="search"
            method="get"
            role="search"
            on:submit=move |event| {
                event.prevent_default();
                search(typed());
            }
        >
            <Icon glyph=Glyph::Search />
            <SearchInput
                node
                label="Search sessions"
                max_chars=MAX_CHARS
                value=q
                on_input=Callback::new(move |()| soon())
                on_clear=Callback::new(clear)
            />
            <Aid text insert />
            <KeptFields url />
            <button type="submit" class="button no-js-only">
                "Search"
            </button>
        </form>
        <Help current=Callback::new(move |()| typed()) insert />
    }
    .into_any()
}

/// Help below the box while it has the focus: keywords that complete the last word, and advice on a
/// likely mistake. It overlays the page, so nothing moves.
#[component]
fn Aid(text: RwSignal<String>, insert: Callback<String>) -> impl IntoView {
    let offered = Memo::new(move |_| completions(&text.read()));
    let offer = move |(keyword, search): (&'static str, String)| {
        view! {
            <button type="button" class="button button-small" on:click=move |_| insert.run(search.clone())>
                {keyword}
            </button>
        }
    };
    view! {
        <div class="search-aid needs-js">
            <div class="search-offers" role="group" aria-label="Keywords">
                {dyn_view(move || offered.get().into_iter().map(offer).collect_view().into_any())}
            </div>
            <p class="search-advice" role="status">{dyn_text(move || advice(&text.read()).unwrap_or_default())}</p>
        </div>
    }
    .into_any()
}

/// The keywords with an example each. A click inserts one.
#[component]
fn Help(current: Callback<(), String>, insert: Callback<String>) -> impl IntoView {
    let line = move |(keyword, meaning, example): (&'static str, &'static str, &'static str)| {
        let press = move |_| {
            close(HELP_ID);
            let search = current.run(());
            let search = search.trim_end();
            let space = if search.is_empty() { "" } else { " " };
            insert.run(format!("{search}{space}{keyword}"));
        };
        view! {
            <button type="button" class="menu-item search-keyword" on:click=press>
                <code>{example}</code>
                <span class="quiet">{meaning}</span>
            </button>
        }
    };
    let button = view! {
        <Icon glyph=Glyph::Help />
        <span class="visually-hidden">"Search help"</span>
    };
    view! {
        <div class="search-help needs-js">
            <Menu id=HELP_ID role="group" name="Search help" button_class="button button-icon" button=button.into_any()>
                <p class="menu-text">
                    "All words must match. Quotes keep a phrase together. A keyword narrows a word:"
                </p>
                {KEYWORDS.map(line).collect_view()}
            </Menu>
        </div>
    }
    .into_any()
}

/// Hidden fields that keep the rest of the view when the plain form is submitted.
#[component]
fn KeptFields(url: ViewUrl) -> impl IntoView {
    let view = url.get_untracked();
    let status = view
        .status
        .map(|status| view! { <input type="hidden" name="status" value=status.code() /> });
    let connected = view
        .connected
        .then(|| view! { <input type="hidden" name="connected" value="yes" /> });
    let sort = view
        .sort
        .map(|sort| view! { <input type="hidden" name="sort" value=sort.code() /> });
    let limit = (view.limit != DEFAULT_LIMIT)
        .then(|| view! { <input type="hidden" name="limit" value=view.limit.to_string() /> });
    view! { {status} {connected} {sort} {limit} }
}

/// Whether the person is typing, so that the box is newer than the address.
fn waiting_for_more(input: &web_sys::HtmlInputElement) -> bool {
    document()
        .active_element()
        .is_some_and(|active| active.is_same_node(Some(input)))
}
