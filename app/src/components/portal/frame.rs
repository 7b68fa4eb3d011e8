//! The frame of the portal: the top bar and the admin navigation. Markup only.

use leptos::prelude::*;

/// The bar: the product's name, which links to the home page, and content at the end.
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

/// The admin navigation around its links, each in an `<li>`.
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
