//! The page for an unknown address.

use leptos::prelude::*;
use leptos_meta::Title;

#[cfg(feature = "ssr")]
use crate::ui::loaded::answer_with;
use crate::{components::portal::frame::bar, ui::empty::EmptyState};

/// Responds with HTTP status 404 and links to My apps.
#[component]
pub fn NotFound() -> impl IntoView {
    #[cfg(feature = "ssr")]
    answer_with(404);
    view! {
        <Title text="Page not found" />
        {bar(())}
        <main class="page" id="content" tabindex="-1">
            <h1>"Page not found"</h1>
            <EmptyState title="There is nothing at this address">
                <p>"It may have been mistyped, or the page has been removed."</p>
                <a class="button" href="/">
                    "Go to My apps"
                </a>
            </EmptyState>
        </main>
    }
}
