//! Expire without JavaScript: the facts, consequence and question of the dialog, on a separate
//! page.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::{use_location, use_params_map};
use session::{
    SessionId, Status,
    api::{Problem, SessionView},
    view::View,
};

use crate::{
    api::{AppError, sessions::list_sessions},
    components::{
        failure::Failure,
        sessions::{
            session_summary::{Consequence, EndedFacts, ReasonField, SessionFacts},
            view_url::SESSIONS_PATH,
        },
    },
    ui::{
        address::parameter,
        banner::{Banner, Tone},
        dynamic::dyn_view,
        empty::Skeleton,
        loaded,
    },
};

/// Asks whether to expire one session. `?changed=1` marks a repeated question: the session changed
/// since the first.
#[component]
pub fn ExpireSession() -> impl IntoView {
    let params = use_params_map();
    let id = move || params.read().get_str("id").unwrap_or_default().to_owned();
    let session = loaded::load(id, load);
    let shown = move |answer: Result<SessionView, AppError>| match answer {
        Ok(session) => view! { <Question session /> }.into_any(),
        Err(error) => view! { <Failure error retry=move |()| session.refetch() /> }.into_any(),
    };
    view! {
        <Title text="Expire session" />
        <h1>"Expire session"</h1>
        <Transition fallback=|| view! { <Skeleton what="the session" /> }>{dyn_view(move || session.get().map(shown).into_any())}</Transition>
    }
}

#[component]
fn Question(session: SessionView) -> impl IntoView {
    let changed = parameter(&use_location().search.get_untracked(), "changed").is_some();
    let ended = session.status == Status::Expired;
    let action = format!("{SESSIONS_PATH}/{}/expire", session.id);
    let seen = session.seen();
    let session = Signal::stored(session);
    view! {
        <form class="question" method="post" action=action>
            {changed.then(|| view! {
                <Banner tone=Tone::Danger>
                    <strong>"This session has changed. "</strong>
                    "Look at the facts again before you expire it."
                </Banner>
            })}
            <SessionFacts session />
            {if ended {
                view! { <p class="consequence"><EndedFacts session /></p> }.into_any()
            } else {
                view! {
                    <Consequence session id="expire-consequence" />
                    <ReasonField />
                    <input type="hidden" name="seen_status" value=seen.status.code() />
                    <input type="hidden" name="seen_connected" value=seen.connected.to_string() />
                }
                    .into_any()
            }}
            <div class="dialog-actions">
                <a class="button" href=SESSIONS_PATH>
                    {if ended { "Back to Sessions" } else { "Cancel" }}
                </a>
                {(!ended).then(|| view! {
                    <button type="submit" class="button button-danger" aria-describedby="expire-consequence">
                        "Expire session"
                    </button>
                })}
            </div>
        </form>
    }
}

async fn load(id: String) -> Result<SessionView, AppError> {
    let gone = || {
        let problem = Problem::new(
            404,
            "no_session",
            "There is no such session",
            "It has been removed from the list, or never was.",
        );
        AppError(problem)
    };
    let id: SessionId = id.parse().map_err(|_| gone())?;
    let found = list_sessions(View {
        q: format!("id:{id}"),
        ..View::default()
    })
    .await?;
    found
        .items
        .into_iter()
        .find(|session| session.id == id)
        .ok_or_else(gone)
}
