//! The details of one event, beside the list and with their own address.

use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;
use session::{SessionId, api::Problem, audit::Row, format};

use super::audit_url::AuditUrl;
use crate::{
    api::{AppError, audit::event_details},
    components::{
        failure::Failure,
        moment::Moment,
        panel::{FROM_AUDIT, Panel},
        sessions::view_url::SESSIONS_PATH,
    },
    ui::{
        clock::later,
        copy::CopyButton,
        dynamic::{dyn_text, dyn_view},
        empty::{EmptyState, Skeleton},
        focus, loaded,
        time::Detail,
    },
};

/// The panel; the route's parameter is the number of the event.
#[component]
pub fn EventPanel() -> impl IntoView {
    let url = expect_context::<AuditUrl>();
    let params = use_params_map();
    let id = Memo::new(move |_| params.read().get_str("id").unwrap_or_default().to_owned());
    let event = loaded::load(move || id.get(), load);
    let close = move |()| {
        url.follow(untrack(|| url.list()));
        if let Ok(id) = id.get_untracked().parse::<u64>() {
            later(50, move || focus::focus_id(&link_id(id)));
        }
    };
    let shown = move |answer: Result<Row, AppError>| match answer {
        Ok(row) => view! { <Facts row /> }.into_any(),
        Err(error) if error.0.status == 404 => view! {
            <EmptyState title="There is no such event">
                <p>"The log contains no event with this number."</p>
            </EmptyState>
        }
        .into_any(),
        Err(error) => view! { <Failure error retry=move |()| event.refetch() /> }.into_any(),
    };
    view! {
        <Panel name="event" title="Event details" opened=id list=dyn_text(move || url.list()) on_close=close>
            <Transition fallback=|| view! { <Skeleton what="the event" /> }>
                {dyn_view(move || event.get().map(shown).into_any())}
            </Transition>
        </Panel>
    }
}

/// Element id of the link in a row that opens its details.
pub fn link_id(id: u64) -> String {
    format!("event-{id}")
}

/// A link to a session's details, from which Esc leads back to this page.
pub fn session_link(id: SessionId) -> AnyView {
    view! {
        <a href=format!("{SESSIONS_PATH}/{id}") prop:state=FROM_AUDIT>
            <code>{id.to_string()}</code>
        </a>
    }
    .into_any()
}

#[component]
fn Facts(row: Row) -> impl IntoView {
    let Row { entry, about } = row;
    let fact = |label: &'static str, content: AnyView| {
        view! {
            <div>
                <dt>{label}</dt>
                <dd>{content}</dd>
            </div>
        }
    };
    let text = move |label, text: Option<Arc<str>>| {
        text.map(|text| fact(label, view! { <bdi>{text.to_string()}</bdi> }.into_any()))
    };
    let session = entry.session_id.map(|id| {
        let about = about.map(|about| view! { <span class="cell-note">{about}</span> });
        let content = view! { {session_link(id)} {about} };
        fact("Session", content.into_any())
    });
    let request = entry.request_id.map(|id| {
        let text = Signal::stored(id.to_string());
        view! {
            <div>
                <dt>"Request ID"</dt>
                <dd class="id">
                    <code>{id.to_string()}</code>
                    <CopyButton text what="request ID" />
                </dd>
            </div>
        }
    });
    let date = view! {
        <Moment at=Signal::stored(entry.at) detail=Detail::Exact />
        <code class="cell-note">{format::iso(entry.at)}</code>
    };
    view! {
        <dl class="facts">
            {fact("Date", date.into_any())}
            {text("Who", Some(entry.who))}
            {fact("What", entry.what.into_any())}
            {text("Reason", entry.reason)}
            {session}
            {text("Address", entry.address)}
            {request}
            {fact("Event ID", entry.id.to_string().into_any())}
        </dl>
    }
    .into_any()
}

async fn load(id: String) -> Result<Row, AppError> {
    let unknown = |_| {
        AppError(Problem::new(
            404,
            "no_such_event",
            "There is no such event",
            "The address contains no number of an event.",
        ))
    };
    let id: Result<u64, AppError> = id.parse().map_err(unknown);
    #[cfg(feature = "ssr")]
    if id.is_err() {
        loaded::answer_with(404);
    }
    event_details(id?).await
}
