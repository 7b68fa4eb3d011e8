//! The HTML document around every page, and the routes.

use leptos::prelude::*;
use leptos_meta::{Title, provide_meta_context};
use leptos_router::{
    Lazy, SsrMode,
    components::{ParentRoute, Route, Router, Routes},
    path,
};

use crate::{
    components::portal::layout::Portal,
    pages::{
        Admin, AdminHome, Login, MyApps, NotFound,
        lazy::{
            ApplicationPageRoute, ApplicationsRoute, AuditPanelRoute, AuditRoute, EnvironmentsRoute,
            ExpireSessionRoute, SessionPanelRoute, SessionsRoute,
        },
    },
};

/// The HTML document that the server renders around [`App`].
#[cfg(feature = "ssr")]
pub fn shell(options: LeptosOptions) -> impl IntoView {
    use leptos::hydration::{AutoReload, HydrationScripts};
    use leptos_meta::{HashedStylesheet, MetaTags};

    view! {
        <!DOCTYPE html>
        <html lang="en">
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <meta name="color-scheme" content="light dark" />
                <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
                <HashedStylesheet options=options.clone() id="leptos" />
                <AutoReload options=options.clone() />
                <HydrationScripts options />
                <MetaTags />
            </head>
            <body>
                <App />
            </body>
        </html>
    }
}

/// The portal's pages by address. `/sessions/{id}` is absent because the session's own tab is a
/// plain page.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    crate::ui::time::provide_local_time();
    #[cfg(feature = "hydrate")]
    {
        crate::ui::hydration::leave_clicks_to_browser();
        crate::ui::unsaved::install();
    }
    view! {
        <Title formatter=|page: String| {
            if page.is_empty() { "Cloud Delivery".to_owned() } else { format!("{page} · Cloud Delivery") }
        } />
        // `external` bypasses the router, which would only scroll; the browser also moves the
        // focus.
        <a class="skip-link" href="#content" rel="external">
            "Skip to content"
        </a>
        <Router>
            <Routes fallback=NotFound>
                <Route path=path!("/login") view=Login ssr=SsrMode::Async />
                <ParentRoute path=path!("") view=Portal ssr=SsrMode::Async>
                    <Route path=path!("/") view=MyApps ssr=SsrMode::Async />
                    <ParentRoute path=path!("/admin") view=Admin ssr=SsrMode::Async>
                        <Route path=path!("") view=AdminHome ssr=SsrMode::Async />
                        <ParentRoute path=path!("/cloud-delivery/sessions") view={Lazy::<SessionsRoute>::new()} ssr=SsrMode::Async>
                            <Route path=path!("") view=|| () ssr=SsrMode::Async />
                            <Route path=path!(":id") view={Lazy::<SessionPanelRoute>::new()} ssr=SsrMode::Async />
                        </ParentRoute>
                        <Route path=path!("/cloud-delivery/sessions/:id/expire") view={Lazy::<ExpireSessionRoute>::new()} ssr=SsrMode::Async />
                        <Route path=path!("/cloud-delivery/environments") view={Lazy::<EnvironmentsRoute>::new()} ssr=SsrMode::Async />
                        <Route path=path!("/cloud-delivery/applications") view={Lazy::<ApplicationsRoute>::new()} ssr=SsrMode::Async />
                        <Route path=path!("/cloud-delivery/applications/:id") view={Lazy::<ApplicationPageRoute>::new()} ssr=SsrMode::Async />
                        <ParentRoute path=path!("/cloud-delivery/audit") view={Lazy::<AuditRoute>::new()} ssr=SsrMode::Async>
                            <Route path=path!("") view=|| () ssr=SsrMode::Async />
                            <Route path=path!(":id") view={Lazy::<AuditPanelRoute>::new()} ssr=SsrMode::Async />
                        </ParentRoute>
                    </ParentRoute>
                </ParentRoute>
            </Routes>
        </Router>
    }
}
