//! The routes whose pages are not in the main module of the browser half. A browser loads a piece with the first page
//! that needs it; sign-in and My apps are in the main module. `xtask/src/site/budget.rs` has the budget of each piece.

use leptos::{
    prelude::*,
    wasm_split::{SplitLoaderError, wasm_split},
};
use leptos_router::LazyRoute;

use super::{ApplicationPage, Applications, Audit, Environments, ExpireSession, Sessions};
use crate::{
    components::{audit::details::EventPanel, sessions::details::SessionPanel},
    ui::{empty::EmptyState, hydration},
};

/// Defines a lazy route for each page: `piece: function, preload => Route(Page)`. Pages with the same piece share one. With
/// each piece more, more sets of pieces share code, and each such set is a file of its own.
///
/// `#[lazy]` and `#[lazy_route]` of leptos panic when a piece cannot be loaded, so this uses the macro below them.
macro_rules! lazy_routes {
    ($($piece:ident: $function:ident, $preload:ident => $route:ident($page:ident);)*) => {$(
        #[doc = concat!("The lazy route of [`", stringify!($page), "`].")]
        pub struct $route;

        impl LazyRoute for $route {
            fn data() -> Self {
                Self
            }

            async fn view(_this: Self) -> AnyView {
                // Has the server preload the piece with the page.
                #[cfg(feature = "ssr")]
                leptos::prefetch_lazy_fn_on_server(stringify!($piece));
                $function().await.unwrap_or_else(|_| not_loaded())
            }

            async fn preload() {
                let hydrating = hydration::is_hydrating();
                // Otherwise `view` tries again and reports the error.
                if $preload().await.is_err() && hydrating {
                    hydration::give_up().await
                }
            }
        }

        #[wasm_split($piece, wasm_split_path = ::leptos::wasm_split, fallible, preload($preload))]
        fn $function() -> Result<AnyView, SplitLoaderError> {
            Ok(view! { <$page /> }.into_any())
        }
    )*};
}

lazy_routes! {
    sessions: sessions, preload_sessions => SessionsRoute(Sessions);
    sessions: session_panel, preload_session_panel => SessionPanelRoute(SessionPanel);
    sessions: expire_session, preload_expire_session => ExpireSessionRoute(ExpireSession);
    environments: environments, preload_environments => EnvironmentsRoute(Environments);
    applications: applications, preload_applications => ApplicationsRoute(Applications);
    applications: application_page, preload_application_page => ApplicationPageRoute(ApplicationPage);
    audit: audit, preload_audit => AuditRoute(Audit);
    audit: event_panel, preload_event_panel => AuditPanelRoute(EventPanel);
}

/// The network is away, or the server has been updated and has other pieces now. Loading the document again helps in
/// both cases.
fn not_loaded() -> AnyView {
    view! {
        <EmptyState title="This page could not be loaded">
            <p>"Check your connection, then try again."</p>
            <a class="button button-primary" href="" rel="external">
                "Try again"
            </a>
        </EmptyState>
    }
    .into_any()
}
