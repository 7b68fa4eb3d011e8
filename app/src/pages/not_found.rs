//! An address that leads nowhere.

use leptos::prelude::*;
use leptos_meta::Title;

use crate::ui::empty::EmptyState;

/// Says so, with HTTP status 404, and shows the way home.
#[component]
pub fn NotFound() -> impl IntoView {
    #[cfg(feature = "ssr")]
    answer_not_found();
    view! {
        <Title text="Page not found" />
        <main class="page" id="content" tabindex="-1">
            <h1>"Page not found"</h1>
            <EmptyState title="There is nothing at this address">
                <p>"It may have been mistyped, or what it led to is gone."</p>
                <a class="button" href="/">
                    "Go to My apps"
                </a>
            </EmptyState>
        </main>
    }
}

/// Makes the response a 404.
#[cfg(feature = "ssr")]
pub(super) fn answer_not_found() {
    if let Some(response) = use_context::<leptos_axum::ResponseOptions>() {
        response.set_status(http::StatusCode::NOT_FOUND);
    }
}
