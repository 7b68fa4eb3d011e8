//! The live list of all sessions.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::components::Outlet;
use session::{
    api::SessionList,
    columns::Choice,
    view::{InvalidView, View},
};

use crate::{
    api::{AppError, people::columns, sessions::list_sessions},
    components::{
        failure::Failure,
        sessions::{
            board::SessionsBoard,
            details::DetailsContext,
            view_url::{SESSIONS_PATH, ViewUrl},
        },
    },
    ui::{
        dynamic::dyn_view,
        empty::{EmptyState, Skeleton},
        loaded,
    },
};

/// The Sessions page. The server renders the first list; the stream of changes then updates it.
#[component]
pub fn Sessions() -> impl IntoView {
    let url = ViewUrl::of_this_page();
    let context = DetailsContext {
        url,
        revision: RwSignal::new(0),
        target: RwSignal::new(None),
        reachable: RwSignal::new(true),
    };
    provide_context(context);
    let first = loaded::load(|| (), move |()| load(url));
    let shown = move |answer: Result<(SessionList, Choice), AppError>| match answer {
        Ok((list, choice)) => view! { <SessionsBoard list choice context /> }.into_any(),
        Err(error) if error.code() == "bad_address" => view! {
            <EmptyState title="This link isn’t valid">
                <p>{error.0.detail}</p>
                <a class="button" rel="external" href=SESSIONS_PATH>
                    "Show all sessions"
                </a>
            </EmptyState>
        }
        .into_any(),
        Err(error) => view! { <Failure error retry=move |()| first.refetch() /> }.into_any(),
    };
    view! {
        <Title text="Sessions" />
        <div class="list-page">
            <h1>"Sessions"</h1>
            <Transition fallback=|| {
                view! { <Skeleton what="sessions" /> }
            }>{dyn_view(move || first.get().map(shown).into_any())}</Transition>
            <Outlet />
        </div>
    }
}

async fn load(url: ViewUrl) -> Result<(SessionList, Choice), AppError> {
    let bad = |why: InvalidView| {
        AppError(session::api::Problem::new(
            400,
            "bad_address",
            "This link isn’t valid",
            why.to_string(),
        ))
    };
    let view = url.view.get_untracked().map_err(bad)?;
    let choice = columns().await?;
    let sort = view.sort.or(Some(choice.sort));
    let list = list_sessions(View { sort, ..view }).await?;
    Ok((list, choice))
}
