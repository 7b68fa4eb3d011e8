//! One cell for each column.

use crate::ui::dynamic::{part, words};
use leptos::prelude::*;
use session::{Status, columns::Column, format, wire::SessionView};

use super::Context;
use crate::{
    components::{
        moment::{Age, Moment, expect_clock},
        status::{Connected, StatusBadge},
    },
    ui::{copy::CopyButton, time::Detail},
};

/// The cell of a session in a column. `data-label` names it where rows are drawn as cards.
pub fn cell(column: Column, session: RwSignal<SessionView>, context: Context) -> AnyView {
    let content = match column {
        Column::SessionId => id(words(move || session.read().id.to_string()), "session ID"),
        Column::EnvironmentId => id(
            words(move || session.read().environment_id.to_string()),
            "environment ID",
        ),
        Column::UserId => id(words(move || session.read().user_id.to_string()), "user ID"),
        Column::Environment => view! { <Environment session context /> }.into_any(),
        Column::Status => view! { <StatusAndError session /> }.into_any(),
        Column::Username => words(move || session.read().username.to_string()).into_any(),
        Column::Connected => view! { <Connected connected=Memo::new(move |_| session.read().connected) /> }.into_any(),
        Column::StartDate => {
            view! { <Moment at=Memo::new(move |_| session.read().started_at) focusable=true /> }.into_any()
        }
        Column::StartedAgo => view! { <Age since=Memo::new(move |_| session.read().started_at) /> }.into_any(),
        Column::ValidUntil => view! { <ValidUntil session /> }.into_any(),
    };
    view! {
        <td class=format!("col-{}", column.code()) data-label=column.header()>
            {content}
        </td>
    }
    .into_any()
}

fn id(text: Signal<String>, what: &'static str) -> AnyView {
    view! {
        <span class="id">
            <code>{text}</code>
            <CopyButton text what />
        </span>
    }
    .into_any()
}

/// The name; and how old the row is when the environment did not answer the last sweep.
#[component]
fn Environment(session: RwSignal<SessionView>, context: Context) -> impl IntoView {
    let as_of = Memo::new(move |_| {
        let id = session.read().environment_id;
        context
            .stale
            .read()
            .iter()
            .find(|stale| stale.environment_id == id)?
            .as_of
    });
    view! {
        {words(move || session.read().environment.to_string())}
        {part(move || {
            as_of.get().map(|at| view! {
                <span class="cell-note">"as of " <Moment at=Signal::stored(at) detail=Detail::TimeOfDay /></span>
            }).into_any()
        })}
    }
}

#[component]
fn StatusAndError(session: RwSignal<SessionView>) -> impl IntoView {
    let error = Memo::new(move |_| {
        let session = session.read();
        session
            .error
            .as_deref()
            .filter(|_| session.status == Status::Error)
            .map(str::to_owned)
    });
    view! {
        <StatusBadge status=Memo::new(move |_| session.read().status) />
        <Note tone="cell-note-error" text=error />
    }
}

/// The moment, and "in 9 min" in the last quarter of an hour.
#[component]
fn ValidUntil(session: RwSignal<SessionView>) -> impl IntoView {
    let clock = expect_clock();
    let valid_until = Memo::new(move |_| session.read().valid_until);
    let soon = Memo::new(move |_| {
        let live = session.read().status != Status::Expired;
        live.then(|| format::soon(valid_until.get() - clock.now())).flatten()
    });
    view! {
        <Moment at=valid_until focusable=true />
        <Note tone="cell-note-soon" text=soon />
    }
}

/// A small line below what a cell says.
#[component]
pub fn Note(
    /// The line, if there is one.
    #[prop(into)]
    text: Signal<Option<String>>,
    /// A further class.
    #[prop(optional)]
    tone: &'static str,
) -> impl IntoView {
    move || {
        text.get()
            .map(|text| view! { <span class=format!("cell-note {tone}")>{text}</span> })
    }
}
