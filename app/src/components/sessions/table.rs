//! The table of sessions. Rows are keyed by session and each follows its own signal, so a change
//! updates a cell and never rebuilds a row or the table.

mod action;
mod cell;
mod head;

use crate::ui::dynamic::{dyn_attr, dyn_text, dyn_view, keyed};
use leptos::{ev, prelude::*};
use session::{SessionId, api::Stale, columns::Choice, view::Sort};

use self::{action::ActionCell, cell::cell, head::Head};
use super::{
    model::{Model, Row, TABLE_ID},
    selection::{SelectPage, SelectRow, Selection},
    view_url::{self, ViewUrl},
    watch::Watch,
};
use crate::ui::{
    row_link,
    shed::{every_minute, followed},
};

/// State shared by all rows.
#[derive(Clone, Copy)]
struct Context {
    choice: RwSignal<Choice>,
    stale: RwSignal<Vec<Stale>>,
    watch: Watch,
    target: RwSignal<Option<Row>>,
    selection: Selection,
    url: ViewUrl,
    /// Query string of the page.
    search: RwSignal<String>,
    /// Session whose details are open.
    open: RwSignal<Option<SessionId>>,
}

/// The table, with the accessible name "Sessions".
#[component]
pub fn SessionsTable(
    /// List to show.
    model: Model,
    /// Address: order and page.
    url: ViewUrl,
    /// Visible columns.
    choice: RwSignal<Choice>,
    /// State of the page's stream.
    watch: Watch,
    /// Set to open the Expire dialog for this row.
    target: RwSignal<Option<Row>>,
    /// Selected sessions.
    selection: Selection,
    /// Called with the order chosen in a header.
    #[prop(into)]
    on_sort: Callback<Sort>,
) -> impl IntoView {
    let stale = followed(move || model.head.read().stale.clone());
    let search = followed(move || view_url::search(&url.get()));
    let open = followed(move || url.open_details());
    let context = Context {
        choice,
        stale,
        watch,
        target,
        selection,
        url,
        search,
        open,
    };
    every_minute(move || {
        choice.notify();
        watch.link.notify();
        selection.shed();
        stale.notify();
        search.notify();
        open.notify();
    });
    let keys = Signal::derive(move || model.order.read().iter().map(SessionId::number).collect());
    let row = move |number: u128| {
        let row = model.row(SessionId::numbered(number));
        row.map(|row| view! { <SessionRow row context /> }).into_any()
    };
    view! {
        <div class="table-scroll" id=TABLE_ID role="region" aria-label="Table of sessions" tabindex="0">
            <table
                class="table table-sessions"
                aria-label="Sessions"
                aria-busy=dyn_attr(move || watch.changing.get().then_some("true"))
                data-revision=dyn_text(move || model.head.read().revision.to_string())
                data-divergences=dyn_text(move || watch.divergences.get().to_string())
            >
                <thead>
                    <tr>
                        <SelectPage selection />
                        <Head url choice on_sort />
                    </tr>
                </thead>
                <tbody>
                    {keyed(keys, row)}
                </tbody>
            </table>
        </div>
        // The Expire buttons of the rows submit this form without JavaScript.
        <form id=action::FORM_ID method="get" hidden></form>
    }
    .into_any()
}

#[component]
fn SessionRow(row: Row, context: Context) -> impl IntoView {
    let session = RwSignal::from(row.clone());
    let columns = Memo::new(move |_| context.choice.read().visible.clone());
    let cells = dyn_view(move || {
        let cells = columns.get().into_iter().map(|column| cell(column, session, context));
        cells.collect_view().into_any()
    });
    let id = session.read_untracked().id;
    let press =
        move |event: ev::MouseEvent| row_link::follow(&event, || context.url.details(id), |to| context.url.follow(to));
    let is_open = dyn_attr(move || (*context.open.read() == Some(id)).then_some("true"));
    view! {
        <tr on:click=press on:auxclick=press data-key=id.to_string() aria-current=is_open>
            <SelectRow row=row.clone() selection=context.selection />
            {cells}
            <ActionCell row context />
        </tr>
    }
    .into_any()
}
