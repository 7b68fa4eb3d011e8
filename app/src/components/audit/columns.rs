//! An administrator's choice of columns: applied immediately, saved on the server, reverted if saving
//! fails.

use leptos::{prelude::*, task::spawn_local};
use session::audit::{Column, Columns};

use crate::{
    api::{AppError, audit::set_event_columns},
    components::columns_menu::MenuColumns,
};

/// The choice as the Columns menu changes it. Columns that are always visible are not in the menu.
pub fn menu_columns(choice: RwSignal<Columns>, failed: RwSignal<Option<AppError>>) -> MenuColumns {
    let keep = move |wanted: Option<Columns>| {
        let before = choice.get_untracked();
        let shown = wanted.clone().unwrap_or_default();
        choice.set(shown.clone());
        spawn_local(async move {
            if let Err(error) = set_event_columns(wanted).await {
                // A later choice wins, so revert only this one.
                if choice.try_get_untracked() == Some(shown) {
                    choice.set(before);
                }
                failed.try_set(Some(error));
            }
        });
    };
    let optional = || (0..).zip(Column::ALL).filter(|(_, column)| column.is_optional());
    MenuColumns {
        order: Signal::stored(optional().map(|(number, _)| number).collect()),
        names: Callback::new(|number| {
            let column = column(number);
            (column.header(), column.description())
        }),
        shows: Callback::new(move |number| choice.read().shows(column(number))),
        show: Callback::new(move |(number, shown)| keep(Some(choice.get_untracked().with(column(number), shown)))),
        place: None,
        is_default: Signal::derive(move || *choice.read() == Columns::default()),
        reset: Callback::new(move |()| keep(None)),
    }
}

/// The column at this position.
fn column(number: u128) -> Column {
    let mut all = (0..).zip(Column::ALL);
    all.find(|(at, _)| *at == number)
        .map_or(Column::Date, |(_, column)| column)
}
