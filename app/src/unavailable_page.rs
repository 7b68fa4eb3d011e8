//! The page in place of one that can't be shown for now, as while the log is away: plain, so that it needs nothing of what is missing.

use leptos::prelude::*;

use crate::session_tab::document;

/// Why there is no answer, with a link to ask again.
pub fn page(title: &str, detail: &str, again: &str) -> String {
    let body = view! {
        <main class="page">
            <h1>{title.to_owned()}</h1>
            <p>{detail.to_owned()}</p>
            <p>
                <a class="primary" href=again.to_owned()>
                    "Try again"
                </a>
            </p>
        </main>
    };
    document(title, body)
}
