//! Cells, one kind for each column. All rows have the same height: a cell has one line and at most
//! one small line below, both cut with an ellipsis.

use crate::ui::dynamic::{DynShow, dyn_attr, dyn_text, dyn_view};
use leptos::prelude::*;
use session::{
    EndReason, Status, Timestamp,
    api::{SessionView, Stale},
    columns::Column,
    format,
};

use super::Context;
use crate::{
    components::{
        moment::{Age, Moment, expect_clock},
        status::{Connected, StatusBadge},
        timeline::deadline_words,
    },
    ui::{copy::CopyButton, time::Detail},
};

/// The cell of a session in a column. `data-label` names the column in the card layout.
pub fn cell(column: Column, session: RwSignal<SessionView>, context: Context) -> AnyView {
    let content = match column {
        Column::SessionId => id(dyn_text(move || session.read().id.to_string()), "session ID"),
        Column::EnvironmentId => id(
            dyn_text(move || session.read().environment_id.to_string()),
            "environment ID",
        ),
        Column::UserId => id(dyn_text(move || session.read().user_id.to_string()), "user ID"),
        Column::Environment => view! { <Environment session context /> }.into_any(),
        Column::Status => view! { <StatusAndError session /> }.into_any(),
        Column::Username => name(dyn_text(move || session.read().username.to_string())),
        Column::Connected => view! { <Connected connected=Memo::new(move |_| session.read().connected) /> }.into_any(),
        Column::StartDate => {
            let at = Memo::new(move |_| session.read().started_at);
            view! { <Moment at detail=Detail::Brief focusable=true /> }.into_any()
        }
        Column::StartedAgo => view! { <Age since=Memo::new(move |_| session.read().started_at) /> }.into_any(),
        Column::ValidUntil => view! { <ValidUntil session /> }.into_any(),
        Column::Application => name(dyn_text(move || session.read().application.to_string())),
        Column::Ended => moment(move || session.read().ended_at),
        Column::ConnectedSince => moment(move || session.read().connected_since),
        Column::NextDeadline => {
            let next = Memo::new(move |_| session.read().next_deadline);
            let words = Memo::new(move |_| Some(deadline_words(next.get()?.timer, &session.read()).1));
            view! { {moment(move || Some(next.get()?.at))} <Note text=words /> }.into_any()
        }
        Column::Node => dyn_text(move || session.read().node.to_string()).into_any(),
        Column::EndedBy => {
            dyn_text(move || session.read().ended_by.as_deref().unwrap_or_default().to_owned()).into_any()
        }
        Column::EndReason => {
            let label = dyn_text(move || session.read().end_reason.map_or("", EndReason::label).to_owned());
            let note = Memo::new(move |_| session.read().end_note.as_deref().map(|note| format!("“{note}”")));
            view! { {label} <Note text=note /> }.into_any()
        }
        Column::Error => name(dyn_text(move || {
            session.read().error.as_deref().unwrap_or_default().to_owned()
        })),
    };
    view! {
        <td class=format!("col-{}", column.code()) data-label=column.header()>
            <div class="cell">{content}</div>
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

/// An optional moment.
fn moment(at: impl Fn() -> Option<Timestamp> + Send + Sync + 'static) -> AnyView {
    let at = Memo::new(move |_| at());
    dyn_view(move || {
        at.get()
            .map(|at| view! { <Moment at=Signal::stored(at) detail=Detail::Brief focusable=true /> })
            .into_any()
    })
}

/// Number of characters above which a name may be cut: the width of the narrowest name column at
/// 1280 px. Such names can be focused, and the focus shows them in full.
const MAY_BE_CUT: usize = 14;

/// A text of any length and script. Hover and focus show the full text.
fn name(text: Signal<String>) -> AnyView {
    let may_be_cut = move || (text.read().chars().count() > MAY_BE_CUT).then_some("0");
    view! {
        <bdi class="name" title=text tabindex=dyn_attr(may_be_cut)>
            {text}
        </bdi>
    }
    .into_any()
}

/// The environment. The line below shows the age of the row if the environment did not respond to
/// the last sweep, otherwise the application unless it has a column. CSS draws the application,
/// because the text of the cell must be only the environment's name.
#[component]
fn Environment(session: RwSignal<SessionView>, context: Context) -> impl IntoView {
    let as_of = Memo::new(move |_| {
        let session = session.read();
        let here = |stale: &&Stale| {
            stale.environment_id == session.environment_id
                && stale.node.as_ref().is_none_or(|node| *node == session.node)
        };
        context.stale.read().iter().find(here)?.as_of
    });
    let application = Memo::new(move |_| {
        let shown = context.choice.read().shows(Column::Application);
        (!shown).then(|| session.read().application.to_string())
    });
    let drawn = dyn_text(move || match as_of.get() {
        Some(_) => String::new(),
        None => application.get().unwrap_or_default(),
    });
    view! {
        <div class="environment" data-application=drawn>
            {name(dyn_text(move || session.read().environment.to_string()))}
            {dyn_view(move || {
                as_of.get().map(|at| view! {
                    <span class="cell-note">"as of " <Moment at=Signal::stored(at) detail=Detail::TimeOfDay /></span>
                }).into_any()
            })}
        </div>
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

/// The moment, plus "in 9 min" in the last 15 minutes. Empty for a session in Error, which grants
/// no access.
#[component]
fn ValidUntil(session: RwSignal<SessionView>) -> impl IntoView {
    let clock = expect_clock();
    let valid_until = Memo::new(move |_| session.read().valid_until);
    let failed = Memo::new(move |_| session.read().status == Status::Error);
    let soon = Memo::new(move |_| {
        let live = matches!(session.read().status, Status::Pending | Status::Active);
        live.then(|| format::soon(valid_until.get() - clock.now())).flatten()
    });
    view! {
        <DynShow is=move || !failed.get() otherwise=|| view! { <span class="quiet">"–"</span> }>
            <Moment at=valid_until detail=Detail::Brief focusable=true />
        </DynShow>
        <Note tone="cell-note-soon" text=soon />
    }
}

/// A small line below the content of a cell.
#[component]
pub fn Note(
    /// Text; `None` shows nothing.
    #[prop(into)]
    text: Signal<Option<String>>,
    /// Additional CSS class.
    #[prop(optional)]
    tone: &'static str,
) -> impl IntoView {
    dyn_view(move || {
        let note = |text: String| {
            let title = text.clone();
            view! { <span class=format!("cell-note {tone}") title=title>{text}</span> }
        };
        text.get().map(note).into_any()
    })
}
