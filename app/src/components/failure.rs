//! Error pages: why a page has nothing to show, and what to do next.

use leptos::prelude::*;
use leptos_router::hooks::use_location;
use session::{Role, api::Me};

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

/// Address of the login page. After signing in, the person returns to the current page.
pub fn login_address(path: &str, search: &str) -> String {
    let here = if search.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{search}")
    };
    format!("/login{}", query([("next", here.as_str())]))
}

/// A link to the login page that returns to the current address.
#[component]
pub fn SignInAgain() -> impl IntoView {
    let here = use_location();
    view! {
        <a class="button button-primary" rel="external" href=dyn_text(move || login_address(&here.pathname.get(), &here.search.get()))>
            "Sign in again"
        </a>
    }
}

/// Replaces a page that failed to load.
#[component]
pub fn Failure(
    /// Cause.
    error: AppError,
    /// Loads the page again.
    #[prop(into)]
    retry: Callback<()>,
    /// Role required for the page.
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

/// The error of a failed action. The page stays usable.
#[component]
pub fn FailedAction(
    /// Error; `None` shows nothing.
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

/// Replaces a page that the person's role may not open.
#[component]
pub fn Forbidden(
    /// Role required for the page.
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

/// The current account and role, for people with several accounts.
pub fn signed_in(me: &Me) -> String {
    format!("You are signed in as {}, whose role is {}.", me.username, me.role)
}
