//! The last cell of a row: Expire, or the end of the session.

use crate::ui::dynamic::{DynShow, dyn_attr, dyn_flag, dyn_text};
use leptos::prelude::*;
use session::{
    Status, Teardown,
    api::SessionView,
    lifecycle::{Verb, Verdict, is_overdue, verdict},
};

use super::Context;
use crate::{
    components::{
        moment::{Moment, expect_clock},
        sessions::{connection::WHY_NOT_ID, details::link_id, model::Row, view_url::SESSIONS_PATH, watch::Link},
    },
    ui::{
        icon::{Glyph, Icon},
        time::Detail,
    },
};

/// Element id of the form that the buttons submit without JavaScript.
pub const FORM_ID: &str = "expire";

/// The action of a row.
#[component]
pub fn ActionCell(row: Row, context: Context) -> impl IntoView {
    let session = RwSignal::from(row.clone());
    let can_expire = Memo::new(move |_| {
        matches!(
            verdict(session.read().status, Verb::Expire),
            Verdict::To(Status::Expired)
        )
    });
    view! {
        <td class="col-action">
            <DetailsLink session context />
            <DynShow is=move || can_expire.get() otherwise=move || view! { <Ended row=session /> }>
                <ExpireButton row=row.clone() context />
            </DynShow>
        </td>
    }
}

/// Link that opens the details beside the list.
#[component]
fn DetailsLink(session: RwSignal<SessionView>, context: Context) -> impl IntoView {
    let id = session.read_untracked().id;
    let name = dyn_text(move || {
        let session = session.read();
        format!("Details of session of {} in {}", session.username, session.environment)
    });
    view! {
        <a
            class="button button-icon details-link"
            id=link_id(id)
            href=dyn_text(move || format!("{SESSIONS_PATH}/{id}{}", context.search.read()))
            aria-label=name
            aria-description=dyn_text(move || session.read().application.to_string())
            data-noscroll="true"
        >
            <Icon glyph=Glyph::Details />
        </a>
    }
    .into_any()
}

/// A submit button that leads to a separate page; with JavaScript it opens the dialog instead.
#[component]
fn ExpireButton(row: Row, context: Context) -> impl IntoView {
    let session = RwSignal::from(row.clone());
    let blocked = move || !context.watch.is_fine();
    let name = move || {
        let session = session.read();
        format!("Expire session of {} in {}", session.username, session.environment)
    };
    let id = session.read_untracked().id;
    let press = move |event: leptos::ev::MouseEvent| {
        event.prevent_default();
        if context.watch.link.get_untracked() == Link::Fine {
            context.target.set(Some(row.clone()));
        }
    };
    view! {
        <button
            type="submit"
            class="button button-small button-danger-quiet"
            form=FORM_ID
            formaction=format!("{}/{id}/expire", SESSIONS_PATH)
            aria-label=dyn_text(name)
            aria-description=dyn_text(move || session.read().application.to_string())
            aria-haspopup="dialog"
            aria-disabled=dyn_attr(move || blocked().then_some("true"))
            aria-describedby=dyn_attr(move || blocked().then_some(WHY_NOT_ID))
            on:click=press
        >
            "Expire"
        </button>
    }
    .into_any()
}

/// First line: time of the end. Second line: actor, then progress of the cleanup or else the
/// administrator's reason.
#[component]
fn Ended(row: RwSignal<SessionView>) -> impl IntoView {
    let clock = expect_clock();
    let closing = Memo::new(move |_| {
        let session = row.read();
        (session.teardown == Teardown::Wanted).then(|| is_overdue(session.ended_at, clock.now()))
    });
    let overdue = dyn_flag(move || closing.get() == Some(true));
    let note = Memo::new(move |_| {
        let session = row.read();
        let by = session.ended_by.as_deref().unwrap_or("system");
        // The cleanup first: a long reason is cut.
        let cleanup = match (closing.get(), session.teardown) {
            (Some(true), _) => " – Cleanup overdue",
            (Some(false), _) => " – Closing…",
            (None, Teardown::GivenUp) => " – Cleanup abandoned",
            (None, _) => "",
        };
        let reason = session.end_note.as_deref().map(|note| format!(" “{note}”"));
        format!("by {by}{cleanup}{}", reason.unwrap_or_default())
    });
    let ended_at = Memo::new(move |_| row.read().ended_at.unwrap_or_default());
    let full = dyn_text(move || {
        let session = row.read();
        let by = session.ended_by.as_deref().unwrap_or("system");
        session
            .end_note
            .as_deref()
            .map_or_else(|| format!("by {by}"), |note| format!("by {by}: “{note}”"))
    });
    view! {
        <div class="cell" title=full>
            <span class="ended">"Expired " <Moment at=ended_at detail=Detail::Brief /></span>
            " "
            <span class="cell-note" class:cell-note-error=overdue>{dyn_text(move || note.get())}</span>
        </div>
    }
}
