//! The table headers, each a link that sorts by its column.

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
    /// Address, which contains the order and is the base of the links.
    url: ViewUrl,
    /// Visible columns.
    choice: RwSignal<Choice>,
    /// Called with the order chosen here.
    on_sort: Callback<Sort>,
) -> impl IntoView {
    let header = move |column: Column| {
        // `None` = sorted by another column, `Some(true)` = descending.
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
        // Deferred until the router has followed the link, because the new order reverses the link.
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
        // Not a header cell, because the headers must match the Columns menu exactly.
        <td class="col-action"></td>
    }
}

/// Whether the first sort of a column is descending: times and Connected; the others start at A.
const fn starts_descending(column: Column) -> bool {
    matches!(
        column,
        Column::StartDate | Column::Connected | Column::Ended | Column::ConnectedSince
    )
}
