//! The log of events, live.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::components::Outlet;
use session::audit::Columns;

use crate::{
    api::{AppError, audit::event_columns},
    components::{
        audit::{
            audit_url::{Asked, AuditUrl},
            board::AuditBoard,
            model::{Answer, ask},
        },
        failure::Failure,
    },
    ui::{dynamic::dyn_view, empty::Skeleton, loaded},
};

/// The Audit page. The server renders the first answer; with JavaScript the page then follows its
/// address and the log.
#[component]
pub fn Audit() -> impl IntoView {
    let url = AuditUrl::of_this_page();
    provide_context(url);
    let first = loaded::load(|| (), move |()| load(url.asked.get_untracked()));
    let shown = move |answer: Result<(Answer, Columns), AppError>| match answer {
        Ok((answer, columns)) => {
            view! { <AuditBoard asked=url.asked.get_untracked() first=answer columns url /> }.into_any()
        }
        Err(error) => view! { <Failure error retry=move |()| first.refetch() /> }.into_any(),
    };
    view! {
        <Title text="Audit" />
        <div class="list-page audit-page">
            <h1>"Audit"</h1>
            <Transition fallback=|| view! { <Skeleton what="events" /> }>
                {dyn_view(move || first.get().map(shown).into_any())}
            </Transition>
            <Outlet />
        </div>
    }
}

/// The first answer. A lower role is refused even if the search is invalid.
async fn load(asked: Asked) -> Result<(Answer, Columns), AppError> {
    #[cfg(feature = "ssr")]
    let wrong = asked.wrong.is_some();
    let columns = event_columns().await?;
    #[cfg(feature = "ssr")]
    if wrong {
        loaded::answer_with(400);
    }
    Ok((ask(asked).await?, columns))
}
