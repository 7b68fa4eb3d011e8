//! The search box: filters while somebody types, and is a plain form without JavaScript.

use leptos::{ev, html, prelude::*};
use session::{
    query::MAX_CHARS,
    view::{DEFAULT_LIMIT, View},
};

use super::view_url::ViewUrl;
use crate::ui::{
    clock::later,
    focus::is_writing,
    icon::{Glyph, Icon},
};

/// A pause in typing this long starts the search.
const DEBOUNCE_MS: u64 = 40;

/// The box. `/` focuses it from anywhere on the page, Esc clears it.
#[component]
pub fn SearchBox(
    /// The address.
    url: ViewUrl,
) -> impl IntoView {
    let input = NodeRef::<html::Input>::new();
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
    let typed = move || input.get_untracked().map(|input| input.value()).unwrap_or_default();
    let soon = move || {
        keystrokes.update_value(|count| *count += 1);
        let count = keystrokes.get_value();
        later(DEBOUNCE_MS, move || {
            if keystrokes.try_get_value() == Some(count) {
                search(typed());
            }
        });
    };
    let clear = move || {
        if let Some(input) = input.get_untracked() {
            input.set_value("");
        }
        keystrokes.update_value(|count| *count += 1);
        search(String::new());
    };
    Effect::new(move |before: Option<()>| {
        let q = url.view.read().as_ref().map(|view| view.q.clone()).unwrap_or_default();
        let Some(input) = input.get_untracked() else { return };
        if before.is_none() && input.value() != q {
            // Typed before the page was alive.
            soon();
        } else if before.is_some() && input.value() != q && !waiting_for_more(&input) {
            input.set_value(&q);
        }
    });
    Effect::new(move || {
        let slash = window_event_listener(ev::keydown, move |event| {
            let plain = !event.ctrl_key() && !event.meta_key() && !event.alt_key();
            if event.key() == "/"
                && plain
                && !is_writing()
                && let Some(input) = input.get_untracked()
            {
                event.prevent_default();
                let _ = input.focus();
                input.select();
            }
        });
        on_cleanup(move || slash.remove());
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
            <input
                class="search-input"
                type="search"
                name="q"
                aria-label="Search sessions"
                aria-keyshortcuts="/"
                placeholder="Search sessions"
                title="Words are found anywhere; narrow one with user: env: app: status: connected: node: id:"
                maxlength=MAX_CHARS.to_string()
                autocomplete="off"
                spellcheck="false"
                value=q
                node_ref=input
                on:input=move |_| soon()
                on:keydown=move |event| {
                    if event.key() == "Escape" {
                        event.prevent_default();
                        clear();
                    }
                }
            />
            <KeptFields url />
            <button type="submit" class="button no-js-only">
                "Search"
            </button>
        </form>
    }
    .into_any()
}

/// What a search keeps of the view, for the plain form.
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

/// Somebody is typing in it: the address is behind, not ahead.
fn waiting_for_more(input: &web_sys::HtmlInputElement) -> bool {
    document()
        .active_element()
        .is_some_and(|active| active.is_same_node(Some(input)))
}
