//! The Columns menu: choice and order of the table's columns, saved on the server for each
//! administrator.

use leptos::{ev::KeyboardEvent, prelude::*};
use session::columns::{Choice, Column, numbered, numbers};

use super::preferences::Preferences;
use crate::ui::{
    dynamic::{dyn_attr, keyed},
    focus,
    icon::{Glyph, Icon},
    menu::Menu,
};

/// The menu. Alt with an arrow key, or the buttons, move the column whose line has the focus.
#[component]
pub fn ColumnsMenu(
    /// Choice to show and change.
    preferences: Preferences,
) -> impl IntoView {
    let choice = preferences.choice;
    let moving = move |column: Column, places: i32| {
        focus::keep();
        preferences.keep(Some(choice.get_untracked().moved(column, places)));
    };
    let option = move |column: Column| {
        let shows = Signal::derive(move || choice.read().shows(column));
        let key = move |event: KeyboardEvent| {
            let places = match event.key().as_str() {
                "ArrowUp" if event.alt_key() => -1,
                "ArrowDown" if event.alt_key() => 1,
                _ => return,
            };
            event.prevent_default();
            moving(column, places);
        };
        let mover = move |places: i32, glyph: Glyph, word: &'static str| {
            let at_end = move || {
                let order = &choice.read().order;
                let end = if places < 0 { order.first() } else { order.last() };
                end == Some(&column)
            };
            view! {
                <button
                    type="button"
                    class="button button-icon"
                    aria-label=format!("Move {} {word}", column.header())
                    aria-disabled=dyn_attr(move || at_end().then_some("true"))
                    on:click=move |_| moving(column, places)
                >
                    <Icon glyph />
                </button>
            }
        };
        view! {
            <div class="menu-line" on:keydown=key>
                <label class="menu-check" title=column.description()>
                    <input
                        type="checkbox"
                        checked=choice.read_untracked().shows(column)
                        prop:checked=shows
                        on:change=move |event| {
                            preferences.keep(Some(choice.get_untracked().with(column, event_target_checked(&event))));
                        }
                    />
                    {column.header()}
                </label>
                {mover(-1, Glyph::Up, "up")}
                {mover(1, Glyph::Down, "down")}
            </div>
        }
        .into_any()
    };
    let button = view! {
        <Icon glyph=Glyph::Columns />
        "Columns"
    };
    view! {
        <div class="columns-menu needs-js">
            <Menu id="columns" role="group" name="Columns" button_class="button" button=button.into_any()>
                <div class="menu-scroll">
                    {keyed(Signal::derive(move || numbers(&choice.read().order)), move |number| option(numbered(number)))}
                </div>
                <button
                    type="button"
                    class="menu-item menu-item-last"
                    aria-disabled=dyn_attr(move || (*choice.read() == Choice::default()).then_some("true"))
                    on:click=move |_| preferences.keep(None)
                >
                    "Reset to defaults"
                </button>
            </Menu>
        </div>
    }
    .into_any()
}
