//! What surrounds every page for somebody who is signed in: the bar with the product's name and the user menu.

use leptos::prelude::*;
use leptos_router::{components::Outlet, hooks::use_location};
use session::{Role, wire::Me};

use super::{frame::bar, user_menu::UserMenu};
use crate::{
    api::{AppError, people::me},
    ui::{
        dynamic::dyn_view,
        focus,
        loaded::{Loaded, load},
    },
};

/// Who is signed in, for what is inside the portal. Read it inside a `Transition`.
#[derive(Clone, Copy)]
pub struct Who(pub Loaded<Result<Me, AppError>>);

/// The role of whoever is signed in; the lowest when nobody is any more. `None` while that is on its way, so read it inside a
/// `Transition`.
pub fn my_role() -> Option<Role> {
    let Who(who) = use_context()?;
    who.get().map(|me| me.map(|me| me.role).unwrap_or_default())
}

/// The bar and the page.
#[component]
pub fn Portal() -> impl IntoView {
    let who = load(|| (), |()| me());
    provide_context(Who(who));
    let path = use_location().pathname;
    // A click on a link leaves the focus on something that is gone; a new page starts at its beginning.
    Effect::new(move |before: Option<String>| {
        let path = path.get();
        if before.is_some_and(|before| before != path) {
            request_animation_frame(|| focus::focus_id("content"));
        }
        path
    });
    view! {
        {bar(view! {
            <Transition>
                // A page that finds nobody signed in says so itself.
                {dyn_view(move || who.get().and_then(Result::ok).map(|me| view! { <UserMenu me /> }).into_any())}
            </Transition>
        })}
        <Outlet />
    }
}
