//! The table itself. Rows are keyed by session and each follows its own signal: a change redraws a cell, never a row, and the
//! table is never taken down.

mod action;
mod cell;
mod head;

use crate::ui::dynamic::attribute;
use leptos::prelude::*;
use session::{SessionId, columns::Choice, wire::Stale};

use self::{action::ActionCell, cell::cell, head::Head};
use super::{
    model::{Model, Row},
    view_url::ViewUrl,
    watch::Watch,
};

/// Id of the part of the page that scrolls; takes the focus when what had it is gone.
pub const TABLE_ID: &str = "sessions-table";

/// What every row needs to know.
#[derive(Clone, Copy)]
struct Context {
    choice: RwSignal<Choice>,
    stale: Memo<Vec<Stale>>,
    watch: Watch,
    target: RwSignal<Option<Row>>,
}

/// The table named "Sessions".
#[component]
pub fn SessionsTable(
    /// The list.
    model: Model,
    /// The address: order and page.
    url: ViewUrl,
    /// The columns shown.
    choice: RwSignal<Choice>,
    /// How the page stands to the server.
    watch: Watch,
    /// The session to ask about: set to open the dialog.
    target: RwSignal<Option<Row>>,
) -> impl IntoView {
    let stale = Memo::new(move |_| model.head.read().stale.clone());
    let context = Context {
        choice,
        stale,
        watch,
        target,
    };
    let row = move |id: SessionId| model.row(id).map(|row| view! { <SessionRow row context /> });
    view! {
        <div class="table-scroll" id=TABLE_ID role="region" aria-label="Table of sessions" tabindex="0">
            <table
                class="table"
                aria-label="Sessions"
                aria-busy=attribute(move || watch.changing.get().then_some("true"))
            >
                <thead>
                    <tr>
                        <Head url choice />
                    </tr>
                </thead>
                <tbody>
                    <For each=move || model.order.get() key=|id| *id children=row />
                </tbody>
            </table>
        </div>
        // Where Expire goes without JavaScript; the buttons of the rows belong to it.
        <form id=action::FORM_ID method="get" hidden></form>
    }
    .into_any()
}

#[component]
fn SessionRow(row: Row, context: Context) -> impl IntoView {
    let session = RwSignal::from(row.clone());
    let columns = Memo::new(move |_| context.choice.read().visible.clone());
    let cells = move || {
        columns
            .get()
            .into_iter()
            .map(|column| cell(column, session, context))
            .collect_view()
    };
    view! {
        <tr>
            {cells}
            <ActionCell row context />
        </tr>
    }
    .into_any()
}
