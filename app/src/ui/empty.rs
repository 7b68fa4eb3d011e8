//! Placeholders for missing content: an empty state and a loading skeleton.

use leptos::prelude::*;

/// A heading, an explanation and optional links.
#[component]
pub fn EmptyState(
    /// Heading.
    #[prop(into)]
    title: Signal<String>,
    /// Explanation and next steps.
    children: Children,
) -> impl IntoView {
    view! {
        <div class="empty">
            <h2 class="empty-title">{title}</h2>
            {children()}
        </div>
    }
}

/// Grey bars in the shape of a table, shown while its first rows load.
#[component]
pub fn Skeleton(
    /// Name of the loading content, for screen readers.
    what: &'static str,
) -> impl IntoView {
    view! {
        <div class="skeleton" role="status">
            <span class="visually-hidden">{format!("Loading {what}…")}</span>
            {(0..8).map(|_| view! { <div class="skeleton-row" aria-hidden="true"></div> }).collect_view()}
        </div>
    }
}
