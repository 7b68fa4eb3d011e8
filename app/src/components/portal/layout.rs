//! The layout of every page for a signed-in person: the bar with the product's name and the user
//! menu.

use leptos::prelude::*;
use leptos_router::{components::Outlet, hooks::use_location};
use session::{Role, api::Me};

use super::{frame::bar, user_menu::UserMenu};
use crate::{
    api::{AppError, people::me},
    ui::{
        dynamic::dyn_view,
        focus,
        loaded::{Loaded, load},
    },
};

/// The signed-in person, as a context for the portal. Read it inside a `Transition`.
#[derive(Clone, Copy)]
pub struct Who(pub Loaded<Result<Me, AppError>>);

/// The role of the signed-in person; the lowest role after the login ended. `None` while loading,
/// so read it inside a `Transition`.
pub fn my_role() -> Option<Role> {
    let Who(who) = use_context()?;
    who.get().map(|me| me.map(|me| me.role).unwrap_or_default())
}

/// The bar and the current page.
#[component]
pub fn Portal() -> impl IntoView {
    let who = load(|| (), |()| me());
    provide_context(Who(who));
    let path = use_location().pathname;
    // After navigation the focused link may be gone, so the focus moves to the start of the new
    // page.
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
                // A page shows its own error if nobody is signed in.
                {dyn_view(move || who.get().and_then(Result::ok).map(|me| view! { <UserMenu me /> }).into_any())}
            </Transition>
        })}
        <Outlet />
    }
}
