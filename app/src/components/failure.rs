//! Why a page has nothing to show, and the way on. Drawn in one place.

use leptos::prelude::*;
use leptos_router::hooks::use_location;
use session::{Role, wire::Me};

use crate::components::portal::layout::Who;
use crate::{
    api::AppError,
    ui::{
        address::query,
        banner::{Banner, Tone},
        dynamic::{dyn_text, dyn_view},
        empty::EmptyState,
    },
};

/// Where somebody whose login ended signs in again, and comes back from.
pub fn login_address(path: &str, search: &str) -> String {
    let here = if search.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{search}")
    };
    format!("/login{}", query([("next", here.as_str())]))
}

/// A link to the login page that leads back to this very address.
#[component]
pub fn SignInAgain() -> impl IntoView {
    let here = use_location();
    view! {
        <a class="button button-primary" rel="external" href=dyn_text(move || login_address(&here.pathname.get(), &here.search.get()))>
            "Sign in again"
        </a>
    }
}

/// A page that could not be shown.
#[component]
pub fn Failure(
    /// Why not.
    error: AppError,
    /// Asks again.
    #[prop(into)]
    retry: Callback<()>,
    /// The role that sees the page.
    #[prop(default = Role::SystemAdmin)]
    needed: Role,
) -> impl IntoView {
    #[cfg(feature = "ssr")]
    crate::ui::loaded::answer_with(error.0.status);
    if error.is_signed_out() {
        view! {
            <EmptyState title="Your login has ended">
                <p>"Sign in again to come back to this page."</p>
                <SignInAgain />
            </EmptyState>
        }
        .into_any()
    } else if error.is_forbidden() {
        view! { <Forbidden needed /> }.into_any()
    } else {
        // The same address would fail again.
        let wrong_address = matches!(error.0.status, 400 | 404 | 422);
        let path = use_location().pathname.get_untracked();
        let unreachable = error.code() == crate::api::UNREACHABLE;
        let title = if unreachable {
            "Can’t reach the server".to_owned()
        } else {
            error.0.title.clone()
        };
        view! {
            <EmptyState title>
                <p>{error.0.detail.clone()}</p>
                <p class="quiet">{format!("Reference: {} {}", error.0.status, error.0.code)}</p>
                {if wrong_address {
                    view! {
                        <a class="button" rel="external" href=path>
                            "Start over"
                        </a>
                    }
                    .into_any()
                } else {
                    view! {
                        <button type="button" class="button needs-js" on:click=move |_| retry.run(())>
                            "Try again"
                        </button>
                    }
                    .into_any()
                }}
            </EmptyState>
        }
        .into_any()
    }
}

/// The error of an action that failed. The page works on.
#[component]
pub fn FailedAction(
    /// The error; `None` shows nothing.
    failed: RwSignal<Option<AppError>>,
) -> impl IntoView {
    dyn_view(move || {
        let banner = failed.get().map(|AppError(problem)| {
            view! {
                <Banner tone=Tone::Danger>
                    <strong>{problem.title.trim_end_matches('.').to_owned()} ". "</strong>
                    {problem.detail}
                    " "
                    <button type="button" class="button button-small" on:click=move |_| failed.set(None)>
                        "Dismiss"
                    </button>
                </Banner>
            }
        });
        banner.into_any()
    })
}

/// A page that the person's role does not include.
#[component]
pub fn Forbidden(
    /// The role that sees it.
    needed: Role,
) -> impl IntoView {
    let who = use_context::<Who>();
    let me = move || who.and_then(|Who(who)| who.get()).and_then(Result::ok);
    view! {
        <EmptyState title="You can’t see this page">
            <p>
                {format!("It needs the role {needed}.")} " "
                {dyn_text(move || me().map(|me| signed_in(&me)).unwrap_or_default())}
            </p>
            <a class="button" href="/">
                "Go to My apps"
            </a>
        </EmptyState>
    }
}

/// Who one is, for whoever may have signed in as somebody else.
pub fn signed_in(me: &Me) -> String {
    format!("You are signed in as {}, whose role is {}.", me.username, me.role)
}
