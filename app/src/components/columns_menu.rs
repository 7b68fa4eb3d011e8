//! The Columns menu of a table: which columns are visible, and in which order.

use leptos::{ev::KeyboardEvent, prelude::*};

use crate::ui::{
    dynamic::{dyn_attr, keyed},
    focus,
    icon::{Glyph, Icon},
    menu::Menu,
};

/// The columns of a table, each with a number of its own, and the choice of an administrator. A
/// cheap handle; copy it freely.
#[derive(Clone, Copy)]
pub struct MenuColumns {
    /// The columns of the menu, from top to bottom.
    pub order: Signal<Vec<u128>>,
    /// Header and description of a column.
    pub names: Callback<u128, (&'static str, &'static str)>,
    /// Whether a column is visible; tracked.
    pub shows: Callback<u128, bool>,
    /// Shows or hides a column.
    pub show: Callback<(u128, bool)>,
    /// Moves a column by a number of places. `None` = the order is fixed.
    pub place: Option<Callback<(u128, i32)>>,
    /// Whether the choice is the default.
    pub is_default: Signal<bool>,
    /// Restores the default.
    pub reset: Callback<()>,
}

/// The menu. If columns can move: Alt with an arrow key, or the buttons, move the column whose line
/// has the focus.
#[component]
pub fn ColumnsMenu(
    /// Columns to show and change.
    columns: MenuColumns,
) -> impl IntoView {
    let button = view! {
        <Icon glyph=Glyph::Columns />
        "Columns"
    };
    view! {
        <div class="columns-menu needs-js">
            <Menu id="columns" role="group" name="Columns" button_class="button" button=button.into_any()>
                <div class="menu-scroll">{keyed(columns.order, move |column| line(columns, column))}</div>
                <button
                    type="button"
                    class="menu-item menu-item-last"
                    aria-disabled=dyn_attr(move || columns.is_default.get().then_some("true"))
                    on:click=move |_| columns.reset.run(())
                >
                    "Reset to defaults"
                </button>
            </Menu>
        </div>
    }
    .into_any()
}

fn line(columns: MenuColumns, column: u128) -> AnyView {
    let (header, description) = columns.names.run(column);
    let shows = Signal::derive(move || columns.shows.run(column));
    let moving = move |places: i32| {
        if let Some(place) = columns.place {
            focus::keep();
            place.run((column, places));
        }
    };
    let key = move |event: KeyboardEvent| {
        let places = match event.key().as_str() {
            "ArrowUp" if event.alt_key() => -1,
            "ArrowDown" if event.alt_key() => 1,
            _ => return,
        };
        event.prevent_default();
        moving(places);
    };
    let mover = move |places: i32, glyph: Glyph, word: &'static str| {
        let at_end = move || {
            let order = columns.order.read();
            let end = if places < 0 { order.first() } else { order.last() };
            end == Some(&column)
        };
        view! {
            <button
                type="button"
                class="button button-icon"
                aria-label=format!("Move {header} {word}")
                aria-disabled=dyn_attr(move || at_end().then_some("true"))
                on:click=move |_| moving(places)
            >
                <Icon glyph />
            </button>
        }
    };
    let movers = columns
        .place
        .map(|_| [mover(-1, Glyph::Up, "up"), mover(1, Glyph::Down, "down")]);
    view! {
        <div class="menu-line" on:keydown=key>
            <label class="menu-check" title=description>
                <input
                    type="checkbox"
                    checked=untrack(|| shows.get())
                    prop:checked=shows
                    on:change=move |event| columns.show.run((column, event_target_checked(&event)))
                />
                {header}
            </label>
            {movers}
        </div>
    }
    .into_any()
}
