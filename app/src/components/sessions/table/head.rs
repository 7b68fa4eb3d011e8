//! The headers: exact names, each a link that sorts by its column.

use crate::ui::dynamic::{dyn_attr, dyn_text, keyed};
use leptos::prelude::*;
use session::{
    columns::{Choice, Column, numbered, numbers},
    view::{Sort, View},
};

use crate::{
    components::sessions::view_url::ViewUrl,
    ui::{
        clock::later,
        icon::{Glyph, Icon},
    },
};

/// The headers of the visible columns.
#[component]
pub fn Head(
    /// The address: the order, and where the links lead.
    url: ViewUrl,
    /// The columns shown.
    choice: RwSignal<Choice>,
    /// Another order was asked for here.
    on_sort: Callback<Sort>,
) -> impl IntoView {
    let header = move |column: Column| {
        // `None` = not by this column, `Some(true)` = largest first.
        let sorted = Memo::new(move |_| {
            url.resolved()
                .sort
                .filter(|sort| sort.column == column)
                .map(|sort| sort.descending)
        });
        let next = move || Sort {
            column,
            descending: sorted.get().map_or(starts_descending(column), |descending| !descending),
        };
        let href = dyn_text(move || {
            url.link(&View {
                sort: Some(next()),
                ..url.get().from_the_top()
            })
        });
        let aria_sort = dyn_attr(move || {
            sorted
                .get()
                .map(|descending| if descending { "descending" } else { "ascending" })
        });
        let glyph = Signal::derive(move || match sorted.get() {
            None => Glyph::Sort,
            Some(false) => Glyph::Up,
            Some(true) => Glyph::Down,
        });
        // After the router has followed the link: a new order turns the link round.
        let press = move |_| {
            let sort = untrack(next);
            later(0, move || on_sort.run(sort));
        };
        view! {
            <th scope="col" aria-sort=aria_sort class=format!("col-{}", column.code())>
                <a class="sort" class:sort-on=Signal::derive(move || sorted.get().is_some()) href=href data-noscroll="true" on:click=press>
                    {column.header()}
                    <Icon glyph />
                </a>
            </th>
        }
        .into_any()
    };
    view! {
        {keyed(Signal::derive(move || numbers(&choice.read().visible)), move |number| header(numbered(number)))}
        // Not a header: the table has exactly the columns that the menu names.
        <td class="col-action"></td>
    }
}

/// The newest first; the rest from A to Z.
const fn starts_descending(column: Column) -> bool {
    matches!(
        column,
        Column::StartDate | Column::Connected | Column::Ended | Column::ConnectedSince
    )
}
