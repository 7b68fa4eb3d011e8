//! The search of events: a plain form, which the router follows with JavaScript.

use leptos::{ev, prelude::*};
use session::{
    audit::{Place, View},
    words::MAX_CHARS,
};

use super::{audit_url::AuditUrl, model::Model};
use crate::ui::{
    dynamic::{DynShow, dyn_attr, dyn_text},
    icon::{Glyph, Icon},
    search_input::{SearchInput, SearchNode, typed},
};

/// Lists the search keywords.
const HINT: &str = "Narrow a word with who: what: session: reason: address: request: user: app: env: and the time with \
    after:2026-11-01 before:2026-12-01 (UTC).";

/// The search box.
#[component]
pub fn SearchForm(
    /// Events on screen.
    model: Model,
    /// Address, which contains the search.
    url: AuditUrl,
) -> impl IntoView {
    let node = SearchNode::new();
    let wrong = dyn_attr(move || model.wrong.read().as_ref().map(|_| "true"));
    let described = dyn_text(move || {
        let error = if model.wrong.read().is_some() {
            "search-error "
        } else {
            ""
        };
        format!("{error}search-hint")
    });
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let view = untrack(|| url.view());
        let searched = View {
            q: typed(node),
            place: Place::Newest,
            ..view.clone()
        };
        if searched == view {
            model.request();
        } else {
            url.follow(untrack(|| url.link(&searched)));
        }
    };
    // Back and Forward change the search, too.
    Effect::new(move |before: Option<String>| {
        let q = url.view().q;
        if before.is_some_and(|before| before != q)
            && let Some(input) = node.get_untracked()
        {
            input.set_value(&q);
        }
        q
    });
    let View { q, limit, .. } = untrack(|| url.view());
    let limit = (limit != View::default().limit)
        .then(|| view! { <input type="hidden" name="limit" value=limit.to_string() /> });
    view! {
        <form class="search" method="get" role="search" on:submit=submit>
            <Icon glyph=Glyph::Search />
            <SearchInput
                node
                label="Search events"
                max_chars=MAX_CHARS
                value=q
                described_by=described
                invalid=wrong
            />
            {limit}
            <button type="submit" class="button">
                "Search"
            </button>
        </form>
        <DynShow is=move || {
            let empty = model.page.read().items.is_empty() && model.wrong.read().is_none();
            !model.answered.read().view.q.is_empty() && !empty
        }>
            <ClearSearch url />
        </DynShow>
    }
    .into_any()
}

/// The error in the search, and the keywords.
#[component]
pub fn SearchHelp(
    /// Events on screen.
    model: Model,
) -> impl IntoView {
    view! {
        <div class="search-notes">
            <p class="field-error" id="search-error" role="alert">
                {dyn_text(move || model.wrong.get().unwrap_or_default())}
            </p>
            <p class="field-hint" id="search-hint">{HINT}</p>
        </div>
    }
    .into_any()
}

/// Link to all events.
#[component]
pub fn ClearSearch(
    /// Address, which contains the search.
    url: AuditUrl,
) -> impl IntoView {
    let all = dyn_text(move || {
        url.link(&View {
            limit: url.view().limit,
            ..View::default()
        })
    });
    view! {
        <a class="button" href=all data-noscroll="true">
            "Clear search"
        </a>
    }
}
