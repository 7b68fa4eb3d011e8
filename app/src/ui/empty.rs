//! What stands where something would be: nothing yet, nothing found, not allowed, failed.

use leptos::prelude::*;

/// A heading, an explanation, perhaps a way on.
#[component]
pub fn EmptyState(
    /// What is the case.
    #[prop(into)]
    title: Signal<String>,
    /// Why, and what to do.
    children: Children,
) -> impl IntoView {
    view! {
        <div class="empty">
            <h2 class="empty-title">{title}</h2>
            {children()}
        </div>
    }
}

/// Grey bars in the shape of a table while its first rows are on the way.
#[component]
pub fn Skeleton(
    /// What is on the way, for screen readers.
    what: &'static str,
) -> impl IntoView {
    view! {
        <div class="skeleton" role="status">
            <span class="visually-hidden">{format!("Loading {what}…")}</span>
            {(0..8).map(|_| view! { <div class="skeleton-row" aria-hidden="true"></div> }).collect_view()}
        </div>
    }
}
