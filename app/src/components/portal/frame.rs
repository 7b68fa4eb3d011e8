//! The frame of the portal: the bar on top and the navigation of the admin portal. Markup only: the portal fills it and follows
//! what changes, and so do pages that are plain documents.

use leptos::prelude::*;

/// The bar: the product's name, which leads home, and what stands at its end.
pub fn bar(end: impl IntoView + 'static) -> AnyView {
    view! {
        <header class="bar">
            <a class="brand" href="/">
                <span class="brand-mark" aria-hidden="true"></span>
                "Cloud Delivery"
            </a>
            {end}
        </header>
    }
    .into_any()
}

/// The navigation of the admin portal around its links, each in an `<li>`.
pub fn navigation(links: impl IntoView + 'static) -> AnyView {
    view! {
        <nav class="admin-nav" aria-label="Admin">
            <p class="nav-group" id="nav-cloud-delivery">
                "Cloud Delivery"
            </p>
            <ul aria-labelledby="nav-cloud-delivery">{links}</ul>
        </nav>
    }
    .into_any()
}
