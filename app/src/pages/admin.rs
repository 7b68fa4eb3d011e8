//! The admin portal: navigation on the left, the current page on the right.

use leptos::prelude::*;
use leptos_router::components::{A, Outlet, Redirect};
use session::Role;

use crate::{
    components::{
        addresses::{APPLICATIONS_PATH, AUDIT_PATH, ENVIRONMENTS_PATH},
        portal::{frame::navigation, layout::my_role},
        sessions::view_url::SESSIONS_PATH,
    },
    ui::{
        dynamic::dyn_view,
        toast::{Toast, Toaster},
    },
};

/// The pages from top to bottom, with address, name and required role.
const PAGES: [(&str, &str, Role); 4] = [
    (SESSIONS_PATH, "Sessions", Role::SystemAdmin),
    (ENVIRONMENTS_PATH, "Environments", Role::SystemAdmin),
    (APPLICATIONS_PATH, "Applications", Role::AppAdmin),
    (AUDIT_PATH, "Audit", Role::SystemAdmin),
];

/// The layout of every admin page.
#[component]
pub fn Admin() -> impl IntoView {
    let toaster = Toaster::provide();
    view! {
        <div class="admin">
            <Transition>
                {dyn_view(move || my_role().filter(|role| *role >= Role::AppAdmin).map(|role| view! { <Navigation role /> }).into_any())}
            </Transition>
            <main class="page page-admin" id="content" tabindex="-1">
                <Outlet />
            </main>
        </div>
        <Toast toaster />
    }
}

/// Links to the pages that this role may use.
#[component]
fn Navigation(role: Role) -> impl IntoView {
    let link = |(path, name, _)| {
        view! {
            <li>
                <A href=path>{name}</A>
            </li>
        }
    };
    let links = PAGES.into_iter().filter(|(.., needed)| role >= *needed).map(link);
    navigation(links.collect_view())
}

/// `/admin` itself: redirects to the first page that the role may use. A role without any page gets
/// an explanation.
#[component]
pub fn AdminHome() -> impl IntoView {
    let first = |role: Role| {
        let open = PAGES.into_iter().find(|(.., needed)| role >= *needed);
        let (path, ..) = open.unwrap_or(PAGES[0]);
        view! { <Redirect path /> }
    };
    view! { <Transition>{dyn_view(move || my_role().map(first).into_any())}</Transition> }
}
