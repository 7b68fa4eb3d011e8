//! The admin portal: navigation on the left, its pages beside it.

use leptos::prelude::*;
use leptos_router::components::{A, Outlet};

use crate::components::view_url::SESSIONS_PATH;

/// The layout of every admin page.
#[component]
pub fn Admin() -> impl IntoView {
    view! {
        <div class="admin">
            <nav class="admin-nav" aria-label="Admin">
                <p class="nav-group" id="nav-cloud-delivery">
                    "Cloud Delivery"
                </p>
                <ul aria-labelledby="nav-cloud-delivery">
                    <li>
                        <A href=SESSIONS_PATH>"Sessions"</A>
                    </li>
                </ul>
            </nav>
            <main class="page page-admin" id="content" tabindex="-1">
                <Outlet />
            </main>
        </div>
    }
}
