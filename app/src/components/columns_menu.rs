//! The Columns button: which columns the table shows. Kept for the administrator on the server.

use leptos::{prelude::*, task::spawn_local};
use session::columns::{Choice, Column};

use crate::{
    api::{AppError, people::set_columns},
    ui::{
        icon::{Glyph, Icon},
        menu::Menu,
    },
};

/// The menu. Changes show at once; if the server does not keep them, it says so.
#[component]
pub fn ColumnsMenu(
    /// What is shown.
    choice: RwSignal<Choice>,
    /// A choice could not be kept.
    #[prop(into)]
    on_failure: Callback<AppError>,
) -> impl IntoView {
    let keep = move |wanted: Option<Choice>| {
        let before = choice.get_untracked();
        let shown = wanted.clone().unwrap_or_default();
        choice.set(shown.clone());
        spawn_local(async move {
            if let Err(error) = set_columns(wanted).await {
                // A later choice stands: only this one is taken back.
                if choice.try_get_untracked() == Some(shown) {
                    choice.set(before);
                }
                on_failure.run(error);
            }
        });
    };
    let option = move |column: Column| {
        let shows = move || choice.read().shows(column);
        view! {
            <label class="menu-check" title=column.description()>
                <input
                    type="checkbox"
                    checked=choice.read_untracked().shows(column)
                    prop:checked=shows
                    on:change=move |event| keep(Some(choice.get_untracked().with(column, event_target_checked(&event))))
                />
                {column.header()}
            </label>
        }
    };
    let button = view! {
        <Icon glyph=Glyph::Columns />
        "Columns"
    };
    view! {
        <div class="columns-menu needs-js">
            <Menu id="columns" role="group" name="Columns" button_class="button" button=button.into_any()>
                {Column::ALL.into_iter().map(option).collect_view()}
                <button type="button" class="menu-item menu-item-last" on:click=move |_| keep(None)>
                    "Reset to defaults"
                </button>
            </Menu>
        </div>
    }
    .into_any()
}
