//! The headers: exact names, each a link that sorts by its column.

use crate::ui::dynamic::{attribute, words};
use leptos::prelude::*;
use session::{
    columns::{Choice, Column},
    view::{Sort, View},
};

use crate::{
    components::view_url::{self, ViewUrl},
    ui::icon::{Glyph, Icon},
};

/// The headers of the visible columns.
#[component]
pub fn Head(
    /// The address: the order, and where the links lead.
    url: ViewUrl,
    /// The columns shown.
    choice: RwSignal<Choice>,
) -> impl IntoView {
    let header = move |column: Column| {
        // `None` = not by this column, `Some(true)` = largest first.
        let sorted = Memo::new(move |_| {
            Some(url.get().sort)
                .filter(|sort| sort.column == column)
                .map(|sort| sort.descending)
        });
        let href = words(move || {
            let descending = sorted.get().map_or(starts_descending(column), |descending| !descending);
            view_url::link(&View {
                sort: Sort { column, descending },
                page: 1,
                cursor: None,
                ..url.get()
            })
        });
        let aria_sort = attribute(move || {
            sorted
                .get()
                .map(|descending| if descending { "descending" } else { "ascending" })
        });
        let glyph = Signal::derive(move || match sorted.get() {
            None => Glyph::Sort,
            Some(false) => Glyph::Up,
            Some(true) => Glyph::Down,
        });
        view! {
            <th scope="col" aria-sort=aria_sort class=format!("col-{}", column.code())>
                <a class="sort" class:sort-on=Signal::derive(move || sorted.get().is_some()) href=href data-noscroll="true">
                    {column.header()}
                    <Icon glyph />
                </a>
            </th>
        }
    };
    view! {
        <For each=move || choice.get().visible key=|column| *column children=header />
        // Not a header: the table has exactly the columns that the menu names.
        <td class="col-action"></td>
    }
}

/// The newest first; the rest from A to Z.
const fn starts_descending(column: Column) -> bool {
    matches!(column, Column::StartDate | Column::Connected)
}
