//! The table of events. An event never changes, so only the set of rows follows signals.

use std::sync::Arc;

use leptos::{ev, prelude::*};
use session::{
    Timestamp,
    audit::{Column, Columns, Row},
};

use super::{
    audit_url::AuditUrl,
    details::{link_id, session_link},
    model::{Model, TABLE_ID},
};
use crate::{
    components::moment::Moment,
    ui::{
        dynamic::{dyn_attr, dyn_text, keyed},
        row_link,
        shed::{every_minute, followed},
        time::Detail,
    },
};

/// The events, newest first; only the headers if there are none.
#[component]
pub fn EventsTable(
    /// Events on screen.
    model: Model,
    /// Address, the base of the links.
    url: AuditUrl,
    /// Visible columns.
    columns: RwSignal<Columns>,
) -> impl IntoView {
    let open = followed(move || url.open.get());
    every_minute(move || open.notify());
    let header = |column: Column| {
        view! {
            <th scope="col" class=format!("col-{}", column.code())>
                {column.header()}
            </th>
        }
    };
    // Style sheets hide columns, so no row follows the choice.
    let class = dyn_text(move || {
        let columns = columns.read();
        let hidden = Column::ALL.into_iter().filter(|column| !columns.shows(*column));
        let class = hidden.map(|column| format!(" without-{}", column.code()));
        format!("table table-events{}", class.collect::<String>())
    });
    let row = move |key: u128| {
        let row = model.row(key);
        row.map(|(row, fresh)| view! { <EventRow row fresh url open /> })
            .into_any()
    };
    view! {
        <div class="table-scroll" id=TABLE_ID role="region" aria-label="Events" tabindex="0">
            <table
                class=class
                aria-label="Audit"
                aria-busy=dyn_attr(move || model.is_busy().then_some("true"))
            >
                <thead>
                    <tr>{Column::ALL.map(header)}</tr>
                </thead>
                <tbody>{keyed(Signal::derive(move || model.keys()), row)}</tbody>
            </table>
        </div>
    }
    .into_any()
}

/// A row. Its links belong to the search that found it.
#[component]
fn EventRow(row: Row, fresh: bool, url: AuditUrl, open: RwSignal<Option<u64>>) -> impl IntoView {
    let Row { entry, about } = row;
    let id = entry.id;
    let press = move |event: ev::MouseEvent| row_link::follow(&event, || url.details(id), |to| url.follow(to));
    let details = untrack(|| url.details(id));
    let is_open = dyn_attr(move || (open.get() == Some(id)).then_some("true"));
    let text =
        |text: Option<Arc<str>>| text.map(|text| view! { <div class="cell">{text.to_string()}</div> }.into_any());
    let session = entry.session_id.map(|id| {
        let about = about.map(|about| view! { <span class="cell-note">{about}</span> });
        view! { <div>{session_link(id)} {about}</div> }.into_any()
    });
    let request = entry
        .request_id
        .map(|id| view! { <code>{id.to_string()}</code> }.into_any());
    let what = view! {
        <a class="event-link" id=link_id(id) href=details data-noscroll="true">
            {entry.what}
        </a>
    };
    let cell = |column: Column, content: Option<AnyView>| {
        view! {
            <td class=format!("col-{}", column.code()) data-label=column.header()>
                {content}
            </td>
        }
    };
    view! {
        <tr
            class=fresh.then_some("row-new")
            on:click=press
            on:auxclick=press
            data-key=id.to_string()
            aria-current=is_open
        >
            {cell(Column::Date, Some(date(entry.at)))}
            {cell(Column::Who, text(Some(entry.who)))}
            {cell(Column::What, Some(what.into_any()))}
            {cell(Column::Session, session)}
            {cell(Column::Reason, text(entry.reason))}
            {cell(Column::Address, text(entry.address))}
            {cell(Column::RequestId, request)}
        </tr>
    }
    .into_any()
}

fn date(at: Timestamp) -> AnyView {
    view! { <Moment at=Signal::stored(at) detail=Detail::Second /> }.into_any()
}
