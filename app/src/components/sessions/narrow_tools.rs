//! Sort and "select all" for narrow screens, which show rows as cards without headers.

use leptos::prelude::*;
use session::{
    columns::{Choice, numbers},
    view::{Sort, View},
};

use super::{selection::Selection, view_url::ViewUrl};
use crate::ui::dynamic::{dyn_text, dyn_view};

/// A sort select and a button that selects the page. Hidden if the table has headers.
#[component]
pub fn NarrowTools(
    /// Address, which contains the order.
    url: ViewUrl,
    /// Visible columns.
    choice: RwSignal<Choice>,
    /// Selected sessions.
    selection: Selection,
    /// Called with the order chosen here.
    on_sort: Callback<Sort>,
) -> impl IntoView {
    let order = move || url.resolved().sort.unwrap_or_default().code();
    let options = move || {
        let visible = choice.read().visible.clone();
        let both = |column| [false, true].map(|descending| Sort { column, descending });
        let option = |sort: Sort| {
            let arrow = if sort.descending { "↓" } else { "↑" };
            let code = sort.code();
            let selected = code == order();
            view! { <option value=code selected=selected>{format!("{} {arrow}", sort.column.header())}</option> }
        };
        visible.into_iter().flat_map(both).map(option).collect_view().into_any()
    };
    // Only the columns change the options; the value follows the order.
    let drawn = Memo::new(move |_| numbers(&choice.read().visible));
    let choose = move |event| {
        if let Ok(sort) = event_target_value(&event).parse::<Sort>() {
            let view = View {
                sort: Some(sort),
                ..url.get_untracked().from_the_top()
            };
            url.replace(view);
            on_sort.run(sort);
        }
    };
    view! {
        <div class="narrow-tools needs-js">
            <label>
                <span class="visually-hidden">"Sort by"</span>
                <select prop:value=dyn_text(order) on:change=choose>
                    {dyn_view(move || {
                        drawn.track();
                        untrack(options)
                    })}
                </select>
            </label>
            <button type="button" class="button button-small" on:click=move |_| selection.choose_page(true)>
                "Select page"
            </button>
        </div>
    }
    .into_any()
}
