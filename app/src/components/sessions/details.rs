//! The details of one session, beside the list and with their own address: ids, next deadline,
//! history.

use leptos::{prelude::*, task::spawn_local};
use leptos_router::hooks::use_params_map;
use session::{
    SessionId, Status, Teardown,
    api::{Problem, SessionDetails, SessionView},
    lifecycle::{Verb, Verdict, verdict},
};

use super::{
    model::Row,
    session_summary::{EndedFacts, SessionFacts},
    view_url::ViewUrl,
};
use crate::components::{
    failure::Failure,
    moment::Moment,
    panel::{Panel, back_to_audit},
    timeline::{Timeline, deadline_words},
};
use crate::{
    api::{
        AppError,
        sessions::{give_up_cleanup, session_details},
    },
    ui::{
        clock::later,
        copy::CopyButton,
        dynamic::{dyn_attr, dyn_text, dyn_view},
        empty::{EmptyState, Skeleton},
        focus, loaded,
    },
};

/// Milliseconds to wait, so that several changes cause one request.
const ASK_AGAIN_MS: u64 = 500;

/// State shared by the list and the details, provided by the page.
#[derive(Clone, Copy)]
pub struct DetailsContext {
    /// Address of the list.
    pub url: ViewUrl,
    /// Revision of the list; the details are reloaded when it changes.
    pub revision: RwSignal<u64>,
    /// Set to open the Expire dialog for this session.
    pub target: RwSignal<Option<Row>>,
    /// Whether actions are likely to reach the server.
    pub reachable: RwSignal<bool>,
}

/// The panel; the route's parameter is the session id.
#[component]
pub fn SessionPanel() -> impl IntoView {
    let context = expect_context::<DetailsContext>();
    let params = use_params_map();
    let id = Memo::new(move |_| params.read().get_str("id").unwrap_or_default().to_owned());
    let details = loaded::load(move || id.get(), load);
    let waiting = StoredValue::new(false);
    Effect::new(move |before: Option<u64>| {
        let revision = context.revision.get();
        if before.is_some_and(|before| before != revision) && waiting.try_get_value() == Some(false) {
            waiting.set_value(true);
            later(ASK_AGAIN_MS, move || {
                if waiting.try_update_value(|waiting| *waiting = false).is_some() {
                    details.refetch();
                }
            });
        }
        revision
    });
    let close = move |()| {
        context.url.follow(untrack(|| context.url.list()));
        if let Ok(id) = id.get_untracked().parse::<SessionId>() {
            later(50, move || focus::focus_id(&link_id(id)));
        }
    };
    let shown = move |answer: Result<SessionDetails, AppError>| match answer {
        Ok(details) => view! { <Details details context /> }.into_any(),
        Err(error) if error.0.status == 404 => view! {
            <EmptyState title="There is no such session">
                <p>"Neither the list nor the log contains a session with this ID."</p>
            </EmptyState>
        }
        .into_any(),
        Err(error) => view! { <Failure error retry=move |()| details.refetch() /> }.into_any(),
    };
    view! {
        <Panel
            name="session"
            title="Session details"
            opened=id
            list=dyn_text(move || context.url.list())
            on_close=close
            on_escape=move |()| {
                if !back_to_audit() {
                    close(());
                }
            }
        >
            <Transition fallback=|| view! { <Skeleton what="the session" /> }>
                {dyn_view(move || details.get().map(shown).into_any())}
            </Transition>
        </Panel>
    }
}

/// Element id of the link in a row that opens its details.
pub fn link_id(id: SessionId) -> String {
    format!("details-{id}")
}

#[component]
fn Details(details: SessionDetails, context: DetailsContext) -> impl IntoView {
    let SessionDetails {
        session,
        cleanup_overdue,
        events,
    } = details;
    let body = match session {
        Some(session) => view! { <Present session cleanup_overdue context /> }.into_any(),
        None => view! {
            <p class="consequence" role="status">
                <strong>"Purged. "</strong>
                "The session ended and was removed from the list. Its history is kept."
            </p>
        }
        .into_any(),
    };
    view! {
        {body}
        <h3>"Timeline"</h3>
        <Timeline entries=events />
    }
}

/// Details of a session that is still in the list.
#[component]
fn Present(session: SessionView, cleanup_overdue: bool, context: DetailsContext) -> impl IntoView {
    let id = session.id;
    let can_expire = matches!(verdict(session.status, Verb::Expire), Verdict::To(Status::Expired));
    let ids = [
        ("Session ID", "session ID", session.id.to_string()),
        ("Environment ID", "environment ID", session.environment_id.to_string()),
        ("Application ID", "application ID", session.application_id.to_string()),
        ("User ID", "user ID", session.user_id.to_string()),
    ];
    let id_line = |(label, what, id): (&'static str, &'static str, String)| {
        view! {
            <div>
                <dt>{label}</dt>
                <dd class="id">
                    <code>{id.clone()}</code>
                    <CopyButton text=Signal::stored(id) what />
                </dd>
            </div>
        }
    };
    let error = session
        .error
        .clone()
        .map(|error| view! { <p class="cell-note-error">{error.to_string()}</p> });
    let teardown = match session.teardown {
        Teardown::NotNeeded => None,
        Teardown::Wanted => Some("Closing…"),
        Teardown::Confirmed => Some("Closed and cleaned up."),
        Teardown::GivenUp => Some("Cleanup was abandoned; something may be left behind."),
    };
    let next = session.next_deadline.map(|deadline| {
        let (before, after) = deadline_words(deadline.timer, &session);
        view! {
            <p>{before} " " <Moment at=Signal::stored(deadline.at) focusable=true /> " " {after}</p>
        }
    });
    let access = (session.status != Status::Error).then_some(("Valid until", session.valid_until));
    let since = session.connected_since.map(|at| ("Connected since", at));
    let moments = [access, since].into_iter().flatten().map(|(label, at)| {
        view! {
            <div>
                <dt>{label}</dt>
                <dd>
                    <Moment at=Signal::stored(at) />
                </dd>
            </div>
        }
    });
    let moments = moments.collect_view();
    let node = session.node.to_string();
    let row = Row::new(session.clone());
    let shown = Signal::stored(session);
    let blocked = move || !context.reachable.get();
    let press = move |_| {
        if context.reachable.get_untracked() {
            context.target.set(Some(row.clone()));
        }
    };
    view! {
        <SessionFacts session=shown />
        {error}
        {next}
        <p class="quiet"><EndedFacts session=shown /> " " {teardown}</p>
        {cleanup_overdue.then(|| view! { <GiveUp id reachable=context.reachable /> })}
        {can_expire.then(|| view! {
            <p class="needs-js">
                <button
                    type="button"
                    class="button button-danger-quiet"
                    aria-haspopup="dialog"
                    aria-disabled=dyn_attr(move || blocked().then_some("true"))
                    on:click=press
                >
                    "Expire this session"
                </button>
            </p>
        })}
        <dl class="facts">
            {moments}
            <div>
                <dt>"Node"</dt>
                <dd>{node}</dd>
            </div>
        </dl>
        <dl class="facts facts-ids">{ids.map(id_line).collect_view()}</dl>
    }
    .into_any()
}

/// Button to stop waiting for an overdue cleanup, for an administrator who has checked the
/// environment.
#[component]
fn GiveUp(id: SessionId, reachable: RwSignal<bool>) -> impl IntoView {
    let problem = RwSignal::new(String::new());
    let press = move |_| {
        if reachable.get_untracked() {
            spawn_local(async move {
                if let Err(error) = give_up_cleanup(id).await {
                    problem.try_set(error.0.detail);
                }
            });
        }
    };
    view! {
        <p class="cell-note-error">
                "The environment has not confirmed that it closed the session. The server keeps trying. "
                "If you have removed everything that is left of it, stop waiting. The row is then removed like any other."
            </p>
            <p class="needs-js">
                <button type="button" class="button button-small" on:click=press>
                    "Abandon cleanup"
                </button>
            </p>
            <p role="alert">{dyn_text(move || problem.get())}</p>
    }
    .into_any()
}

async fn load(id: String) -> Result<SessionDetails, AppError> {
    let unknown = |_| {
        AppError(Problem::new(
            404,
            "no_such_session",
            "There is no such session",
            "The address contains no session ID.",
        ))
    };
    session_details(id.parse().map_err(unknown)?).await
}
